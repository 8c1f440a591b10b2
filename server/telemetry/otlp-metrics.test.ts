import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import {
  AggregationTemporality,
  type MetricSchema,
  ResourceMetricsSchema,
} from "../gen/proto/opentelemetry/proto/metrics/v1/metrics_pb.js";
import { metricPoints } from "./otlp-metrics.ts";

const text = (key: string, value: string) => ({ key, value: { value: { case: "stringValue" as const, value } } });
type Data = Exclude<MessageInitShape<typeof MetricSchema>, { $typeName: string }>["data"];

const points = (data: Data) =>
  metricPoints([
    create(ResourceMetricsSchema, {
      resource: { attributes: [text("service.name", "shop"), text("service.instance.id", "shop-1")] },
      scopeMetrics: [{ metrics: [{ name: "m", unit: "ms", data }] }],
    }),
  ]);
const at = { timeUnixNano: 1_767_225_600_000_000_000n, startTimeUnixNano: 1_767_225_000_000_000_000n };
const times = { timeMs: 1_767_225_600_000, startMs: 1_767_225_000_000 };

it("a monotonic sum is a counter, any other a gauge", () => {
  const dataPoints = [{ ...at, attributes: [text("route", "/")], value: { case: "asInt" as const, value: 7n } }];
  const sum = (isMonotonic: boolean, aggregationTemporality: AggregationTemporality) =>
    points({ case: "sum", value: { dataPoints, isMonotonic, aggregationTemporality } })[0];
  expect(sum(true, AggregationTemporality.CUMULATIVE)).toEqual({
    series: {
      name: "m",
      kind: "counter",
      unit: "ms",
      description: "",
      service: "shop",
      instance: "shop-1",
      labels: { route: "/" },
    },
    ...times,
    cumulative: true,
    value: 7,
  });
  expect(sum(true, AggregationTemporality.DELTA)?.cumulative).toBe(false);
  expect(sum(false, AggregationTemporality.CUMULATIVE)?.series.kind).toBe("gauge");
});

it("has what counts it in a series' identity, and its attributes as labels", () => {
  const dataPoints = [{ ...at, attributes: [text("route", "/")], value: { case: "asInt" as const, value: 7n } }];
  const scope = { name: "lib", version: "1.2", attributes: [text("team", "shop")] };
  const data = { case: "gauge" as const, value: { dataPoints } };
  const resource = create(ResourceMetricsSchema, { scopeMetrics: [{ scope, metrics: [{ name: "m", data }] }] });
  expect(metricPoints([resource])[0]?.series).toMatchObject({
    scope: "lib 1.2",
    labels: { route: "/", "otel.scope.team": "shop" },
  });
});

it("leaves out points without a value", () => {
  const nothing = { ...at, flags: 1, value: { case: "asDouble" as const, value: 0 } };
  expect(points({ case: "gauge", value: { dataPoints: [nothing, { ...at }] } })).toEqual([]);
});

it("reads both kinds of histograms as counts by bounds", () => {
  const explicit = { ...at, count: 6n, sum: 30, explicitBounds: [1, 10], bucketCounts: [1n, 2n, 3n] };
  expect(points({ case: "histogram", value: { dataPoints: [explicit] } })[0]?.histogram).toEqual({
    count: 6,
    sum: 30,
    bounds: [1, 10],
    counts: [1, 2, 3],
  });
  // Base 2: buckets (1, 2], (2, 4], (4, 8].
  const exponential = {
    ...at,
    count: 7n,
    sum: 30,
    scale: 0,
    zeroCount: 1n,
    positive: { offset: 0, bucketCounts: [1n, 2n, 3n] },
  };
  expect(points({ case: "exponentialHistogram", value: { dataPoints: [exponential] } })[0]?.histogram).toEqual({
    count: 7,
    sum: 30,
    bounds: [0, 1, 2, 4, 8],
    counts: [1, 0, 1, 2, 3, 0],
  });
});

it("a summary is two counters", () => {
  const summary = { ...at, count: 4n, sum: 9.5 };
  const read = points({ case: "summary", value: { dataPoints: [summary] } });
  expect(read.map(({ series, value }) => [series.name, series.kind, value])).toEqual([
    ["m_count", "counter", 4],
    ["m_sum", "counter", 9.5],
  ]);
});

it("of a histogram with more buckets than is sensible the rest is one", () => {
  const bucketCounts = Array.from({ length: 50_000 }, () => 2n);
  const explicitBounds = bucketCounts.slice(1).map((_, i) => i);
  const value = { dataPoints: [{ ...at, count: 100_000n, explicitBounds, bucketCounts }] };
  const [point] = points({ case: "histogram", value });
  expect(point?.histogram?.bounds).toHaveLength(1023);
  expect(point?.histogram?.counts).toHaveLength(1024);
  expect(point?.histogram?.counts.reduce((all, count) => all + count)).toBe(100_000);
});
