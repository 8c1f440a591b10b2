/** A stretch of which nothing is known, Unix milliseconds. */
export interface ChartGap {
  fromMs: number;
  toMs: number;
}

/** Whether a part of the stretch is in a gap. */
export const touchesGap = (gaps: readonly ChartGap[], { fromMs, toMs }: ChartGap): boolean =>
  gaps.some((gap) => gap.fromMs < toMs && gap.toMs > fromMs);

/** How long the gaps are together within the stretch, in milliseconds; where two overlap, once. */
export function gapMs(gaps: readonly ChartGap[], { fromMs, toMs }: ChartGap): number {
  let known = fromMs;
  let sum = 0;
  for (const gap of gaps.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const [from, to] = [Math.max(known, gap.fromMs), Math.min(toMs, gap.toMs)];
    if (to <= from) continue;
    sum += to - from;
    known = to;
  }
  return sum;
}

/** Where the gaps lie within the stretch, as shares of its width; without those that are not in it. */
export const placedGaps = (gaps: readonly ChartGap[], { fromMs, toMs }: ChartGap): { left: number; width: number }[] =>
  gaps.flatMap((gap) => {
    const [from, to] = [Math.max(fromMs, gap.fromMs), Math.min(toMs, gap.toMs)];
    return to > from ? [{ left: (from - fromMs) / (toMs - fromMs), width: (to - from) / (toMs - fromMs) }] : [];
  });
