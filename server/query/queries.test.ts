import { beforeEach, describe, expect, it } from "vitest";
import { Graph, LatencyHeatmap, ServiceList, ServiceMetrics } from "../contract/index.ts";
import { MemoryTelemetryStore } from "../store/telemetry/memory-store.ts";
import { batch, edge, metric, rollup, sample, series } from "../store/telemetry/testing/records.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { createQueries } from "./queries.ts";
import type { LogRow } from "./reader.ts";
import { facts, service } from "./testing/rows.ts";

const t0 = 1_767_225_600;
const reviews = edge("productpage", "reviews/v1");
let store: MemoryTelemetryStore;
let clock: ManualClock;
beforeEach(async () => {
  store = new MemoryTelemetryStore();
  clock = new ManualClock((t0 + 600) * 1000);
  // Ten requests in each second of ten minutes; the last second is not yet whole.
  const seconds = Array.from({ length: 600 }, (_, i) => t0 + i);
  const rollups = seconds.map((second) =>
    rollup(reviews, second, { latencies: Array(second === t0 + 599 ? 2 : 10).fill(20) }),
  );
  const collector = {
    flushedAtMs: (t0 + 599) * 1000 + 800,
    completeUntilMs: (t0 + 599) * 1000,
    freshAtMs: (t0 + 599) * 1000 + 400,
  };
  await store.write(batch({ rollups, collector, samples: [sample(reviews, (t0 + 598) * 1000)] }));
});

const known = facts(service("reviews", ["v1"]), service("quiet", ["v1"]));
const queries = () => createQueries({ reader: store, clock, facts: async () => known });

describe("graph", () => {
  it("is made once for all who ask together, and prepared before any of them gets it", async () => {
    let read = 0;
    const sums = store.sums.bind(store);
    store.sums = (range) => {
      read++;
      return sums(range);
    };
    const prepared: Graph[] = [];
    const prepare = async (graph: Graph) => {
      await Promise.resolve();
      prepared.push(graph);
    };
    const asked = createQueries({ reader: store, clock, facts: async () => known, prepare });
    await asked.graph({ window: 60 });
    const once = read;
    expect(once).toBeGreaterThan(0);
    clock.freeze(2000);
    const graphs = await Promise.all(Array.from({ length: 20 }, () => asked.graph({ window: 60 })));
    expect(read).toBe(2 * once);
    expect(new Set(graphs).size).toBe(1);
    expect(prepared.at(-1)).toBe(graphs[0]);
    expect(prepared).toHaveLength(2);
    // Who looks at a moment of the past is alone with it.
    await asked.graph({ window: 60, at: (t0 + 30) * 1000 });
    expect(prepared).toHaveLength(2);
  });

  it.each([10, 60, 300, 595])(
    "has the true rate over %i s, undisturbed by the second still filling",
    async (window) => {
      const graph = Graph.parse(await queries().graph({ window }));
      expect(graph.at).toBe((t0 + 599) * 1000);
      expect(graph.windowSec).toBeGreaterThanOrEqual(window);
      expect(graph.windowSec).toBeLessThan(window + 10);
      expect(graph.edges[0]?.signals.requestRate).toBeCloseTo(window > 590 ? (599 * 10) / graph.windowSec : 10, 5);
      expect(graph.freshAt).toBe((t0 + 599) * 1000 + 400);
    },
  );

  it("can end in the past, and never in the future", async () => {
    const past = await queries().graph({ window: 60, at: (t0 + 30) * 1000 + 345 });
    expect(past.at).toBe((t0 + 30) * 1000);
    // Half of the window lies before the first record: it does not water the rate down.
    expect(past.edges[0]?.signals.requestRate).toBe(10);
    expect((await queries().graph({ window: 60, at: (t0 + 9999) * 1000 })).at).toBe((t0 + 599) * 1000);
  });

  it("keeps the last numbers when its collector dies in the middle of its telling, and says since when", async () => {
    await clock.advance(300_000);
    const graph = await queries().graph({ window: 60 });
    expect([graph.silentSince, graph.at]).toEqual([(t0 + 599) * 1000, (t0 + 599) * 1000]);
    expect(graph.edges[0]?.signals.requestRate).toBe(10);
    expect((await queries().graph({ window: 60, at: (t0 + 900) * 1000 })).silentSince).toBeNull();
  });

  it("has a timeline that reaches further back than itself, and does not dip at its end", async () => {
    const { timeline } = await queries().graph({ window: 60 });
    expect(timeline.requestRate.length * timeline.stepSec).toBeGreaterThanOrEqual(900);
    expect(timeline.requestRate.at(-1)).toBe(10);
  });

  it("shows traffic alone when the control plane can't be asked", async () => {
    const failing = createQueries({ reader: store, clock, facts: () => Promise.reject(new Error("unreachable")) });
    expect((await failing.graph({ window: 60 })).nodes.map((node) => node.idle)).toEqual([false, false]);
  });

  it("rejects when the store can't be read", async () => {
    store.rollups = () => Promise.reject(new Error("no such table"));
    await expect(queries().graph({ window: 60 })).rejects.toThrow("no such table");
  });
});

describe("serviceMetrics", () => {
  it.each([
    [60, undefined, 1],
    [300, undefined, 5],
    [600, undefined, 10],
    [60, 7, 7],
    [3600, undefined, 60],
  ])("over %i s with step %s has steps of %i s", async (window, step, expected) => {
    const metrics = ServiceMetrics.parse(
      await queries().serviceMetrics({ namespace: "default", name: "reviews", window, step }),
    );
    expect(metrics.stepSec).toBe(expected);
    expect(metrics.series[0]?.requestRate.at(-1)).toBeCloseTo(10, 5);
    expect(metrics.series[0]?.requestRate).toHaveLength(metrics.windowSec / expected);
    expect(metrics.observedShares).toEqual({ v1: 1 });
  });

  it("of a window long past uses the buckets that are still kept", async () => {
    await clock.advance(5 * 3_600_000);
    const at = (t0 + 590) * 1000;
    const metrics = await queries().serviceMetrics({ namespace: "default", name: "reviews", window: 120, step: 1, at });
    expect(metrics.stepSec).toBe(60);
    expect(metrics.series[0]?.requestRate).toEqual([10, 10]);
  });

  it("of a service that nobody calls is empty", async () => {
    const metrics = await queries().serviceMetrics({ namespace: "default", name: "quiet", window: 60 });
    expect(metrics).toMatchObject({ series: [], totals: {}, observedShares: {}, callers: [] });
  });

  it.each([0, -5, Number.NaN, 1e12])("bears a window and a step of %d", async (window) => {
    await queries().serviceMetrics({ namespace: "default", name: "reviews", window: 60, step: window });
    const metrics = await queries().serviceMetrics({ namespace: "default", name: "reviews", window });
    expect(metrics.windowSec).toBeGreaterThan(0);
    expect(metrics.series[0]?.requestRate.length ?? 0).toBeLessThanOrEqual(1001);
  });
});

describe("latencyHeatmap", () => {
  const sum = async (query: Parameters<ReturnType<typeof queries>["latencyHeatmap"]>[0]) => {
    const map = LatencyHeatmap.parse(await queries().latencyHeatmap(query));
    return { map, count: map.cells.reduce((total, { count }) => total + count, 0) };
  };

  it("counts every request of the window once, of a service or of what enters the mesh", async () => {
    const service = "reviews.default.svc.cluster.local";
    const { map, count } = await sum({ window: 60, service });
    expect(count).toBe(map.steps * map.stepSec * 10);
    expect(map.boundsMs.at(-1)).toBe(22);
    expect((await sum({ window: 60 })).count).toBe(count);
    expect((await sum({ window: 60, source: { namespace: "default", app: "productpage" } })).count).toBe(count);
    expect((await sum({ window: 60, service: "nobody" })).count).toBe(0);
  });

  it("has no steps before there were records", async () => {
    const { map } = await sum({ window: 86_400 });
    expect(map.steps * map.stepSec).toBeLessThanOrEqual(660);
  });
});

it("lists every service of the registry with its health", async () => {
  const list = ServiceList.parse(await queries().serviceList({ window: 60 }));
  expect(list.services.map(({ name, health, signals }) => [name, health, signals.requestRate])).toEqual([
    ["reviews", "healthy", 10],
    ["quiet", "idle", 0],
  ]);
  expect(list.services[0]).toHaveProperty("badges");
});

it("finds recent samples, and bounds how many", async () => {
  expect(await queries().logs({ limit: 1e9 })).toHaveLength(1);
  await clock.advance(1000 * 1000);
  expect(await queries().logs({ limit: 10 })).toHaveLength(0);
  expect(await queries().logs({ limit: 10, fromMs: 0 })).toHaveLength(1);
});

describe("gaps and metrics", () => {
  const at = (t0 + 599) * 1000;
  /** The collector was away from one second to another of the ten minutes. */
  const away = async (from: number, to: number, active = false) => {
    const last = (t0 + from) * 1000;
    await store.write(batch({ collector: { startedAtMs: 0, flushedAtMs: last, completeUntilMs: last, active } }));
    const collector = { startedAtMs: (t0 + to) * 1000, flushedAtMs: at, completeUntilMs: at, active: true };
    await store.write(batch({ collector }));
  };

  it("says in a graph of when nothing was recorded, and nothing of what was brought later", async () => {
    await away(500, 520);
    expect((await queries().graph({ window: 60 })).timeline.gaps).toBeUndefined();
    await away(540, 560, true);
    const lost = await queries().graph({ window: 60 });
    // Who was killed may have lost some of what it had: that is said, and no time is taken from the rates.
    expect(lost.timeline.gaps).toEqual([{ fromMs: (t0 + 540) * 1000, toMs: (t0 + 560) * 1000 }]);
    expect(lost.edges.map(({ signals }) => signals.requestRate)).toEqual([10]);
    store = new MemoryTelemetryStore();
    const seconds = Array.from({ length: 600 }, (_, i) => t0 + i).filter(
      (second) => second < t0 + 555 || second >= t0 + 585,
    );
    await store.write(
      batch({ rollups: seconds.map((second) => rollup(reviews, second, { latencies: Array(10).fill(20) })) }),
    );
    await away(555, 585);
    const graph = Graph.parse(await queries().graph({ window: 60 }));
    expect(graph.timeline.gaps).toEqual([{ fromMs: (t0 + 555) * 1000, toMs: (t0 + 585) * 1000 }]);
    // Half of the minute is recorded, and its rate is that of before.
    expect(graph.edges.map(({ signals }) => signals.requestRate)).toEqual([10]);
    expect((await queries().graph({ window: 60, at: at - 300_000 })).timeline.gaps).toBeUndefined();
  });

  it("says the same beside every figure over time", async () => {
    const gap = { fromMs: (t0 + 560) * 1000, toMs: (t0 + 580) * 1000 };
    store = new MemoryTelemetryStore();
    const seconds = Array.from({ length: 600 }, (_, i) => t0 + i).filter(
      (second) => second < t0 + 560 || second >= t0 + 580,
    );
    const rollups = seconds.map((second) => rollup(reviews, second, { latencies: [20] }));
    await store.write(batch({ rollups, metrics: [metric(series, t0 + 590, 2)] }));
    await away(560, 580);
    const asked = queries();
    const of = { namespace: "default", app: "productpage" };
    const window = 60;
    const told = await Promise.all([
      asked.serviceMetrics({ namespace: "default", name: "reviews", window }),
      asked.outbound({ ...of, window }),
      asked.workloadMetrics({ window, workload: { ...of, version: "v1" }, only: undefined }),
      asked.latencyHeatmap({ window }),
      asked.mutualTlsTrend({ window }),
      asked.metricGroups({ name: series.name, by: [], window }),
      asked.overview().then(({ timeline }) => timeline),
    ]);
    for (const one of told) expect(one?.gaps).toEqual([gap]);
    expect(await asked.serviceMetrics({ namespace: "default", name: "reviews", window: 10 })).not.toHaveProperty(
      "gaps",
    );
  });

  it("shows those who follow what is written from then on", async () => {
    const stop = new AbortController();
    const followed = queries().followLogs({ service: reviews.service }, stop.signal);
    const next = followed.next();
    await clock.advance(0);
    await store.write(batch({ samples: [sample(reviews, clock.now(), { requestId: "new" })] }));
    await clock.advance(1000);
    expect((await next).value?.map((log: LogRow) => log.requestId)).toEqual(["new"]);
    const end = followed.next();
    stop.abort();
    await clock.advance(1000);
    expect((await end).done).toBe(true);
  });

  it("folds metrics into the steps of a chart", async () => {
    const metrics = Array.from({ length: 30 }, (_, i) => metric(series, t0 + i * 10, 2));
    await store.write(batch({ metrics }));
    const [{ id } = { id: 0 }] = await queries().metricSeries({ name: series.name, limit: 9 });
    const values = await queries().metrics({ series: [id], window: 120, step: 60, at: (t0 + 180) * 1000 });
    expect(values).toMatchObject({ fromMs: (t0 + 60) * 1000, stepSec: 60 });
    expect(values.series[0]?.steps).toMatchObject([
      { count: 6, sum: 12 },
      { count: 6, sum: 12 },
    ]);
  });
});

it("says how full a proxy was up to ten seconds ago", async () => {
  const instance = "sidecar~10.0.0.1~reviews-v1.default~default.svc.cluster.local";
  const cpu = { ...series, name: "process.cpu.time", instance, labels: {} };
  // Idle, but for the last twenty seconds, which are no whole minute yet.
  const metrics = [0, 10, 20, 30, 40, 50, 60, 70].map((second) => metric(cpu, t0 + second, second < 60 ? 0 : 6));
  const collector = { ...batch({}).collector, completeUntilMs: (t0 + 85) * 1000, flushedAtMs: (t0 + 86) * 1000 };
  store = new MemoryTelemetryStore();
  clock = new ManualClock((t0 + 87) * 1000);
  await store.write(batch({ metrics, collector }));
  const { proxies } = await queries().saturation({});
  expect(proxies).toMatchObject([{ workload: "reviews-v1", cpu: 0.2, by: "cpu" }]);
});
