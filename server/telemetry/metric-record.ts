import type { LatencySketch } from "../lib/latency-sketch.ts";

/**
 * What every point of one series has in common. `gauge`: a value as it is; `counter`: only grows, and what is stored is by how much;
 * `histogram`: of observations, as how many there were and how they are spread.
 */
export interface MetricSeries {
  name: string;
  kind: "gauge" | "counter" | "histogram";
  /** UCUM, as OTLP has it: `ms`, `By`, `1`. */
  unit: string;
  description: string;
  /** `service.name`, or the proxy's `<app>.<namespace>`. */
  service: string;
  /** Which of its instances: `service.instance.id`, or the proxy's node id. */
  instance: string;
  labels: Readonly<Record<string, string>>;
  /** Name and version of the library that counts, where there is one: two of a program may call what they count alike. */
  scope?: string;
}

/** One point as it came in, from OTLP, Prometheus or Envoy's MetricsService. */
export interface MetricPoint {
  series: MetricSeries;
  /** Unix milliseconds. */
  timeMs: number;
  /** Counters and histograms: since when they count. A later start than the last point's means that the source began anew. 0: unknown. */
  startMs: number;
  /** Counters and histograms: whether they hold all since the start, or what came since the last point. */
  cumulative: boolean;
  /** Of gauges and counters. */
  value: number;
  histogram?: HistogramValue;
}

/** Counts by buckets; `bounds` are their upper ends, and the last count is of what is above all of them. */
export interface HistogramValue {
  count: number;
  sum: number;
  bounds: readonly number[];
  counts: readonly number[];
}

/** The points of one series in one bucket of time. */
export interface MetricSum {
  /** How many points, or how many observations of a histogram. */
  count: number;
  /** Gauges: of the values; counters: the increase; histograms: of the observations. */
  sum: number;
  min: number;
  max: number;
  last: number;
  /** Histograms: how the observations are spread, in thousandths of the unit when that is seconds; undefined otherwise. */
  spread: LatencySketch | undefined;
}

/** The newest point of a series that counts since a start: what the next one grew by is told by it, also after a restart of the collector. */
export interface MetricState {
  /** As made by `seriesId`. */
  seriesId: string;
  /** Unix milliseconds by the source's own clock. */
  timeMs: number;
  /** Since when it counts, by the same clock; 0: unknown. */
  startMs: number;
  value: number;
  histogram: HistogramValue | undefined;
}

export interface MetricEntry extends MetricSum {
  series: MetricSeries;
  /** Of `series`, as made by `seriesId`. */
  seriesId: string;
  /** Start of a bucket of ten seconds, Unix seconds. */
  second: number;
}

/** Equal for equal series, and only for them. */
export const seriesId = ({ name, kind, service, instance, labels, scope = "" }: MetricSeries): string => {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([name, kind, service, instance, sorted, ...(scope === "" ? [] : [scope])]);
};
