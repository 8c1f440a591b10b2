import type { Stats } from "../stats.ts";
import { addCounts, type HistogramSnapshot, type StatsSnapshot, statsSnapshot } from "../stats-snapshot.ts";
import type { IstioMetrics, SeriesSnapshot } from "./istio-metrics.ts";

/** What a proxy leaves to its successor: counters and histograms, which go on, and no gauges, which are of the moment. As JSON. */
export interface ProxyCounts {
  readonly counters: StatsSnapshot["counters"];
  readonly histograms: StatsSnapshot["histograms"];
  readonly istio: readonly SeriesSnapshot[];
}

export function proxyCounts(stats: Stats, istio: IstioMetrics): ProxyCounts {
  const { counters, histograms } = statsSnapshot(stats);
  // Of one worker each; the successor may have others.
  return { counters: counters.filter(([name]) => !/\.worker_\d+\./.test(name)), histograms, istio: istio.snapshot() };
}

/** What was counted between two looks. Counters may have been set to zero in between. */
export function countsSince(now: ProxyCounts, before: ProxyCounts): ProxyCounts {
  const counters = new Map(before.counters);
  const histograms = new Map(before.histograms);
  const series = new Map(before.istio.map((one) => [one.labels, one]));
  return {
    counters: now.counters
      .map(([name, value]) => [name, Math.max(0, value - (counters.get(name) ?? 0))] as const)
      .filter(([, value]) => value > 0),
    histograms: now.histograms.map(([name, one]) => [name, histogramSince(one, histograms.get(name))] as const),
    istio: now.istio.map(({ labels, requests, histograms: { duration, requestBytes, responseBytes } }) => {
      const old = series.get(labels);
      return {
        labels,
        requests: Math.max(0, requests - (old?.requests ?? 0)),
        histograms: {
          duration: histogramSince(duration, old?.histograms.duration),
          requestBytes: histogramSince(requestBytes, old?.histograms.requestBytes),
          responseBytes: histogramSince(responseBytes, old?.histograms.responseBytes),
        },
      };
    }),
  };
}

/** @param counts from a process that may be of another version: what has another form is left out */
export function carryCounts(counts: unknown, stats: Stats, istio: IstioMetrics): void {
  if (!isCounts(counts)) return;
  addCounts(stats, counts);
  istio.absorb(counts.istio);
}

function isCounts(counts: unknown): counts is ProxyCounts {
  if (counts === null || typeof counts !== "object") return false;
  return ["counters", "histograms", "istio"].every((key) => Array.isArray(Reflect.get(counts, key)));
}

function histogramSince(now: HistogramSnapshot, before: HistogramSnapshot | undefined): HistogramSnapshot {
  if (before === undefined || before.count > now.count) return now;
  return {
    counts: now.counts.map((count, index) => count - (before.counts[index] ?? 0)),
    count: now.count - before.count,
    sum: now.sum - before.sum,
  };
}
