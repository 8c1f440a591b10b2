import type { Sql } from "./sql.ts";

export interface ThinningOptions {
  /** Which of the two budgets. */
  error: boolean;
  maxRows: number;
  /** What is kept is to reach back so far. */
  keptSec: number;
}

const minutesPerPass = 10;

/**
 * Keeps access logs within their number so that they last as long as they should: nothing goes while there is room; then the oldest minutes
 * are brought down, one after the other, to an equal share of half the room. The other half stays for the newest minutes, which keep all
 * they have. Within a minute every edge has its turn before any has a second one, so that a busy edge does not push out a quiet one.
 */
export async function thin(db: Sql, { error, maxRows, keptSec }: ThinningOptions): Promise<boolean> {
  const kind = error ? 1 : 0;
  const total = Number((await db.get("SELECT count(*) AS count FROM access_log WHERE error = ?", kind))?.count ?? 0);
  let excess = total - maxRows;
  if (excess <= 0) return false;
  const quota = Math.max(1, Math.floor(maxRows / 2 / Math.max(1, keptSec / 60)));
  const full = await db.all(
    `SELECT at / 60000 AS minute, count(*) AS rows FROM access_log WHERE error = ? GROUP BY minute HAVING count(*) > ? ORDER BY minute LIMIT ${minutesPerPass}`,
    kind,
    quota,
  );
  for (const { minute, rows } of full) {
    if (excess <= 0) return false;
    excess -= await thinMinute(db, kind, Number(minute), Math.max(quota, Number(rows) - excess));
  }
  if (full.length > 0) return excess > 0;
  // Every minute has its share and no more, and there are too many minutes.
  const oldest = "SELECT rowid FROM access_log WHERE error = ? ORDER BY at LIMIT ?";
  await db.run(`DELETE FROM access_log WHERE rowid IN (${oldest})`, kind, excess);
  return false;
}

async function thinMinute(db: Sql, kind: number, minute: number, quota: number): Promise<number> {
  // Within an edge by chance, as good as: neither the earliest nor the quickest of a minute should be all that is left.
  const turns = `SELECT rowid, row_number() OVER (PARTITION BY edge ORDER BY (rowid * 7919) % 10007) AS turn
                 FROM access_log WHERE error = ? AND at >= ? AND at < ?`;
  const range = [minute * 60_000, (minute + 1) * 60_000];
  return db.run(
    `DELETE FROM access_log WHERE at >= ? AND at < ?
     AND rowid IN (SELECT rowid FROM (${turns}) AS turns ORDER BY turn LIMIT 1000000000 OFFSET ?)`,
    ...range,
    kind,
    ...range,
    quota,
  );
}
