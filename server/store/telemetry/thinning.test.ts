import { afterEach, beforeEach, expect, it } from "vitest";
import type { TelemetryReader } from "../../query/reader.ts";
import type { TelemetryStore } from "../../telemetry/store.ts";
import { defaultRetention, type Retention } from "../../wire/retention.ts";
import { openSqliteTelemetryReader } from "./sqlite-reader.ts";
import { openSqliteTelemetryStore } from "./sqlite-store.ts";
import { batch, edge, sample, span } from "./testing/records.ts";
import { temporaryDatabase } from "./testing/temporary-database.ts";

/** A full minute; Unix milliseconds. */
const t0 = 1_767_225_600_000;
const minute = 60_000;
let store: TelemetryStore;
let reader: TelemetryReader;
let remove: () => Promise<void>;
beforeEach(async () => {
  const database = await temporaryDatabase();
  remove = database.remove;
  store = await openSqliteTelemetryStore({ path: database.path });
  reader = await openSqliteTelemetryReader({ path: database.path });
});
afterEach(async () => {
  await reader.close();
  await store.close();
  await remove();
});

async function compact(retention: Partial<Retention>, nowMs: number): Promise<void> {
  const pass = { nowMs, settledUntilMs: t0, retention: { ...defaultRetention, ...retention } };
  while ((await store.compact(pass)).more);
}

const busy = edge("productpage", "reviews/v1");
const quiet = edge("reviews/v1", "ratings");

it("access logs reach back the whole time, whatever the load, and a busy edge does not push out a quiet one", async () => {
  // An hour, in which 100 requests a minute of one edge and 2 of another come; there is room for 600.
  for (let m = 0; m < 60; m++) {
    const at = (i: number) => t0 + m * minute + i * 500;
    const samples = [
      ...Array.from({ length: 100 }, (_, i) => sample(busy, at(i))),
      ...[0, 1].map((i) => sample(quiet, at(i))),
      sample(quiet, at(9), { code: 503 }),
    ];
    await store.write(batch({ samples }));
    await compact({ samplesSec: 3600, maxSamples: 600 }, t0 + (m + 1) * minute);
  }
  const logs = await reader.logs({ fromMs: 0, toMs: t0 + 3600_000, limit: 10_000 });
  const successes = logs.filter((log) => log.code === 200);
  expect(successes.length).toBeLessThanOrEqual(600);
  expect(new Set(successes.map((log) => Math.floor(log.atMs / minute))).size).toBe(60);
  expect(successes.filter((log) => log.edge.service === quiet.service).length).toBeGreaterThanOrEqual(100);
  expect(logs.filter((log) => log.code === 503)).toHaveLength(60);
  // The newest minute has all it had.
  expect(successes.filter((log) => log.atMs >= t0 + 59 * minute)).toHaveLength(102);
});

it("traces with errors and the slowest of each operation outlive the rest, and no trace is cut in two", async () => {
  for (let m = 0; m < 30; m++) {
    const spans = Array.from({ length: 50 }, (_, i) => {
      const id = "9".repeat(24) + (m * 50 + i).toString(16).padStart(8, "0");
      const name = i % 10 === 0 ? "rare" : "usual";
      const durationUs = i === 7 ? 5_000_000 : i === 20 ? 3_000_000 : 1000 + i;
      const startUs = (t0 + m * minute + i) * 1000;
      const root = span(id, "1".repeat(16), startUs, { name, durationUs, error: i === 33 });
      return [
        root,
        span(id, "2".repeat(16), startUs + 1, { parentSpanId: root.spanId, name: "inner", durationUs: 10 }),
      ];
    }).flat();
    await store.write(batch({ spans, collector: { flushedAtMs: t0 + m * minute } }));
    await compact({ spansSec: 1800, maxSpans: 600 }, t0 + (m + 1) * minute);
  }
  const all = { fromMs: t0 - minute, toMs: t0 + 3600_000, limit: 1000 };
  const traces = await reader.traces(all);
  expect(traces.length).toBeLessThanOrEqual(300);
  for (const trace of traces) expect(trace.spans).toBe(2);
  const minutes = (list: typeof traces) => new Set(list.map((trace) => Math.floor((trace.startMs - t0) / minute))).size;
  expect(minutes(traces)).toBe(30);
  expect(minutes(await reader.traces({ ...all, errorsOnly: true }))).toBe(30);
  expect(minutes(await reader.traces({ ...all, operation: "usual", minDurationMs: 4000 }))).toBe(30);
  expect(minutes(await reader.traces({ ...all, operation: "rare", minDurationMs: 2000 }))).toBe(30);
});
