import type { CompactedSql, Row, Sql } from "./sql.ts";

export interface TraceThinningOptions {
  maxSpans: number;
  /** What is kept is to reach back so far. */
  keptSec: number;
}

const minutesPerPass = 5;
/** Of each operation that begins traces, in a minute. */
const slowestKept = 2;

/**
 * Keeps spans within their number by whole traces, once all is known of them (tail sampling): nothing goes while there is room; then the oldest
 * minutes are brought down, one after the other, to an equal share of half the room. In a minute those with an error stay (for up to half of its
 * share), then the slowest of each operation that begins a trace, and of the rest some by chance.
 */
export async function thinTraces(db: CompactedSql, { maxSpans, keptSec }: TraceThinningOptions): Promise<boolean> {
  const spans = await countOf(db, "span");
  let excess = spans - maxSpans;
  if (excess <= 0) return false;
  const traces = Math.max(1, await countOf(db, "trace"));
  const perTrace = spans / traces;
  const quota = Math.max(1, Math.floor(maxSpans / perTrace / 2 / Math.max(1, keptSec / 60)));
  const full = await db.all(
    `SELECT received_at / 60000 AS minute, count(*) AS traces FROM trace
     GROUP BY minute HAVING count(*) > ? ORDER BY minute LIMIT ${minutesPerPass}`,
    quota,
  );
  for (const row of full) {
    if (excess <= 0) return false;
    const keep = Math.max(quota, Number(row.traces) - Math.ceil(excess / perTrace));
    excess -= await thinMinute(db, Number(row.minute), keep, quota);
  }
  if (full.length > 0) return excess > 0;
  // Every minute has its share and no more, and there are too many minutes.
  const oldest = "SELECT trace_id FROM trace ORDER BY received_at LIMIT ?";
  await deleteTraces(db, await db.all(oldest, Math.ceil(excess / perTrace)));
  return false;
}

/** How many spans went. */
async function thinMinute(db: CompactedSql, minute: number, keep: number, quota: number): Promise<number> {
  // An operation that begins a trace is the first that is told of it; ids are random, the hindmost bytes of them in every implementation.
  const ranked = `SELECT trace_id, errors,
      row_number() OVER (PARTITION BY errors > 0 ORDER BY substr(trace_id, 13)) AS turn,
      row_number() OVER (PARTITION BY substr(operations, 2, instr(substr(operations, 2), ?) - 1)
        ORDER BY end_us - start_us DESC) AS slowness
    FROM trace WHERE received_at >= ? AND received_at < ?`;
  const order = `CASE WHEN errors > 0 AND turn <= ? THEN 0 WHEN slowness <= ${slowestKept} THEN 1 ELSE 2 END, turn`;
  const gone = await db.all(
    `SELECT trace_id FROM (${ranked}) AS ranked ORDER BY ${order} LIMIT 1000000000 OFFSET ?`,
    "\n",
    minute * 60_000,
    (minute + 1) * 60_000,
    Math.ceil(quota / 2),
    keep,
  );
  return deleteTraces(db, gone);
}

const tracesPerStatement = 100;

async function deleteTraces(db: CompactedSql, rows: readonly Row[]): Promise<number> {
  return db.transaction(async (sql) => {
    let spans = 0;
    for (let at = 0; at < rows.length; at += tracesPerStatement) {
      const ids = rows.slice(at, at + tracesPerStatement).map((row) => row.trace_id as Uint8Array);
      const places = ids.map(() => "?").join(",");
      spans += await sql.run(`DELETE FROM span WHERE trace_id IN (${places})`, ...ids);
      await sql.run(`DELETE FROM trace WHERE trace_id IN (${places})`, ...ids);
    }
    return spans;
  });
}

const countOf = async (db: Sql, table: "span" | "trace"): Promise<number> =>
  Number((await db.get(`SELECT count(*) AS count FROM ${table}`))?.count ?? 0);
