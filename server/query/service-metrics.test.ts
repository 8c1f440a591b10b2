import { expect, it } from "vitest";
import { ServiceMetrics } from "../contract/index.ts";
import { buildServiceMetrics } from "./service-metrics.ts";
import { edge, facts, row, service } from "./testing/rows.ts";

const window = { fromMs: 0, toMs: 30_000, stepSec: 10 };
const toV1 = edge("page", "reviews/v1");
const toV2 = edge("page", "reviews/v2");
const rows = [
  row(toV1, { atMs: 0, count: 60, latencyMs: 10 }),
  row(toV1, { atMs: 20_000, count: 20, latencyMs: 40 }),
  row(toV2, { atMs: 0, count: 20, latencyMs: 100 }),
  row(toV2, { atMs: 0, count: 20, code: 500, latencyMs: 1 }),
  row(edge("page", "reviews/v1", { reporter: "destination" }), { atMs: 0, count: 80 }),
  row(edge("", "reviews/v1", { reporter: "destination" }), { atMs: 0, count: 10 }),
];
const metrics = () =>
  buildServiceMetrics({ window, rows, recent: rows.slice(1, 3), facts: facts(service("reviews", ["v1", "v2"])) });

it("has columns of equal length for the service and each version, null where nothing was", () => {
  const { series } = ServiceMetrics.parse(metrics());
  expect(series.map((each) => each.version)).toEqual(["all", "v1", "v2"]);
  const [all, v1, v2] = series;
  expect(all?.requestRate).toEqual([11, 0, 2]);
  expect(v1?.requestRate).toEqual([7, 0, 2]);
  expect(v2?.requestRate).toEqual([4, 0, 0]);
  expect(v2?.errorShare).toEqual([0.5, null, null]);
  expect(v1?.latencyMsP50.map((value) => value && Math.round(value))).toEqual([10, null, 40]);
  expect(v2?.latencyMsP99[0]).toBeGreaterThan(98);
});

it("sums the window, once per request", () => {
  const { totals, at, windowSec, stepSec, fromMs } = metrics();
  expect({ at, windowSec, stepSec, fromMs }).toEqual({ at: 30_000, windowSec: 30, stepSec: 10, fromMs: 0 });
  expect(totals.all).toMatchObject({ requestRate: 130 / 30, errorShare: 20 / 130 });
  expect(totals.v2).toMatchObject({ requestRate: 40 / 30, errorShare: 0.5 });
});

it("says which share each version has right now", () => {
  expect(metrics().observedShares).toEqual({ v1: 0.5, v2: 0.5 });
  expect(buildServiceMetrics({ window, rows, recent: [], facts: facts() }).observedShares).toEqual({});
});

it("leaves out what was mirrored: only the destination tells of it, and nobody waits for its answer", () => {
  const mirrored = row(edge("page", "reviews/v3", { reporter: "destination" }), { count: 60 });
  const { totals, observedShares } = buildServiceMetrics({
    window,
    rows: [...rows, mirrored],
    recent: [...rows.slice(1, 3), mirrored],
    facts: facts(),
  });
  expect(Object.keys(totals)).toEqual(["all", "v1", "v2"]);
  expect(totals.all?.requestRate).toBe(130 / 30);
  expect(observedShares).toEqual({ v1: 0.5, v2: 0.5 });
});

it("names the callers, the biggest first", () => {
  expect(metrics().callers.map((caller) => [caller.app, caller.version, caller.signals.requestRate])).toEqual([
    ["page", "v1", 120 / 30],
    ["unknown", null, 10 / 30],
  ]);
});

it("draws nothing before the first record, and takes rates over what follows", () => {
  const late = [row(toV1, { atMs: 20_000, count: 20 })];
  const young = buildServiceMetrics({ window, rows: late, recent: [], facts: facts(), dataFromMs: 18_000 });
  expect(young.dataFromMs).toBe(18_000);
  expect(young.totals.all?.requestRate).toBe(20 / 12);
  expect(young.series[0]?.requestRate).toEqual([null, 0, 2]);
});

it("orders versions as people count, whoever had a request first", () => {
  const mixed = ["v10", "v2", "v1"].map((version) => row(edge("page", `reviews/${version}`)));
  const { series } = buildServiceMetrics({ window, rows: mixed, recent: [], facts: facts() });
  expect(series.map(({ version }) => version)).toEqual(["all", "v1", "v2", "v10"]);
});

it("tells what each workload got", () => {
  expect(
    metrics().workloads.map(({ workload, signals }) => [workload, signals.requestRate, signals.errorShare]),
  ).toEqual([
    ["reviews-v1", 90 / 30, 0],
    ["reviews-v2", 40 / 30, 0.5],
  ]);
});

it("says nothing of a time without records, and nought where nobody called", () => {
  const gaps = [{ fromMs: 11_000, toMs: 14_000, collector: "a", cause: "stopped" as const }];
  const { series } = buildServiceMetrics({ window, rows, recent: [], facts: facts(), gaps });
  const [all] = series;
  expect(all?.requestRate).toEqual([11, null, 2]);
});

it("has the rates of the time that was recorded, where the mesh was down for a part of it", () => {
  const gaps = [{ fromMs: 5000, toMs: 15_000, collector: "a", cause: "stopped" as const }];
  const { series, totals } = buildServiceMetrics({ window, rows, recent: [], facts: facts(), gaps });
  expect(series[0]?.requestRate).toEqual([22, null, 2]);
  expect(totals.all?.requestRate).toBe(130 / 20);
});

const connection = edge("page", "reviews/v1", { protocol: "tcp" });

it("tells what goes over connections, whole, by step and by caller", () => {
  const rows = [
    row(connection, { atMs: 0, count: 3, requestBytes: 600, responseBytes: 3000 }),
    row(connection, { atMs: 20_000, count: 1, requestBytes: 300, flags: ["UF"] }),
    // The other side's word on the same connections is a second count.
    row(edge("page", "reviews/v1", { protocol: "tcp", reporter: "destination" }), { count: 3, requestBytes: 600 }),
  ];
  const { connections, callers, totals } = ServiceMetrics.parse(
    buildServiceMetrics({ window, rows, recent: [], facts: facts() }),
  );
  expect(connections).toEqual({
    only: true,
    bytesPerSecond: { sent: 30, received: 100 },
    sent: [60, 0, 30],
    received: [300, 0, 0],
  });
  expect(callers.map(({ app, bytesPerSecond }) => [app, bytesPerSecond])).toEqual([
    ["page", { sent: 30, received: 100 }],
  ]);
  expect(totals.all).toMatchObject({ errorShare: 0.25, latencyMsP95: null });
});

it("says where requests are among connections, and nothing of connections where there was none", () => {
  const mixed = [...rows, row(connection, { count: 3, requestBytes: 300 })];
  expect(buildServiceMetrics({ window, rows: mixed, recent: [], facts: facts() }).connections).toMatchObject({
    only: false,
    bytesPerSecond: { sent: 10, received: 0 },
  });
  expect(metrics()).not.toHaveProperty("connections");
});
