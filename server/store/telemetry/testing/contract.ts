import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LatencySketch } from "../../../lib/latency-sketch.ts";
import type { MetricRow, RollupRow, RollupSum, TelemetryReader } from "../../../query/reader.ts";
import { type MetricSeries, seriesId } from "../../../telemetry/metric-record.ts";
import type { TelemetryStore } from "../../../telemetry/store.ts";
import { flagBitsOf } from "../../../wire/response-flags.ts";
import { defaultRetention } from "../../../wire/retention.ts";
import { batch, edge, host, log, metric, rollup, sample, series, span } from "./records.ts";

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
    senderContract(() => opened);
    sampleContract(() => opened);
    spanContract(() => opened);
    logContract(() => opened);
    metricContract(() => opened);
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

function senderContract(opened: () => Opened): void {
  it("knows up to which batch each sender is written, as part of what was written", async () => {
    const { store } = opened();
    expect(await store.senders()).toEqual(new Map());
    await store.write(batch({ senders: new Map([["a", 3]]) }));
    const second = batch({
      senders: new Map([
        ["a", 5],
        ["b", 2 ** 40],
      ]),
    });
    await store.write(second);
    await store.write(second);
    expect(await store.senders()).toEqual(
      new Map([
        ["a", 5],
        ["b", 2 ** 40],
      ]),
    );
    await store.compact({ nowMs: 3_600_000, settledUntilMs: 0, retention: defaultRetention });
    expect((await store.senders()).size).toBe(2);
  });
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

  it("takes a range that ends within a second, as clocks have it", async () => {
    const { store, reader } = opened();
    await store.write(batch({ rollups: [t0, t0 + 1, t0 + 2].map((second) => rollup(reviews, second)) }));
    const range = { fromMs: t0 * 1000 + 0.5, toMs: (t0 + 1) * 1000 + 772 };
    expect(total(await reader.sums(range))).toBe(1);
    expect(summary(await reader.rollups({ ...range, stepSec: 1 }))).toEqual([[1, "reviews", 200, "", 1]]);
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

  it("keeps gRPC's statuses apart", async () => {
    const { store, reader } = opened();
    const grpc = { ...reviews, protocol: "grpc" as const };
    const rollups = [-1, 0, 14, 14].map((grpcStatus) => rollup(grpc, t0, { grpcStatus }));
    await store.write(batch({ rollups: rollups.slice(0, 3) }));
    await store.write(batch({ rollups: rollups.slice(3) }));
    const sums = await reader.sums({ fromMs: t0 * 1000, toMs: (t0 + 1) * 1000 });
    expect(sums.map((row) => [row.grpcStatus, row.count]).toSorted()).toEqual([
      [-1, 1],
      [0, 1],
      [14, 2],
    ]);
  });

  it("adds records to seconds that were thought settled, at every step, also for who read them", async () => {
    const { store, reader } = opened();
    const settled = { settledUntilMs: (t0 + 7200) * 1000 };
    const first = Array.from({ length: 720 }, (_, i) => rollup(reviews, t0 + i * 10));
    await store.write(batch({ collector: settled, rollups: first }));
    const pass = { nowMs: (t0 + 7300) * 1000, ...settled, retention: defaultRetention };
    while ((await store.compact(pass)).more);
    const range = { fromMs: t0 * 1000, toMs: (t0 + 7200) * 1000 };
    const steps = [10, 60, 3600] as const;
    for (const stepSec of steps) expect(total(await reader.rollups({ ...range, stepSec }))).toBe(720);
    expect(total(await reader.sums(range))).toBe(720);
    await store.write(batch({ collector: settled, rollups: [rollup(ratings, t0 + 17), rollup(reviews, t0 + 7195)] }));
    while ((await store.compact(pass)).more);
    for (const stepSec of steps) expect(total(await reader.rollups({ ...range, stepSec }))).toBe(722);
    expect(total(await reader.sums(range))).toBe(722);
    const minute = await reader.rollups({ fromMs: t0 * 1000, toMs: (t0 + 60) * 1000, stepSec: 60 });
    expect(total(minute)).toBe(7);
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
    const { timeMs: _, count: __, detailed: ___, ...rest } = sample(reviews, at, { requestId: "a" });
    expect(log).toMatchObject({ ...rest, atMs: at, flags: ["DI"], edge: reviews });
  });

  it("finds by what a request was, told and took", async () => {
    const { store, reader } = opened();
    const at = t0 * 1000;
    const inbound = { ...reviews, reporter: "destination" as const };
    const gateway = { ...reviews, gateway: true };
    const traceId = "ab".repeat(16);
    await store.write(
      batch({
        samples: [
          sample(reviews, at, { requestId: "a", path: "/api/100%/x", method: "POST", proxy: "p1" }),
          sample(inbound, at + 1, {
            requestId: "b",
            code: 404,
            durationMs: 900,
            traceId,
            details: "rbac_denied[50%_x]",
          }),
          sample(gateway, at + 2, { requestId: "c", code: 503, flags: flagBitsOf(["UF", "URX"]) }),
          sample({ ...reviews, protocol: "grpc" }, at + 3, { requestId: "d", grpcStatus: 14 }),
          sample({ ...reviews, protocol: "tcp" }, at + 4, { requestId: "e", code: 0 }),
        ],
      }),
    );
    const ids = async (query: object) =>
      (await reader.logs({ fromMs: at, toMs: at + 10, limit: 10, ...query })).map((log) => log.requestId).join("");
    expect(await ids({ proxy: "p1" })).toBe("a");
    expect(await ids({ direction: "inbound" })).toBe("b");
    expect(await ids({ direction: "gateway" })).toBe("c");
    expect(await ids({ direction: "outbound" })).toBe("eda");
    expect(await ids({ codeFrom: 400, codeTo: 499 })).toBe("b");
    expect(await ids({ codeFrom: 0, codeTo: 0 })).toBe("e");
    expect(await ids({ grpcStatus: 14 })).toBe("d");
    expect(await ids({ flag: "URX" })).toBe("c");
    expect(await ids({ flag: "NOPE" })).toBe("");
    expect(await ids({ path: "100%" })).toBe("a");
    expect(await ids({ path: "_" })).toBe("");
    expect(await ids({ details: "denied[50%_" })).toBe("b");
    expect(await ids({ details: "_denied%" })).toBe("");
    expect(await ids({ method: "POST" })).toBe("a");
    expect(await ids({ minDurationMs: 500 })).toBe("b");
    expect(await ids({ maxDurationMs: 500 })).toBe("edca");
    expect(await ids({ traceId })).toBe("b");
    expect(await ids({ requestId: "c" })).toBe("c");
    // gRPC answers its failures with 200; a TCP connection without a flag is none.
    expect(await ids({ errorsOnly: true })).toBe("dcb");
  });

  it("goes on in a list of samples where it was left", async () => {
    const { store, reader } = opened();
    const at = t0 * 1000;
    const times = [1, 1, 2, 2, 2, 3];
    await store.write(batch({ samples: times.map((ms, i) => sample(reviews, at + ms, { requestId: `${i}` })) }));
    const read: string[] = [];
    for (let before: { atMs: number; id: number } | undefined; ; ) {
      const page = await reader.logs({ fromMs: at, toMs: at + 9, limit: 2, ...(before && { before }) });
      read.push(...page.map((log) => log.requestId));
      before = page.at(-1);
      if (page.length < 2) break;
    }
    expect(read).toHaveLength(6);
    expect(new Set(read).size).toBe(6);
  });

  it("shows those who look on what is new, once", async () => {
    const { store, reader } = opened();
    const write = (id: string, of = reviews) =>
      store.write(batch({ samples: [sample(of, t0 * 1000, { requestId: id })] }));
    await write("before");
    const { rows, lastId } = await reader.newLogs({ afterId: 0, limit: 10 });
    expect(rows).toEqual([]);
    await write("a");
    await write("b", ratings);
    await write("c");
    const first = await reader.newLogs({ afterId: lastId, limit: 2 });
    expect(first.rows.map((log) => log.requestId)).toEqual(["a", "b"]);
    const second = await reader.newLogs({ afterId: first.lastId, limit: 2 });
    expect(second.rows.map((log) => log.requestId)).toEqual(["c"]);
    expect((await reader.newLogs({ afterId: second.lastId, limit: 2 })).rows).toEqual([]);
    const ofRatings = await reader.newLogs({ afterId: lastId, limit: 9, service: host("ratings") });
    expect(ofRatings.rows.map((log) => log.requestId)).toEqual(["b"]);
  });

  it("keeps successes and errors within a cap each, and none past the retention", async () => {
    const { store, reader } = opened();
    const at = t0 * 1000;
    const samples = Array.from({ length: 60 }, (_, i) =>
      sample(reviews, at + i * 1000, { requestId: `${i}`, code: i % 2 ? 200 : 503 }),
    );
    await store.write(batch({ samples }));
    const retention = { ...defaultRetention, maxSamples: 10, maxErrorSamples: 20, samplesSec: 120 };
    const compact = async (nowMs: number) => {
      while ((await store.compact({ nowMs, settledUntilMs: at, retention })).more);
      return reader.logs({ fromMs: 0, toMs: at + 99_000, limit: 99 });
    };
    const kept = await compact(at + 60_000);
    expect(kept.filter((log) => log.code === 200)).toHaveLength(10);
    expect(kept.filter((log) => log.code === 503)).toHaveLength(20);
    for (const log of await compact(at + 160_000)) expect(log.atMs).toBeGreaterThanOrEqual(at + 40_000);
  });

  it("tells of the time between the end of one run of a collector and the next", async () => {
    const { store, reader } = opened();
    const state = { startedAtMs: 1000, flushedAtMs: 9000, completeUntilMs: 8000 };
    await store.write(batch({ collector: state }));
    await store.write(batch({ collector: { ...state, flushedAtMs: 10_000, completeUntilMs: 9000 } }));
    const all = { fromMs: 0, toMs: 1e9 };
    expect(await reader.gaps(all)).toEqual([]);
    const next = { startedAtMs: 12_000, flushedAtMs: 13_000, completeUntilMs: 12_000 };
    await store.write(batch({ collector: { ...next, active: false } }));
    await store.write(batch({ collector: { ...next, startedAtMs: 20_000 } }));
    expect(await reader.gaps(all)).toEqual([
      { fromMs: 9000, toMs: 12_000, collector: "collector", cause: "lost" },
      { fromMs: 13_000, toMs: 20_000, collector: "collector", cause: "stopped" },
    ]);
    expect(await reader.gaps({ fromMs: 12_000, toMs: 13_000 })).toEqual([]);
    const woken = { ...next, startedAtMs: 20_000, flushedAtMs: 60_000, stalledFromMs: 31_000.5 };
    await store.write(batch({ collector: woken }));
    const [gap] = await reader.gaps({ fromMs: 40_000, toMs: 50_000 });
    expect(gap).toMatchObject({ toMs: 60_000, cause: "lost" });
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

  it("finds traces by operation, duration and tags, those of the resource too", async () => {
    const { store, reader } = opened();
    const [c, d] = ["c".repeat(32), "d".repeat(32)] as const;
    await store.write(
      batch({
        spans: [
          span(a, "1".repeat(16), t0 * 1e6, { name: "GET /", attributes: { "http.status_code": 200, user: "ann" } }),
          span(a, "2".repeat(16), t0 * 1e6 + 10, { service: "db", name: "SELECT", attributes: { rows: 3 } }),
          span(b, "3".repeat(16), t0 * 1e6 + 20, { name: "POST /", durationUs: 90_000, attributes: { user: "bob" } }),
          span(c, "4".repeat(16), t0 * 1e6 + 30, { name: "SELECT", resource: { "host.name": "n1" } }),
        ],
      }),
    );
    // The rest of a trace comes later, with what is searched for.
    await store.write(
      batch({
        spans: [span(c, "5".repeat(16), t0 * 1e6 + 40, { service: "db", name: "GET", attributes: { user: "cy" } })],
      }),
    );
    const found = async (query: object) =>
      (await reader.traces({ fromMs: t0 * 1000, toMs: (t0 + 1) * 1000, limit: 10, ...query }))
        .map((trace) => trace.traceId[0])
        .join("");
    expect(await found({})).toBe("cba");
    expect(await found({ limit: 2 })).toBe("cb");
    expect(await found({ operation: "SELECT" })).toBe("ca");
    expect(await found({ service: "db", operation: "SELECT" })).toBe("a");
    expect(await found({ service: "db", operation: "GET" })).toBe("c");
    expect(await found({ operation: "SEL" })).toBe("");
    expect(await found({ minDurationMs: 50 })).toBe("b");
    expect(await found({ maxDurationMs: 50 })).toBe("ca");
    expect(await found({ tags: { user: "ann" } })).toBe("a");
    expect(await found({ tags: { "http.status_code": "200" } })).toBe("ca");
    expect(await found({ tags: { "host.name": "n1" } })).toBe("c");
    expect(await found({ tags: { user: "cy" } })).toBe("c");
    expect(await found({ tags: { user: "ann", rows: "3" } })).toBe(""); // of one span, not of two
    expect(await found({ service: "db", tags: { rows: "3" } })).toBe("a");
    expect((await reader.trace(d)).length).toBe(0);
    expect(await reader.operations()).toEqual([
      { service: "db", operations: ["GET", "SELECT"] },
      { service: "reviews.default", operations: ["GET /", "POST /", "SELECT"] },
    ]);
  });

  it("gives back all that a span said", async () => {
    const { store, reader } = opened();
    const full = span(a, "1".repeat(16), t0 * 1e6, {
      attributes: { list: ["x", 1, true], "http.status_code": 200 },
      resource: { "service.name": "reviews", "host.name": "n1" },
      traceState: "k=v",
      statusMessage: "it broke",
      scope: { name: "http", version: "1.2", attributes: { team: "shop" } },
      events: [{ atUs: t0 * 1e6 + 5, name: "exception", attributes: { "exception.message": "no" } }],
      links: [{ traceId: b, spanId: "9".repeat(16), attributes: {} }],
    });
    await store.write(batch({ spans: [full] }));
    expect(await reader.trace(a)).toEqual([full]);
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

function logContract(opened: () => Opened): void {
  it("finds applications' logs by time, service, severity, text and trace, newest first", async () => {
    const { store, reader } = opened();
    const traceId = "a".repeat(32);
    const resource = { "service.name": "reviews" };
    const logs = [
      log(t0 * 1e6, { body: "began", severity: 9, resource }),
      log(t0 * 1e6 + 1, { body: "100% broken", severity: 17, traceId, spanId: "1".repeat(16), resource }),
      log(t0 * 1e6 + 2, { body: "other", service: "ratings", attributes: { user: "ann" } }),
    ];
    await store.write(batch({ logs }));
    const bodies = async (query: object) =>
      (await reader.applicationLogs({ fromMs: t0 * 1000, toMs: t0 * 1000 + 1, limit: 10, ...query })).map(
        (l) => l.body,
      );
    expect(await bodies({})).toEqual(["other", "100% broken", "began"]);
    expect(await bodies({ limit: 1 })).toEqual(["other"]);
    expect(await bodies({ service: "reviews" })).toEqual(["100% broken", "began"]);
    expect(await bodies({ minSeverity: 17 })).toEqual(["100% broken"]);
    expect(await bodies({ text: "0% b" })).toEqual(["100% broken"]);
    expect(await bodies({ text: "%" })).toEqual(["100% broken"]);
    expect(await bodies({ traceId })).toEqual(["100% broken"]);
    const [first] = await reader.applicationLogs({ fromMs: 0, toMs: t0 * 2000, limit: 1, traceId });
    expect(first).toEqual({ ...logs[1], id: first?.id });
    const retention = { ...defaultRetention, maxLogs: 2 };
    await store.compact({ nowMs: t0 * 1000, settledUntilMs: 0, retention });
    expect(await bodies({})).toEqual(["other", "100% broken"]);
  });

  it("pages through applications' logs, also through those of one microsecond", async () => {
    const { store, reader } = opened();
    await store.write(batch({ logs: ["a", "b", "c", "d"].map((body) => log(t0 * 1e6, { body })) }));
    await store.write(batch({ logs: [log(t0 * 1e6 - 1, { body: "before" })] }));
    const bodies: string[] = [];
    for (let before: { atUs: number; id: number } | undefined; ; ) {
      const query = { fromMs: 0, toMs: t0 * 2000, limit: 2, ...(before && { before }) };
      const page = await reader.applicationLogs(query);
      bodies.push(...page.map(({ body }) => body));
      before = page.at(-1);
      if (page.length < 2) break;
    }
    expect(bodies).toEqual(["d", "c", "b", "a", "before"]);
  });

  it("tells of applications' lines that were written since one asked last, whenever they are from", async () => {
    const { store, reader } = opened();
    const write = (body: string, changes = {}) =>
      store.write(batch({ logs: [log(t0 * 1e6 - bodies.push(body), { body, ...changes })] }));
    const bodies: string[] = [];
    await write("before");
    const { rows, lastId } = await reader.newApplicationLogs({ afterId: 0, limit: 10 });
    expect(rows).toEqual([]);
    await write("a");
    await write("b", { service: "ratings", severity: 17 });
    await write("c");
    const first = await reader.newApplicationLogs({ afterId: lastId, limit: 2 });
    expect(first.rows.map(({ body }) => body)).toEqual(["a", "b"]);
    const second = await reader.newApplicationLogs({ afterId: first.lastId, limit: 2 });
    expect(second.rows.map(({ body }) => body)).toEqual(["c"]);
    expect((await reader.newApplicationLogs({ afterId: second.lastId, limit: 2 })).rows).toEqual([]);
    const errors = await reader.newApplicationLogs({ afterId: lastId, limit: 9, minSeverity: 17 });
    expect(errors.rows.map(({ body }) => body)).toEqual(["b"]);
  });
}

function metricContract(opened: () => Opened): void {
  const all = { fromMs: t0 * 1000, toMs: (t0 + 7200) * 1000 };
  const gauge: MetricSeries = { ...series, name: "pool.size", kind: "gauge" };
  const sumUp = (rows: MetricRow[]) => ({
    count: rows.reduce((sum, row) => sum + row.count, 0),
    sum: rows.reduce((sum, row) => sum + row.sum, 0),
    min: Math.min(...rows.map((row) => row.min)),
    max: Math.max(...rows.map((row) => row.max)),
    last: rows.at(-1)?.last,
  });

  it("gives back series and their sums, before and after compaction", async () => {
    const { store, reader } = opened();
    for (let i = 0; i < 720; i++) {
      const metrics = [metric(series, t0 + i * 10, 2), metric(gauge, t0 + i * 10, i % 7)];
      await store.write(batch({ metrics }));
    }
    const found = await reader.metricSeries({ service: "shop", limit: 10 });
    expect(found.map(({ name, kind, labels }) => [name, kind, labels])).toEqual([
      ["http.requests", "counter", { route: "/" }],
      ["pool.size", "gauge", { route: "/" }],
    ]);
    expect(await reader.metricSeries({ name: "pool.size", limit: 10 })).toHaveLength(1);
    expect(await reader.metricSeries({ name: "nothing", limit: 10 })).toEqual([]);
    const ids = found.map((each) => each.id);
    const pass = { nowMs: (t0 + 7300) * 1000, settledUntilMs: (t0 + 7200) * 1000, retention: defaultRetention };
    for (let round = 0; round < 2; round++) {
      for (const stepSec of [10, 60, 3600] as const) {
        const rows = await reader.metrics({ ...all, series: ids, stepSec });
        const of = (index: number) => rows.filter((row) => row.series === ids[index]);
        expect(sumUp(of(0))).toEqual({ count: 720, sum: 1440, min: 2, max: 2, last: 2 });
        expect(sumUp(of(1))).toMatchObject({ count: 720, min: 0, max: 6, last: 719 % 7 });
      }
      while ((await store.compact(pass)).more);
    }
    const hours = await reader.metrics({ ...all, series: ids.slice(0, 1), stepSec: 3600 });
    expect(hours.map((row) => [row.atMs / 1000 - t0, row.count])).toEqual([
      [0, 360],
      [3600, 360],
    ]);
  });

  it("knows where the series stood that count since a start, and when a collector wrote last", async () => {
    const { store } = opened();
    expect(await store.lastWriteMs("collector")).toBeUndefined();
    const histogram = { count: 4, sum: 9.5, bounds: [1, Number.POSITIVE_INFINITY], counts: [3, 1, 0] };
    const state = { seriesId: seriesId(series), timeMs: 2000, startMs: 1000, value: 7.5, histogram: undefined };
    const spread = { ...state, seriesId: "spread", value: 0, histogram };
    const collector = { flushedAtMs: t0 * 1000 };
    await store.write(batch({ collector, metricStates: [state, spread] }));
    await store.write(batch({ collector, metricStates: [{ ...state, timeMs: 3000, value: 8 }] }));
    const many = Array.from({ length: 1200 }, (_, i) => `nobody ${i}`);
    const found = await store.metricStates([...many, state.seriesId, "spread"]);
    expect([...found.values()].toSorted((a, b) => a.value - b.value)).toEqual([
      spread,
      { ...state, timeMs: 3000, value: 8 },
    ]);
    expect(await store.metricStates([])).toEqual(new Map());
    expect(await store.lastWriteMs("collector")).toBe(t0 * 1000);
    expect(await store.lastWriteMs("nobody")).toBeUndefined();
    const pass = { nowMs: (t0 + 8 * 86_400) * 1000, settledUntilMs: t0 * 1000, retention: defaultRetention };
    while ((await store.compact(pass)).more);
    expect(await store.metricStates([state.seriesId])).toEqual(new Map());
  });

  it("keeps how observations are spread", async () => {
    const { store, reader } = opened();
    const spread = new LatencySketch();
    for (const value of [10, 20, 30]) spread.add(value);
    const histogram: MetricSeries = { ...series, name: "latency", kind: "histogram" };
    await store.write(batch({ metrics: [{ ...metric(histogram, t0, 60), count: 3, spread }] }));
    const [{ id } = { id: 0 }] = await reader.metricSeries({ name: "latency", limit: 1 });
    const [row] = await reader.metrics({ ...all, series: [id], stepSec: 10 });
    expect(row).toMatchObject({ count: 3, sum: 60 });
    expect(LatencySketch.decode(row?.spread ?? new Uint8Array()).quantile(0.5)).toBeCloseTo(20, 0);
  });
}
