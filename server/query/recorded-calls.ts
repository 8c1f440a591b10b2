import type { Ranges } from "./ranges.ts";
import type { EdgeRow, LogQuery, LogRow, PeerFilter, RollupSum, TelemetryReader } from "./reader.ts";

export interface RecordedCallsQuery {
  /** Seconds, and where they end. */
  window: number;
  at?: number | undefined;
  /** By whom: those that were called are told of by their own proxies. */
  destinations(edge: EdgeRow): boolean;
  /** Of which of them lines are read; left out: of all. */
  linesOf?(edge: EdgeRow): boolean;
}

/** Counts are exact, lines are what is kept of them. */
export interface RecordedCalls {
  fromMs: number;
  toMs: number;
  sums: RollupSum[];
  /** Newest first. */
  rows: LogRow[];
  /** There are more lines than these. */
  cut: boolean;
}

const pageRows = 1000;
const mostRows = 20_000;

/** What was called in a window, as told where it arrived. */
export async function readRecordedCalls(
  reader: TelemetryReader,
  ranges: Ranges,
  { window, at, destinations, linesOf = destinations }: RecordedCallsQuery,
): Promise<RecordedCalls> {
  const { endMs } = await ranges.endOf(at);
  const { window: range, rows: all } = await ranges.sumsBefore(endMs, window);
  const sums = all.filter(({ edge }) => edge.reporter === "destination" && destinations(edge));
  const { fromMs, toMs } = range;
  const rows: LogRow[] = [];
  let cut = false;
  for (const destination of applicationsOf(sums.filter(({ edge }) => linesOf(edge)))) {
    const query = { fromMs, toMs, direction: "inbound" as const, destination };
    const { rows: own, more } = await pages(reader, query, mostRows - rows.length);
    rows.push(...own.filter(({ edge }) => destinations(edge) && linesOf(edge)));
    cut ||= more;
  }
  return { fromMs, toMs, sums, rows: rows.sort((a, b) => b.atMs - a.atMs || b.id - a.id), cut };
}

export interface LinesQuery {
  window: number;
  at?: number | undefined;
  /** Lines of any of these. */
  of: readonly Pick<LogQuery, "details" | "errorsOnly">[];
}

const mostOfEach = 5_000;

export async function readLines(
  reader: TelemetryReader,
  ranges: Ranges,
  { window, at, of }: LinesQuery,
): Promise<Pick<RecordedCalls, "fromMs" | "toMs" | "rows" | "cut">> {
  const { endMs: toMs } = await ranges.endOf(at);
  const fromMs = toMs - window * 1000;
  const found = await Promise.all(of.map((filter) => pages(reader, { fromMs, toMs, ...filter }, mostOfEach)));
  const rows = found.flatMap((it) => it.rows).sort((a, b) => b.atMs - a.atMs || b.id - a.id);
  return { fromMs, toMs, rows, cut: found.some(({ more }) => more) };
}

const applicationsOf = (sums: readonly RollupSum[]): PeerFilter[] => [
  ...new Map(
    sums.map(({ edge: { destination } }) => {
      const { namespace, app } = destination;
      return [`${namespace}/${app}`, { namespace, app }];
    }),
  ).values(),
];

async function pages(
  reader: TelemetryReader,
  query: Omit<LogQuery, "limit">,
  most: number,
): Promise<{ rows: LogRow[]; more: boolean }> {
  const rows: LogRow[] = [];
  while (rows.length < most) {
    const last = rows.at(-1);
    const limit = Math.min(pageRows, most - rows.length);
    const page = await reader.logs({ ...query, limit, ...(last && { before: { atMs: last.atMs, id: last.id } }) });
    rows.push(...page);
    if (page.length < limit) return { rows, more: false };
  }
  return { rows, more: true };
}
