import type { Clock } from "../lib/clock.ts";
import type { LogFilter, LogRow, TelemetryReader } from "./reader.ts";

/** The collector writes once a second; asking twice as often as people notice costs next to nothing. */
const askEveryMs = 500;
const maxAtOnce = 500;

/** See Queries.followLogs. Ends, without an error, when the signal aborts; rejects when the store can't be read. */
export async function* followLogs(
  reader: Pick<TelemetryReader, "newLogs">,
  clock: Clock,
  filter: LogFilter,
  signal: AbortSignal,
): AsyncGenerator<LogRow[]> {
  let { lastId } = await reader.newLogs({ ...filter, afterId: 0, limit: 1 });
  while (!signal.aborted) {
    await pause(clock, askEveryMs, signal);
    if (signal.aborted) return;
    const news = await reader.newLogs({ ...filter, afterId: lastId, limit: maxAtOnce });
    // Who can't see so much at once rather sees what is newest.
    lastId = news.rows.length < maxAtOnce ? news.lastId : (await reader.newLogs({ afterId: 0, limit: 1 })).lastId;
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
