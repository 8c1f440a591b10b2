import { liveEndMs } from "../../server/query/window.ts";
import type { Bars } from "./bars.ts";
import { quantile, wait } from "./process-usage.ts";
import { endOf, startCollector } from "./telemetry-ingest.ts";
import type { Place } from "./telemetry-places.ts";
import { oneByOneSender } from "./telemetry-senders.ts";

const records = 400;
const everyMs = 47;
/** As proxies are told to. */
const flushMs = 500;

/**
 * From the end of a request at a proxy until it stands in the graph: its record waits for the proxy's flush, for the collector's, and for the second to be whole.
 * A sender in a proxy's place, a real collector, and a reader that looks again and again.
 */
export async function benchVisible(place: Place, bars: Bars): Promise<void> {
  const { child, ports } = await startCollector(place);
  const reader = await place.reader();
  try {
    const sender = await oneByOneSender(ports.collectorGrpc);
    const ended: number[] = [];
    const waiting: number[] = [];
    const flushing = setInterval(() => sender.send(waiting.splice(0)), flushMs);
    const times: number[] = [];
    const look = async () => {
      while (times.length < records) {
        const sums = await reader.sums({ fromMs: (ended[0] ?? Date.now()) - 60_000, toMs: Date.now() + 1000 });
        const there = sums.reduce((sum, { count }) => sum + count, 0);
        const wholeUntil = liveEndMs(Date.now(), await reader.collectors());
        const now = Date.now();
        for (let i = times.length; i < there && (ended[i] ?? now) < wholeUntil; i++)
          times.push(now - (ended[i] ?? now));
        await wait(10);
      }
    };
    const make = async () => {
      for (let i = 0; i < records; i++) {
        const now = Date.now();
        ended.push(now);
        waiting.push(now);
        await wait(everyMs);
      }
    };
    await Promise.race([Promise.all([look(), make()]), tooLate(60_000)]);
    clearInterval(flushing);
    await sender.close();
    const what = `${place.name}: record at the proxy → in the graph`;
    process.stdout.write(`${what}: p50 ${quantile(times, 0.5)} ms, at most ${Math.max(...times)} ms\n`);
    bars.add({ what: `${what}, p99`, value: quantile(times, 0.99) / 1000, unit: "s", most: 2 });
  } finally {
    await reader.close();
    await endOf(child);
  }
}

async function tooLate(ms: number): Promise<never> {
  await wait(ms);
  throw new Error(`not all records came within ${ms / 1000} s`);
}
