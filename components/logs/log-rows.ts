import type { LogEntry, LogPage } from "../../server/contract/index.ts";

/** Lines that stand beside the first page that was read. */
export interface LogRows {
  /** What was loaded after the page of this time. */
  older: { pageAt: number; entries: readonly LogEntry[]; next: string | null } | null;
  /** What came since, newest first. */
  tail: readonly LogEntry[];
  /** What came while the list stands still, newest first, and how many lines that were in all. */
  held: readonly LogEntry[];
  heldCount: number;
}

export type LogRowsAction =
  | { type: "reset" }
  | { type: "older"; pageAt: number; page: LogPage }
  | { type: "arrived"; entries: readonly LogEntry[]; held: boolean }
  | { type: "release" };

export const noRows: LogRows = { older: null, tail: [], held: [], heldCount: 0 };

/** A browser shows so many rows without effort; who looks for older ones searches. */
export const mostRows = 1000;

export function reduceRows(rows: LogRows, action: LogRowsAction): LogRows {
  if (action.type === "reset") return noRows;
  if (action.type === "older") {
    const { pageAt, page } = action;
    const before = rows.older?.pageAt === pageAt ? rows.older.entries : [];
    return { ...rows, older: { pageAt, entries: [...before, ...page.entries], next: page.next } };
  }
  if (action.type === "release") {
    return { ...rows, tail: newest(rows.held, rows.tail), held: [], heldCount: 0 };
  }
  if (!action.held) return { ...rows, tail: newest(action.entries, rows.tail) };
  return {
    ...rows,
    held: newest(action.entries, rows.held),
    heldCount: rows.heldCount + action.entries.length,
  };
}

const newest = (entries: readonly LogEntry[], rest: readonly LogEntry[]): LogEntry[] =>
  [...entries, ...rest].slice(0, mostRows);

/** All that is shown, newest first and each line once, and the cursor of what is older. */
export function shownRows(page: LogPage | undefined, rows: LogRows): { entries: LogEntry[]; next: string | null } {
  if (!page) return { entries: [], next: null };
  const older = rows.older?.pageAt === page.at ? rows.older : null;
  const byId = new Map([...page.entries, ...(older?.entries ?? []), ...rows.tail].map((entry) => [entry.id, entry]));
  const entries = [...byId.values()].toSorted((a, b) => b.at - a.at || b.id - a.id);
  const isFull = entries.length >= mostRows;
  return { entries: entries.slice(0, mostRows), next: isFull ? null : older ? older.next : page.next };
}
