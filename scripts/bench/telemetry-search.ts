import type { Bars } from "./bars.ts";
import { quantile } from "./process-usage.ts";
import { batchOf } from "./telemetry-batch.ts";
import type { Place } from "./telemetry-places.ts";
import { syntheticSpans } from "./telemetry-senders.ts";

const [traces, perBatch] = [100_000, 500];

/** Search among a million spans, and one trace. */
export async function benchTraceSearch(place: Place, bars: Bars): Promise<void> {
  const store = await place.store();
  const now = Date.now();
  for (let first = 0; first < traces; first += perBatch) {
    const spans = syntheticSpans(first, perBatch, now - (traces - first) * 8);
    await store.write(batchOf(Math.floor((now - (traces - first) * 8) / 1000), { spans }, first + 1));
  }
  const reader = await place.reader();
  const all = { fromMs: now - 3_600_000, toMs: now + 1000, limit: 50 };
  const searches: Record<string, object> = {
    newest: {},
    "by service and operation": { service: "svc-7", operation: "GET /op-3" },
    "by duration": { minDurationMs: 99.9 },
    "with errors": { errorsOnly: true },
    "by a rare tag": { tags: { "user.id": "u-77777" } },
    "by a tag that nothing has": { tags: { "user.id": "nobody" } },
    "by an operation that nothing has": { operation: "nothing" },
  };
  for (const [name, query] of Object.entries(searches)) {
    const { ms, cpu, result } = await timed(place, () => reader.traces({ ...all, ...query }));
    process.stdout.write(
      `${place.name}: 1 M spans, traces ${name}: ${ms.toFixed(0)} ms by the clock, ${cpu.toFixed(0)} ms of processor (${result.length} found)\n`,
    );
    bars.add({ what: `${place.name}: 1 M spans, traces ${name}, median`, value: ms, unit: "ms", most: 150 });
  }
  const [some] = await reader.traces({ ...all, limit: 1 });
  const { ms, cpu } = await timed(place, () => reader.trace(some?.traceId ?? ""));
  process.stdout.write(
    `${place.name}: 1 M spans, one trace: ${ms.toFixed(1)} ms by the clock, ${cpu.toFixed(1)} ms of processor; ${((await place.bytes()) / 1e6).toFixed(0)} MB\n`,
  );
  bars.add({ what: `${place.name}: 1 M spans, one trace by its id, median`, value: ms, unit: "ms", most: 20 });
  await reader.close();
  await store.close();
}

const rounds = 10;

/** The median of ten by the clock, and the mean of their processor time, the server's too. */
async function timed<T>(place: Place, work: () => Promise<T>): Promise<{ ms: number; cpu: number; result: T }> {
  let result = await work();
  const times: number[] = [];
  const [before, server] = [process.cpuUsage(), await place.serverSeconds()];
  for (let i = 0; i < rounds; i++) {
    const started = performance.now();
    result = await work();
    times.push(performance.now() - started);
  }
  const { user, system } = process.cpuUsage(before);
  const ofServer = ((await place.serverSeconds()) - server) * 1000;
  return { ms: quantile(times, 0.5), cpu: ((user + system) / 1000 + ofServer) / rounds, result };
}
