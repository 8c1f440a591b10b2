import type { HistogramValue } from "./metric-record.ts";

/** Bounds of exponential histograms are powers, computed anew with each export's scale. */
const near = 1e-9;

/** Whether a histogram that holds all since its start has begun anew: it has less than it had. */
export function hasFallen(now: HistogramValue, before: HistogramValue): boolean {
  if (now.count < before.count) return true;
  return sameBounds(now, before) && now.counts.some((count, i) => count < (before.counts[i] ?? 0));
}

/**
 * By how much a histogram grew that has not fallen. An exponential one moves its bounds as it meets smaller and larger values, and makes its buckets twice as wide
 * when it has too many: what was counted before is then put into the buckets of now. https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
 */
export function growthOf(now: HistogramValue, before: HistogramValue): HistogramValue {
  const known = sameBounds(now, before) ? before.counts : inBounds(now.bounds, before);
  return {
    count: now.count - before.count,
    sum: now.sum - before.sum,
    bounds: now.bounds,
    counts: now.counts.map((count, i) => Math.max(0, count - (known[i] ?? 0))),
  };
}

const sameBounds = (now: HistogramValue, before: HistogramValue): boolean =>
  now.counts.length === before.counts.length && now.bounds.every((bound, i) => bound === before.bounds[i]);

/** Counts of `of` by other bounds; each bucket goes to the one that its upper end lies in. */
function inBounds(bounds: readonly number[], of: HistogramValue): number[] {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  let at = 0;
  for (const [i, count] of of.counts.entries()) {
    const end = of.bounds[i] ?? Number.POSITIVE_INFINITY;
    while (at < bounds.length && (bounds[at] as number) < end - Math.abs(end) * near) at++;
    counts[at] = (counts[at] ?? 0) + count;
  }
  return counts;
}
