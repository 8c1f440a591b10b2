import { expect, it } from "vitest";
import { LatencySketch } from "../lib/latency-sketch.ts";
import { metricCatalog, metricGroups } from "./metric-groups.ts";
import type { MetricRow, MetricSeriesRow, TelemetryReader } from "./reader.ts";
import { readSaturation } from "./saturation.ts";

const steps = { window: { fromMs: 0, toMs: 20_000, stepSec: 10 }, readStep: 10 } as const;
const series = (id: number, name: string, changes: Partial<MetricSeriesRow> = {}): MetricSeriesRow => ({
  id,
  name,
  kind: "gauge",
  unit: "",
  description: "",
  service: "shop",
  instance: `shop-${id}`,
  labels: {},
  ...changes,
});
const row = (of: number, atMs: number, sum: number, changes: Partial<MetricRow> = {}): MetricRow => ({
  atMs,
  series: of,
  count: 1,
  sum,
  min: sum,
  max: sum,
  last: sum,
  spread: null,
  ...changes,
});

function reader(all: MetricSeriesRow[], rows: MetricRow[]): Pick<TelemetryReader, "metricSeries" | "metrics"> {
  return {
    metricSeries: async ({ name, service, instance }) =>
      all.filter(
        (one) =>
          (name === undefined || one.name === name) &&
          (service === undefined || one.service === service) &&
          (instance === undefined || one.instance === instance),
      ),
    metrics: async ({ series: ids }) => rows.filter((each) => ids.includes(each.series)),
  };
}

it("lists each name once, with what it can be grouped by and who tells it", async () => {
  const { metrics } = await metricCatalog(
    reader(
      [
        series(1, "orders", { labels: { shop: "a" }, service: "b", description: "how many" }),
        series(2, "orders", { labels: { zone: "x" } }),
        series(3, "envoy_server_live"),
        series(4, "process.cpu.time"),
      ],
      [],
    ),
  );
  expect(metrics.map(({ name, from }) => [name, from])).toEqual([
    ["envoy_server_live", "proxy"],
    ["orders", "application"],
    ["process.cpu.time", "process"],
  ]);
  expect(metrics[1]).toMatchObject({
    labels: ["shop", "zone"],
    services: ["b", "shop"],
    series: 2,
    description: "how many",
  });
});

it("sums gauges of a group by what each was on average, and leaves out steps without a value", async () => {
  const result = await metricGroups(
    reader(
      [
        series(1, "in_use", { labels: { pool: "a" } }),
        series(2, "in_use", { labels: { pool: "a" } }),
        series(3, "in_use", { labels: { pool: "b" } }),
      ],
      [row(1, 0, 2), row(1, 5000, 4), row(2, 0, 10), row(3, 10_000, 7)],
    ),
    steps,
    { name: "in_use", by: ["pool"] },
  );
  expect(result?.groups.map(({ labels, values }) => [labels.pool, values])).toEqual([
    ["a", [13, null]],
    ["b", [null, 7]],
  ]);
});

it("gives counters a second, and by how much they grew", async () => {
  const sources = reader([series(1, "orders", { kind: "counter", unit: "By" })], [row(1, 0, 30), row(1, 10_000, 5)]);
  const rate = await metricGroups(sources, steps, { name: "orders", by: [] });
  expect(rate).toMatchObject({ fn: "rate", unit: "By", groups: [{ values: [3, 0.5], labels: {} }] });
  const increase = await metricGroups(sources, steps, { name: "orders", by: [], fn: "increase" });
  expect(increase?.groups[0]?.values).toEqual([30, 5]);
  // What makes no sense of a counter is what is shown unasked.
  expect((await metricGroups(sources, steps, { name: "orders", by: [], fn: "p99" }))?.fn).toBe("rate");
});

it("takes quantiles of all series of a group together, in milliseconds where they are times", async () => {
  const spread = (ms: number, count: number) => {
    const sketch = new LatencySketch();
    sketch.add(ms, count);
    return { spread: sketch.encode(), count };
  };
  const result = await metricGroups(
    reader(
      [series(1, "took", { kind: "histogram", unit: "s" }), series(2, "took", { kind: "histogram", unit: "s" })],
      [row(1, 0, 9, spread(10, 90)), row(2, 0, 10, spread(1000, 10))],
    ),
    steps,
    { name: "took", by: [], fn: "p99" },
  );
  expect(result?.unit).toBe("ms");
  expect(result?.groups[0]?.values[0]).toBeGreaterThan(980);
  const rate = await metricGroups(
    reader([series(1, "took", { kind: "histogram", unit: "s" })], [row(1, 0, 9, spread(10, 90))]),
    steps,
    { name: "took", by: [], fn: "rate" },
  );
  expect(rate).toMatchObject({ unit: "1", groups: [{ values: [9, null] }] });
});

it("knows no metric of another name, and only series that have the labels", async () => {
  const sources = reader(
    [series(1, "a", { labels: { x: "1" } }), series(2, "a", { labels: { x: "2" } })],
    [row(1, 0, 1), row(2, 0, 5)],
  );
  expect(await metricGroups(sources, steps, { name: "b", by: [] })).toBeNull();
  expect((await metricGroups(sources, steps, { name: "a", by: [], where: { x: "2" } }))?.groups[0]?.values[0]).toBe(5);
});

it("says what a proxy is fullest of: its processor, or the circuit breaker with the least room", async () => {
  const node = (name: string) => `sidecar~10.0.0.1~${name}.shop~shop.svc.cluster.local`;
  const of = (id: number, name: string, instance: string, changes: Partial<MetricSeriesRow> = {}) =>
    series(id, name, { instance: node(instance), ...changes });
  const ratings = { labels: { envoy_cluster_name: "outbound|80||ratings.shop.svc.cluster.local" } };
  const minute = { window: { fromMs: 0, toMs: 60_000, stepSec: 10 }, readStep: 10 } as const;
  const { proxies } = await readSaturation(
    reader(
      [
        of(1, "process.cpu.time", "a", { kind: "counter" }),
        of(2, "envoy_server_concurrency", "a"),
        of(3, "process.cpu.time", "b", { kind: "counter" }),
        of(4, "envoy_cluster_circuit_breakers_default_remaining_rq", "b", ratings),
        of(5, "envoy_cluster_upstream_rq_active", "b", ratings),
        series(6, "process.cpu.time", { instance: "control-plane" }),
        of(7, "process.cpu.time", "c", { kind: "counter" }),
      ],
      [
        row(1, 0, 60),
        row(2, 0, 2),
        row(3, 0, 6),
        // Ten at the most: in the middle of the minute one was left.
        row(4, 0, 5),
        row(4, 10_000, 1),
        row(4, 20_000, 8),
        row(5, 20_000, 2),
        row(6, 0, 60),
        // It began twenty seconds ago.
        row(7, 40_000, 3),
        row(7, 50_000, 2),
      ],
    ),
    minute,
    60_000,
  );
  expect(proxies.map(({ workload, namespace, share, by }) => [workload, namespace, share, by])).toEqual([
    ["b", "shop", 0.9, "rq"],
    ["a", "shop", 0.5, "cpu"],
    ["c", "shop", 0.25, "cpu"],
  ]);
  expect(proxies[0]).toMatchObject({ cpu: 0.1, cluster: "outbound|80||ratings.shop.svc.cluster.local" });
});
