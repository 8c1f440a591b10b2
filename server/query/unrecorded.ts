import type { Gap as ToldGap } from "../contract/index.ts";
import type { GapRow, TimeRange } from "./reader.ts";

/** A stretch of which nothing was recorded; `partly`: something was, and something may be missing. */
export interface Gap extends GapRow {
  partly?: boolean;
}

/** What of a gap is shorter between two records is no hole: of a quiet mesh nobody called for so long. */
const shortestHoleMs = 10_000;

/**
 * The stretches of a gap in which nothing was recorded. Proxies keep what a collector that is away did not take, and bring it later: what was written
 * all the same is no gap any more.
 * @param starts of the buckets with records, in order, Unix milliseconds
 */
export function holesOf(gap: GapRow, starts: readonly number[], bucketMs: number): Gap[] {
  const shortest = Math.min(shortestHoleMs, gap.toMs - gap.fromMs);
  // Not every proxy keeps what it could not write, and there may be other collectors: of what was lost nobody knows that all came later.
  const holes: Gap[] = gap.cause === "lost" && starts.length > 0 ? [{ ...gap, partly: true }] : [];
  let fromMs = gap.fromMs;
  for (const start of [...starts, gap.toMs]) {
    const toMs = Math.min(start, gap.toMs);
    if (toMs - fromMs >= shortest) holes.push({ ...gap, fromMs, toMs });
    fromMs = Math.max(fromMs, start + bucketMs);
  }
  return holes;
}

/** As part of what pages are told. */
export const toldGaps = (gaps: readonly Gap[]): { gaps?: ToldGap[] } =>
  gaps.length === 0 ? {} : { gaps: gaps.map(({ fromMs, toMs }) => ({ fromMs, toMs })) };

/** How long nothing was recorded within the range, in milliseconds; where two gaps overlap, once. */
export function unrecordedMs(gaps: readonly Gap[], { fromMs, toMs }: TimeRange): number {
  let covered = 0;
  let known = fromMs;
  for (const one of gaps.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (one.partly) continue;
    const start = Math.max(known, one.fromMs);
    const end = Math.min(toMs, one.toMs);
    if (end <= start) continue;
    covered += end - start;
    known = end;
  }
  return covered;
}
