import type { GapRow, TimeRange } from "./reader.ts";

/** What of a gap is shorter between two records is no hole: of a quiet mesh nobody called for so long. */
const shortestHoleMs = 10_000;

/**
 * The stretches of a gap in which nothing was recorded. Proxies keep what a collector that is away did not take, and bring it later: what was written
 * all the same is no gap any more.
 * @param starts of the buckets with records, in order, Unix milliseconds
 */
export function holesOf(gap: GapRow, starts: readonly number[], bucketMs: number): GapRow[] {
  const shortest = Math.min(shortestHoleMs, gap.toMs - gap.fromMs);
  const holes: GapRow[] = [];
  let fromMs = gap.fromMs;
  for (const start of [...starts, gap.toMs]) {
    const toMs = Math.min(start, gap.toMs);
    if (toMs - fromMs >= shortest) holes.push({ ...gap, fromMs, toMs });
    fromMs = Math.max(fromMs, start + bucketMs);
  }
  return holes;
}

/** How long the stretches are within the range, all together, in milliseconds; where two of them overlap, once. */
export function coveredMs(stretches: readonly TimeRange[], { fromMs, toMs }: TimeRange): number {
  let covered = 0;
  let known = fromMs;
  for (const one of stretches.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const start = Math.max(known, one.fromMs);
    const end = Math.min(toMs, one.toMs);
    if (end <= start) continue;
    covered += end - start;
    known = end;
  }
  return covered;
}
