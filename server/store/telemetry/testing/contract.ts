import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LatencySketch } from "../../../lib/latency-sketch.ts";
import type { RollupRow, RollupSum, TelemetryReader } from "../../../query/reader.ts";
import type { TelemetryStore } from "../../../telemetry/store.ts";
import { flagBitsOf } from "../../../wire/response-flags.ts";
import { defaultRetention } from "../../../wire/retention.ts";
import { batch, edge, host, rollup, sample, span } from "./records.ts";

export interface Opened {
  store: TelemetryStore;
  reader: TelemetryReader;
  cleanUp(): Promise<void>;
}

/** What every telemetry store keeps to, written on one side and read on the other. */
export function telemetryStoreContract(name: string, open: () => Promise<Opened>): void {
  describe(`${name} telemetry store`, () => {
    let opened: Opened;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.cleanUp());
    rollupContract(() => opened);
    sampleContract(() => opened);
    spanContract(() => opened);
  });
}

/** 2026-01-01T00:00:00Z, a full hour; Unix seconds. */
const t0 = 1_767_225_600;
const reviews = edge("productpage", "reviews/v1");
const ratings = edge("reviews/v2", "ratings");

const summary = (rows: RollupRow[]) =>
  rows
    .map(
      (row) => [row.atMs / 1000 - t0, row.edge.service.split(".")[0], row.code, row.flags.join(), row.count] as const,
    )
    .toSorted((a, b) => (a.join() < b.join() ? -1 : 1));

const total = (rows: RollupSum[]) => rows.reduce((sum, row) => sum + row.count, 0);

function quantile(rows: RollupSum[], q: number): number | undefined {
  const sketch = new LatencySketch();
  for (const row of rows) sketch.mergeEncoded(row.latency);
  return sketch.quantile(q);
}

function rollupContract(opened: () => Opened): void {
  it("gives back what was written, by range, with its edge, bytes and latencies", async () => {
    const { store, reader } = opened();
    const flags = flagBitsOf(["DI", "FI"]);
    expect(await reader.oldestAt()).toBe(null);
    await store.write(
      batch({
        rollups: [
          rollup(reviews, t0, { latencies: [10, 20, 30] }),
          rollup(reviews, t0, { code: 503, flags, latencies: [1] }),
          rollup(ratings, t0 + 1, { latencies: [5] }),
          rollup(ratings, t0 + 2),
        ],
      }),
    );
    expect(await reader.oldestAt()).toBe(t0 * 1000);
    const rows = await reader.rollups({ fromMs: t0 * 1000, toMs: (t0 + 2) * 1000, stepSec: 1 });
    expect(summary(rows)).toEqual([
      [0, "reviews", 200, "", 3],
      [0, "reviews", 503, "DI,FI", 1],
      [1, "ratings", 200, "", 1],
    ]);
    const ok = rows.filter((row) => row.code === 200 && row.edge.service === host("reviews"));
    expect(ok[0]).toMatchObject({ edge: reviews, requestBytes: 300, responseBytes: 3000 });
    expect(quantile(ok, 0.5)).toBeCloseTo(20, 0);
  });

  it("gives back only rows of the edges that are asked for", async () => {
    const { store, reader } = opened();
    await store.write(batch({ rollups: [rollup(reviews, t0), rollup(ratings, t0)] }));
    const range = { fromMs: t0 * 1000, toMs: (t0 + 1) * 1000, stepSec: 1 } as const;
    const rows = await reader.rollups({ ...range, edges: (edge) => edge.service === host("ratings") });
    expect(summary(rows)).toEqual([[0, "ratings", 200, "", 1]]);
  });

  it("adds up a range by edge, code and flags, before and after compaction", async () => {
    const { store, reader } = opened();
    const rollups = Array.from({ length: 300 }, (_, i) =>
      rollup(i % 2 ? reviews : ratings, t0 + i, { code: i % 50 ? 200 : 503, latencies: [1 + (i % 50), 400] }),
    );
    await store.write(batch({ collector: { settledUntilMs: (t0 + 250) * 1000 }, rollups }));
    const range = { fromMs: (t0 + 7) * 1000, toMs: (t0 + 297) * 1000 };
    const rows = await reader.rollups({ ...range, stepSec: 1 });
    const expected = Map.groupBy(rows, (row) => `${row.edge.service} ${row.code}`);
    const pass = { nowMs: (t0 + 300) * 1000, settledUntilMs: (t0 + 250) * 1000, retention: defaultRetention };
    for (let round = 0; round < 2; round++) {
      const sums = await reader.sums(range);
      expect(sums).toHaveLength(expected.size);
      for (const sum of sums) {
        const parts = expected.get(`${sum.edge.service} ${sum.code}`) ?? [];
        expect([sum.count, sum.requestBytes]).toEqual([total(parts), 100 * total(parts)]);
        for (const q of [0, 0.5, 0.9, 1]) expect(quantile([sum], q)).toBe(quantile(parts, q));
      }
      const counts = await reader.sums({ ...range, withLatency: false });
      expect(total(counts)).toBe(total(rows));
      while ((await store.compact(pass)).more);
    }
  });

  it("adds late records to a second already written", async () => {
    const { store, reader } = opened();
    await store.write(batch({ rollups: [rollup(reviews, t0, { latencies: [10, 10] })] }));
    await store.write(batch({ rollups: [rollup(reviews, t0, { latencies: [90] })] }));
    const rows = await reader.rollups({ fromMs: t0 * 1000, toMs: (t0 + 1) * 1000, stepSec: 1 });
    expect(total(rows)).toBe(3);
    expect(quantile(rows, 1)).toBeGreaterThan(89);
  });

  it("shows what is added after it was read, as long as it is not settled", async () => {
    const { store, reader } = opened();
    const range = { fromMs: t0 * 1000, toMs: (t0 + 4) * 1000, stepSec: 1 } as const;
    const settled = { settledUntilMs: (t0 + 2) * 1000 };
    await store.write(batch({ collector: settled, rollups: [rollup(reviews, t0), rollup(reviews, t0 + 3)] }));
    expect(total(await reader.rollups(range))).toBe(2);
    await store.write(batch({ collector: settled, rollups: [rollup(ratings, t0 + 2), rollup(reviews, t0 + 3)] }));
    const rows = await reader.rollups(range);
    const perSecond = [0, 1, 2, 3].map((second) => total(rows.filter((row) => row.atMs === (t0 + second) * 1000)));
    expect(perSecond).toEqual([1, 0, 1, 2]);
    expect(total(await reader.rollups({ ...range, fromMs: (t0 + 1) * 1000 }))).toBe(3);
  });

  it("writes a batch once, however often it is tried", async () => {
    const { store, reader } = opened();
    const once = batch({ rollups: [rollup(reviews, t0)], samples: [sample(reviews, t0 * 1000)] });
    await store.write(once);
    await store.write(once);
    expect(total(await reader.rollups({ fromMs: t0 * 1000, toMs: (t0 + 1) * 1000, stepSec: 1 }))).toBe(1);
    expect(await reader.logs({ fromMs: 0, toMs: (t0 + 9) * 1000, limit: 10 })).toHaveLength(1);
  });

  it("keeps edges apart that differ in one dimension only", async () => {
    const { store, reader } = opened();
    const edges = [reviews, { ...reviews, mtls: true }, { ...reviews, reporter: "destination" as const }];
    await store.write(batch({ rollups: edges.map((key) => rollup(key, t0)) }));
    const rows = await reader.rollups({ fromMs: t0 * 1000, toMs: (t0 + 1) * 1000, stepSec: 1 });
    expect(rows.map((row) => row.edge.id).length).toBe(new Set(rows.map((row) => row.edge.id)).size);
    expect(rows).toHaveLength(3);
  });

  it.each([10, 60, 3600] as const)("has the same sums at %i s, before and after compaction", async (stepSec) => {
    const { store, reader } = opened();
    const rollups = Array.from({ length: 7200 / 9 }, (_, i) =>
      rollup(i % 2 ? reviews : ratings, t0 + i * 9, { code: i % 7 ? 200 : 503, latencies: [1 + (i % 50), 400] }),
    );
    await store.write(batch({ rollups }));
    const range = { fromMs: t0 * 1000, toMs: (t0 + 7200) * 1000, stepSec };
    const before = await reader.rollups(range);
    expect(total(before)).toBe(rollups.length * 2);
    const pass = {
      nowMs: (t0 + 7300) * 1000,
      settledUntilMs: (t0 + 7000) * 1000,
      retention: { ...defaultRetention, steps: { ...defaultRetention.steps, 1: 86_400 } },
    };
    while ((await store.compact(pass)).more);
    await store.compact(pass);
    const after = await reader.rollups(range);
    expect(total(after)).toBe(total(before));
    for (const q of [0, 0.5, 0.9, 1]) expect(quantile(after, q)).toBe(quantile(before, q));
    const buckets = after.filter((row) => row.atMs < (t0 + 3600) * 1000).map((row) => row.atMs);
    expect(buckets.every((atMs) => atMs % (stepSec * 1000) === 0)).toBe(true);
    expect(new Set(buckets).size).toBe(3600 / stepSec);
  });

  it("forgets roll-ups past the retention of their step, once the next step has them", async () => {
    const { store, reader } = opened();
    await store.write(batch({ rollups: [rollup(reviews, t0), rollup(reviews, t0 + 3600 * 24 * 40)] }));
    const nowMs = (t0 + 3600 * 24 * 40 + 4000) * 1000;
    const pass = { nowMs, settledUntilMs: nowMs - 60_000, retention: defaultRetention };
    while ((await store.compact(pass)).more);
    await store.compact(pass);
    const rows = await reader.rollups({ fromMs: t0 * 1000, toMs: (t0 + 3600 * 24 * 41) * 1000, stepSec: 3600 });
    expect(summary(rows)).toEqual([[3600 * 24 * 40, "reviews", 200, "", 1]]);
  });

  it("tells what the collector last said, and remembers the newest record over a restart", async () => {
    const { store, reader } = opened();
    expect(await reader.collectors()).toEqual([]);
    const first = {
      flushedAtMs: t0 * 1000,
      completeUntilMs: t0 * 1000 - 1000,
      settledUntilMs: t0 * 1000 - 9000,
      freshAtMs: t0 * 1000 - 300,
    };
    await store.write(batch({ collector: first }));
    await store.write(batch({ collector: { ...first, flushedAtMs: t0 * 1000 + 1, freshAtMs: null, active: false } }));
    expect(await reader.collectors()).toEqual([
      { id: "collector", ...first, flushedAtMs: t0 * 1000 + 1, active: false },
    ]);
  });
}

function sampleContract(opened: () => Opened): void {
  it("finds samples by time, service, peers and error, newest first", async () => {
    const { store, reader } = opened();
    const at = t0 * 1000;
    await store.write(
      batch({
        samples: [
          sample(reviews, at, { requestId: "a", flags: flagBitsOf(["DI"]) }),
          sample(reviews, at + 5, { requestId: "b", code: 503 }),
          sample(ratings, at + 9, { requestId: "c", code: 0 }),
        ],
      }),
    );
    const ids = async (query: object) =>
      (await reader.logs({ fromMs: at, toMs: at + 10, limit: 10, ...query })).map((log) => log.requestId);
    expect(await ids({})).toEqual(["c", "b", "a"]);
    expect(await ids({ limit: 1 })).toEqual(["c"]);
    expect(await ids({ toMs: at + 9 })).toEqual(["b", "a"]);
    expect(await ids({ errorsOnly: true })).toEqual(["c", "b"]);
    expect(await ids({ service: host("reviews") })).toEqual(["b", "a"]);
    expect(await ids({ service: host("nobody") })).toEqual([]);
    expect(await ids({ source: { namespace: "default", app: "reviews", version: "v2" } })).toEqual(["c"]);
    expect(await ids({ destination: { namespace: "default", app: "ratings" } })).toEqual(["c"]);
    expect(await ids({ destination: { namespace: "default", app: "ratings", version: "v9" } })).toEqual([]);
    const [log] = await reader.logs({ fromMs: at, toMs: at + 1, limit: 1 });
    const { timeMs: _, ...rest } = sample(reviews, at, { requestId: "a" });
    expect(log).toMatchObject({ ...rest, atMs: at, flags: ["DI"], edge: reviews });
  });

  it("keeps the newest samples up to the cap, and none past the retention", async () => {
    const { store, reader } = opened();
    const at = t0 * 1000;
    const samples = Array.from({ length: 30 }, (_, i) => sample(reviews, at + i * 1000, { requestId: `${i}` }));
    await store.write(batch({ samples }));
    const retention = { ...defaultRetention, maxSamples: 10, samplesSec: 25 };
    await store.compact({ nowMs: at + 30_000, settledUntilMs: at, retention });
    const ids = (await reader.logs({ fromMs: 0, toMs: at + 99_000, limit: 99 })).map((log) => Number(log.requestId));
    expect(ids).toEqual([29, 28, 27, 26, 25, 24, 23, 22, 21, 20]);
    await store.compact({ nowMs: at + 50_000, settledUntilMs: at, retention });
    expect(await reader.logs({ fromMs: 0, toMs: at + 99_000, limit: 99 })).toHaveLength(5);
  });
}

function spanContract(opened: () => Opened): void {
  const [a, b] = ["a".repeat(32), "b".repeat(32)] as const;

  it("puts spans together to traces, newest first", async () => {
    const { store, reader } = opened();
    const root = span(a, "1".repeat(16), t0 * 1e6, { service: "productpage.default", name: "root", durationUs: 9000 });
    const child = span(a, "2".repeat(16), t0 * 1e6 + 1000, { parentSpanId: root.spanId, error: true });
    const other = span(b, "3".repeat(16), (t0 + 1) * 1e6);
    await store.write(batch({ spans: [child, other] }));
    await store.write(batch({ spans: [root, child] }));
    const range = { fromMs: t0 * 1000, toMs: (t0 + 2) * 1000, limit: 10 };
    const traces = await reader.traces(range);
    expect(traces.map((trace) => trace.traceId)).toEqual([b, a]);
    expect(traces[1]).toEqual({
      traceId: a,
      startMs: t0 * 1000,
      durationMs: 9,
      spans: 2,
      errors: 1,
      services: ["productpage.default", "reviews.default"],
      root: { name: "root", service: "productpage.default" },
    });
    expect((await reader.traces({ ...range, errorsOnly: true })).map((trace) => trace.traceId)).toEqual([a]);
    const ofPage = await reader.traces({ ...range, service: "productpage.default" });
    expect(ofPage.map((trace) => trace.traceId)).toEqual([a]);
    expect(await reader.trace(a)).toEqual([root, child]);
    expect(await reader.trace("c".repeat(32))).toEqual([]);
  });

  it("forgets spans past the retention", async () => {
    const { store, reader } = opened();
    await store.write(batch({ collector: { flushedAtMs: t0 * 1000 }, spans: [span(a, "1".repeat(16), t0 * 1e6)] }));
    await store.write(
      batch({ collector: { flushedAtMs: (t0 + 9) * 1000 }, spans: [span(b, "1".repeat(16), t0 * 1e6)] }),
    );
    const retention = { ...defaultRetention, spansSec: 5 };
    await store.compact({ nowMs: (t0 + 10) * 1000, settledUntilMs: 0, retention });
    expect(await reader.trace(a)).toEqual([]);
    expect(await reader.trace(b)).toHaveLength(1);
  });
}
