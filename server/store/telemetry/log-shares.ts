import type { Sql } from "./sql.ts";

/** Of one application: milliseconds of the event loop. */
const rowsPerPass = 5000;

/**
 * Keeps applications' logs within their number, and each application within a fair share of it: who writes little keeps all of it, and what they leave room for is
 * shared by those who write more, whose oldest lines go. Whether there is more to do.
 */
export async function thinLogs(db: Sql, maxRows: number): Promise<boolean> {
  const counted = await db.all("SELECT service, count(*) AS lines FROM log GROUP BY service");
  const counts = new Map(counted.map(({ service, lines }) => [String(service), Number(lines)]));
  const share = fairShare([...counts.values()], maxRows);
  let more = false;
  for (const [service, lines] of counts) {
    if (lines <= share) continue;
    const excess = Math.min(lines - share, rowsPerPass);
    more ||= excess < lines - share;
    await forgetOldest(db, service, excess);
  }
  return more;
}

async function forgetOldest(db: Sql, service: string, lines: number): Promise<void> {
  const oldest = "SELECT at_us, id FROM log WHERE service = ? ORDER BY at_us, id LIMIT 1 OFFSET ?";
  const last = await db.get(oldest, service, lines - 1);
  if (last === undefined) return;
  const [atUs, id] = [Number(last.at_us), Number(last.id)];
  await db.run("DELETE FROM log WHERE service = ? AND at_us <= ? AND (at_us, id) <= (?, ?)", service, atUs, atUs, id);
}

/** The most that each may keep, so that all together keep no more than `room` and nobody less than they could: max-min fairness. */
export function fairShare(wanted: readonly number[], room: number): number {
  let left = room;
  const ascending = wanted.toSorted((a, b) => a - b);
  for (const [i, each] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - i));
    if (each > share) return share;
    left -= each;
  }
  return Number.POSITIVE_INFINITY;
}
