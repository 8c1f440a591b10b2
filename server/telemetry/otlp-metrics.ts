import type { KeyValue } from "../gen/proto/opentelemetry/proto/common/v1/common_pb.js";
import {
  AggregationTemporality,
  type ExponentialHistogramDataPoint,
  type HistogramDataPoint,
  type Metric,
  type NumberDataPoint,
  type ResourceMetrics,
  type ScopeMetrics,
  type SummaryDataPoint,
} from "../gen/proto/opentelemetry/proto/metrics/v1/metrics_pb.js";
import { clean } from "../wire/peer.ts";
import { plainAttributes, stringAttribute } from "./attributes.ts";
import type { HistogramValue, MetricPoint, MetricSeries } from "./metric-record.ts";

const maxLabels = 32;
const limits = { maxCount: maxLabels, maxChars: 2048 };
/** OTLP's flag for "there was nothing to read". */
const noRecordedValue = 1;

/**
 * Every point of an OTLP export. A sum that may fall is a gauge; a summary becomes a counter of its observations and one of their sum, since its
 * quantiles can't be added up. https://opentelemetry.io/docs/specs/otel/metrics/data-model/
 */
export function metricPoints(resources: readonly ResourceMetrics[]): MetricPoint[] {
  const points: MetricPoint[] = [];
  for (const { resource, scopeMetrics } of resources) {
    const attributes = resource?.attributes ?? [];
    const source = {
      service: clean(stringAttribute(attributes, "service.name") || "unknown"),
      instance: clean(stringAttribute(attributes, "service.instance.id") || stringAttribute(attributes, "host.name")),
    };
    for (const { metrics, scope } of scopeMetrics) {
      const of = { ...source, ...scopeOf(scope) };
      for (const metric of metrics) addMetric(points, metric, of);
    }
  }
  return points;
}

interface Source extends Pick<MetricSeries, "service" | "instance" | "scope"> {
  /** Labels of everything that the scope counts. */
  ofScope: Record<string, string>;
}

/** What it says of itself becomes labels, as in Prometheus. https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#instrumentation-scope-1 */
function scopeOf(scope: ScopeMetrics["scope"]): Pick<Source, "scope" | "ofScope"> {
  const named = clean([scope?.name, scope?.version].filter(Boolean).join(" "));
  const labels = Object.entries(labelsOf(scope?.attributes ?? []));
  return {
    ...(named !== "" && { scope: named }),
    ofScope: Object.fromEntries(labels.map(([key, value]) => [`otel.scope.${key}`, value])),
  };
}

function addMetric(points: MetricPoint[], metric: Metric, { ofScope, ...source }: Source): void {
  const { data } = metric;
  const series = (kind: MetricSeries["kind"], attributes: readonly KeyValue[], suffix = ""): MetricSeries => ({
    name: clean(metric.name + suffix),
    kind,
    unit: clean(metric.unit, 64),
    description: clean(metric.description, 1024),
    ...source,
    labels: { ...ofScope, ...labelsOf(attributes) },
  });
  switch (data.case) {
    case "gauge":
      for (const point of data.value.dataPoints) addNumber(points, point, series("gauge", point.attributes), false);
      break;
    case "sum": {
      const kind = data.value.isMonotonic ? "counter" : "gauge";
      const cumulative = isCumulative(data.value.aggregationTemporality);
      for (const point of data.value.dataPoints) addNumber(points, point, series(kind, point.attributes), cumulative);
      break;
    }
    case "histogram":
    case "exponentialHistogram": {
      const cumulative = isCumulative(data.value.aggregationTemporality);
      for (const point of data.value.dataPoints) {
        const histogram = "explicitBounds" in point ? explicit(point) : exponential(point);
        points.push({
          series: series("histogram", point.attributes),
          ...timesOf(point),
          cumulative,
          value: 0,
          histogram,
        });
      }
      break;
    }
    case "summary":
      for (const point of data.value.dataPoints) {
        const of = (suffix: string) => series("counter", point.attributes, suffix);
        const times = timesOf(point);
        points.push({ series: of("_count"), ...times, cumulative: true, value: Number(point.count) });
        points.push({ series: of("_sum"), ...times, cumulative: true, value: point.sum });
      }
      break;
  }
}

function addNumber(points: MetricPoint[], point: NumberDataPoint, series: MetricSeries, cumulative: boolean): void {
  if (point.flags & noRecordedValue || point.value.case === undefined) return;
  points.push({ series, ...timesOf(point), cumulative, value: Number(point.value.value) });
}

const isCumulative = (temporality: AggregationTemporality): boolean => temporality !== AggregationTemporality.DELTA;

const timesOf = (point: NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint | SummaryDataPoint) => ({
  timeMs: Number(point.timeUnixNano / 1_000_000n),
  startMs: Number(point.startTimeUnixNano / 1_000_000n),
});

const labelsOf = (attributes: readonly KeyValue[]): Record<string, string> =>
  Object.fromEntries(Object.entries(plainAttributes(attributes, limits)).map(([key, value]) => [key, String(value)]));

/** Past so many buckets the rest is one, that has no end. */
function explicit({ count, sum, explicitBounds, bucketCounts }: HistogramDataPoint): HistogramValue {
  const counts = bucketCounts.slice(0, maxBuckets).map(Number);
  const last = counts.length - 1;
  if (last >= 0) counts[last] = bucketCounts.slice(last).reduce((all, each) => all + Number(each), 0);
  return { count: Number(count), sum: sum ?? 0, bounds: explicitBounds.slice(0, maxBuckets - 1), counts };
}

/** With bounds in place of a scale: bucket `i` ends at base^(i+1), base = 2^(2^−scale). */
function exponential({
  count,
  sum,
  scale,
  zeroCount,
  positive,
  negative,
}: ExponentialHistogramDataPoint): HistogramValue {
  const base = 2 ** (2 ** -scale);
  const below = negative?.bucketCounts.reduce((all, each) => all + Number(each), 0) ?? 0;
  const offset = positive?.offset ?? 0;
  const above = (positive?.bucketCounts ?? []).slice(0, maxBuckets);
  return {
    count: Number(count),
    sum: sum ?? 0,
    bounds: [0, base ** offset, ...above.map((_, i) => base ** (offset + i + 1))],
    counts: [below + Number(zeroCount), 0, ...above.map(Number), 0],
  };
}

const maxBuckets = 1024;
