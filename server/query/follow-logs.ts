import type { Clock } from "../lib/clock.ts";

/** The collector writes once a second; asking twice as often as people notice costs next to nothing. */
const askEveryMs = 500;
const maxAtOnce = 500;

/** What was written after a row, oldest first, and where to go on from. `afterId` 0: from now on. */
export type ReadNew<Row> = (from: { afterId: number; limit: number }) => Promise<{ rows: Row[]; lastId: number }>;

/** See Queries.followLogs. Ends, without an error, when the signal aborts; rejects when the store can't be read. */
export async function* followLogs<Row>(
  readNew: ReadNew<Row>,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Row[]> {
  let { lastId } = await readNew({ afterId: 0, limit: 1 });
  while (!signal.aborted) {
    await pause(clock, askEveryMs, signal);
    if (signal.aborted) return;
    const news = await readNew({ afterId: lastId, limit: maxAtOnce });
    // Who can't see so much at once rather sees what is newest.
    lastId = news.rows.length < maxAtOnce ? news.lastId : (await readNew({ afterId: 0, limit: 1 })).lastId;
    if (news.rows.length > 0) yield news.rows;
  }
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      timer.cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
