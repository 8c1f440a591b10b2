import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import {
  MetricsService,
  type StreamMetricsMessage,
  StreamMetricsResponseSchema,
} from "../gen/proto/envoy/service/metrics/v3/metrics_service_pb.js";
import { type Metric, type MetricFamily, MetricType } from "../gen/proto/io/prometheus/client/metrics_pb.js";
import { addService, type ServiceHost } from "../lib/grpc.ts";
import { statName, unitOfStat } from "../wire/envoy-stat-names.ts";
import { clean } from "../wire/peer.ts";
import { saysHowFull } from "./kept-proxy-metrics.ts";
import type { HistogramValue, MetricPoint, MetricSeries } from "./metric-record.ts";

/** Who takes the points; returns how many it could. */
export interface MetricSink {
  metrics(points: readonly MetricPoint[]): number;
}

export interface EnvoyMetricsCounters {
  /** Points of proxies' own metrics that came in. */
  proxyMetrics: number;
}

const maxLabels = 32;

/**
 * What proxies' `envoy.stat_sinks.metrics_service` sends. Counters come as they stand or, with `report_counters_as_deltas`, as what was added: the
 * message does not say which, so `cumulative` is what was agreed on in the proxies' bootstrap.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/metrics/v3/metrics_service.proto
 */
export function addEnvoyMetricsService(
  server: ServiceHost,
  options: {
    sink: MetricSink;
    counters: EnvoyMetricsCounters;
    now(): number;
    cumulative?: boolean;
    /** Which are worth room in the store; default: what says how full a proxy is. */
    keeps?: (point: MetricPoint) => boolean;
  },
): void {
  const { sink, counters, now, cumulative = true, keeps = saysHowFull } = options;
  addService(server, MetricsService, {
    streamMetrics(call, callback) {
      let source: Source | undefined;
      let over = false;
      const finish = (error: { code: status; details: string } | null) => {
        if (over) return;
        over = true;
        callback(error, error ? undefined : create(StreamMetricsResponseSchema));
      };
      call.on("data", (message: StreamMetricsMessage) => {
        source ??= sourceOf(message);
        if (!source) {
          finish({ code: status.INVALID_ARGUMENT, details: "the first message must carry identifier.node.id" });
          return;
        }
        const points = envoyPoints(message.envoyMetrics, source, now(), cumulative);
        counters.proxyMetrics += points.length;
        sink.metrics(points.filter(keeps));
      });
      call.on("end", () => finish(null));
      call.on("error", () => undefined);
    },
  });
}

type Source = Pick<MetricSeries, "service" | "instance">;

function sourceOf({ identifier }: StreamMetricsMessage): Source | undefined {
  const node = identifier?.node;
  return node?.id ? { service: clean(node.cluster || "unknown"), instance: clean(node.id) } : undefined;
}

/** `arrivedMs` counts where a metric has no time of its own. A summary has quantiles, which can't be added up: its count and sum are taken. */
export function envoyPoints(
  families: readonly MetricFamily[],
  source: Source,
  arrivedMs: number,
  cumulative: boolean,
): MetricPoint[] {
  return families.flatMap((family) =>
    family.metric.flatMap((metric) => pointsOf(family, metric, source, arrivedMs, cumulative)),
  );
}

function pointsOf(
  family: MetricFamily,
  metric: Metric,
  source: Source,
  arrivedMs: number,
  cumulative: boolean,
): MetricPoint[] {
  const { name, labels } = namedAsPrometheus(family.name, metric.label);
  const point = (kind: MetricSeries["kind"], value: number, suffix = ""): MetricPoint => ({
    series: {
      name: clean(name + suffix),
      kind,
      unit: unitOfStat(name),
      description: clean(family.help, 1024),
      ...source,
      labels,
    },
    timeMs: Number(metric.timestampMs) || arrivedMs,
    startMs: 0,
    cumulative: kind !== "gauge" && cumulative,
    value,
  });
  const { counter, gauge, untyped, histogram, summary } = metric;
  if (family.type === MetricType.COUNTER && counter) return [point("counter", counter.value)];
  if (family.type === MetricType.GAUGE && gauge) return [point("gauge", gauge.value)];
  if (histogram) return [{ ...point("histogram", 0), histogram: histogramOf(histogram) }];
  if (summary) {
    return [point("counter", Number(summary.sampleCount), "_count"), point("counter", summary.sampleSum, "_sum")];
  }
  return untyped ? [point("gauge", untyped.value)] : [];
}

/**
 * By the names that Envoy's Prometheus page has, so that what is of one kind has one name: as sent, each cluster's is another. With `emit_tags_as_labels` the
 * tags are labels already.
 */
function namedAsPrometheus(name: string, labels: Metric["label"]): Pick<MetricSeries, "name" | "labels"> {
  const told = labels.slice(0, maxLabels).map((label) => [labelName(label.name), label.value] as const);
  const { name: found, labels: tags } = statName(name);
  return {
    name: found,
    labels: Object.fromEntries([...tags, ...told].map(([key, value]) => [clean(key, 256), clean(value, 1024)])),
  };
}

const labelName = (name: string): string => name.replace(/[^A-Za-z0-9_]/g, "_");

/** Prometheus' buckets hold all that is below their bound; here each holds what is above the one before. */
function histogramOf({ sampleCount, sampleSum, bucket }: NonNullable<Metric["histogram"]>): HistogramValue {
  const finite = bucket.filter(({ upperBound }) => Number.isFinite(upperBound));
  const below = finite.map(({ cumulativeCount }) => Number(cumulativeCount));
  const count = Number(sampleCount);
  const counts = [...below, count].map((all, index) => Math.max(0, all - (below[index - 1] ?? 0)));
  return { count, sum: sampleSum, bounds: finite.map(({ upperBound }) => upperBound), counts };
}
