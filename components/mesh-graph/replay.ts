import type { Graph } from "../../server/contract/index.ts";

/** What the strip shows, in Unix milliseconds. */
export interface Span {
  from: number;
  to: number;
  stepMs: number;
}

/** A place on the strip as a full second to replay; null is live: nearer to the end than one step, but not the step before it. */
export function momentOf(ms: number, { from, to, stepMs }: Span): number | null {
  const second = Math.round(Math.max(from + stepMs, ms) / 1000) * 1000;
  return second > to - stepMs ? null : second;
}

/** Where a replay goes on a second later, which shows `speed` seconds; null: it is over. */
export function nextMoment(moment: number | null, speed: number, { from, to, stepMs }: Span): number | null {
  const next = Math.max(from + stepMs, (moment ?? from) + speed * 1000);
  return next > to - stepMs ? null : next;
}

/** Requests per second where there are records; null before the first, and in stretches of which records may be missing. */
export function knownRates(
  { requestRate, fromMs, stepSec, gaps = [] }: Graph["timeline"],
  first: number,
): (number | null)[] {
  return requestRate.map((rate, step) => {
    const from = fromMs + step * stepSec * 1000;
    const isMissing = rate === 0 && gaps.some((gap) => gap.fromMs < from + stepSec * 1000 && gap.toMs > from);
    return step < first || isMissing ? null : rate;
  });
}
