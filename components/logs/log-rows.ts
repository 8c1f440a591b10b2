/** A line of either kind: a request, or what an application wrote. */
export interface Line {
  id: number;
  /** Unix milliseconds. */
  at: number;
}

/** As the API gives lines, newest first. */
export interface LinePage<L extends Line> {
  at: number;
  entries: L[];
  next: string | null;
}

/** Lines that stand beside the first page that was read. */
export interface LogRows<L extends Line> {
  /** What was loaded after the page of this time. */
  older: { pageAt: number; entries: readonly L[]; next: string | null } | null;
  /** What came since, newest first. */
  tail: readonly L[];
  /** What came while the list stands still, newest first, and how many lines that were in all. */
  held: readonly L[];
  heldCount: number;
}

export type LogRowsAction<L extends Line> =
  | { type: "reset" }
  | { type: "older"; pageAt: number; page: LinePage<L> }
  | { type: "arrived"; entries: readonly L[]; held: boolean }
  | { type: "release" };

export const noRows: LogRows<never> = { older: null, tail: [], held: [], heldCount: 0 };

/** A browser shows so many rows without effort; who looks for older ones searches. */
export const mostRows = 1000;

export function reduceRows<L extends Line>(rows: LogRows<L>, action: LogRowsAction<L>): LogRows<L> {
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

const newest = <L extends Line>(entries: readonly L[], rest: readonly L[]): L[] =>
  [...entries, ...rest].slice(0, mostRows);

/** All that is shown, newest first and each line once, and the cursor of what is older. */
export function shownRows<L extends Line>(
  page: LinePage<L> | undefined,
  rows: LogRows<L>,
): { entries: L[]; next: string | null } {
  if (!page) return { entries: [], next: null };
  const older = rows.older?.pageAt === page.at ? rows.older : null;
  const byId = new Map([...page.entries, ...(older?.entries ?? []), ...rows.tail].map((entry) => [entry.id, entry]));
  const entries = [...byId.values()].toSorted((a, b) => b.at - a.at || b.id - a.id);
  const isFull = entries.length >= mostRows;
  return { entries: entries.slice(0, mostRows), next: isFull ? null : older ? older.next : page.next };
}
