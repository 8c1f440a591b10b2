import type { Histogram, Stats } from "./stats.ts";

/** Counts as they travel between processes. */
export interface StatsSnapshot {
  readonly counters: readonly (readonly [string, number])[];
  readonly gauges: readonly (readonly [string, number])[];
  readonly histograms: readonly (readonly [string, HistogramSnapshot])[];
}

export interface HistogramSnapshot {
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

export const histogramSnapshot = ({ counts, count, sum }: Histogram): HistogramSnapshot => ({
  counts: [...counts],
  count,
  sum,
});

export const statsSnapshot = ({ counters, gauges, histograms }: Stats): StatsSnapshot => ({
  counters: [...counters].map(([name, { value }]) => [name, value]),
  gauges: [...gauges].map(([name, { value }]) => [name, value]),
  histograms: [...histograms].map(([name, histogram]) => [name, histogramSnapshot(histogram)]),
});

/** What every process of a proxy sees for itself, and which is no more for being seen by several. */
const seenAlike =
  /^server\.(?!memory_)|^cluster_manager\.|^listener_manager\.|^control_plane\.|\.membership_|_open$|\.num_hosts$|\.health_check\.(?:healthy|degraded)$/;

/** Adds what another process has counted. */
export function addCounts(to: Stats, { counters, histograms }: Pick<StatsSnapshot, "counters" | "histograms">): void {
  for (const [name, value] of counters) {
    const counter = to.counter(name);
    counter.value = seenAlike.test(name) ? Math.max(counter.value, value) : counter.value + value;
  }
  for (const [name, snapshot] of histograms) addHistogram(to.histogram(name), snapshot);
}

export function addGauges(to: Stats, { gauges }: Pick<StatsSnapshot, "gauges">): void {
  for (const [name, value] of gauges) {
    const gauge = to.gauge(name);
    gauge.value = seenAlike.test(name) ? Math.max(gauge.value, value) : gauge.value + value;
  }
}

export function addHistogram(to: Histogram, { counts, count, sum }: HistogramSnapshot): void {
  // Of a version with other bounds nothing can be told.
  if (counts.length !== to.counts.length) return;
  counts.forEach((value, index) => {
    to.counts[index] = (to.counts[index] ?? 0) + value;
  });
  to.count += count;
  to.sum += sum;
}
