import type { Trend } from "../contract/index.ts";
import { type Recorded, recordedSeconds } from "./recorded-seconds.ts";
import type { Tally } from "./tally.ts";
import type { Window } from "./window.ts";

/** Steps of a small curve. They end with the window; the first may begin before there was anything to record. */
export interface TrendSteps extends Recorded {
  fromMs: number;
  toMs: number;
  stepMs: number;
  count: number;
}

const mostSteps = 30;

/** About thirty steps of whole buckets over what there is data of, so that a young mesh has a curve too. */
export function trendSteps(window: Window, { dataFromMs, gaps }: Recorded): TrendSteps {
  const bucketMs = window.stepSec * 1000;
  const from = Math.max(window.fromMs, Math.floor(dataFromMs / bucketMs) * bucketMs);
  const stepMs = Math.max(1, Math.ceil((window.toMs - from) / bucketMs / mostSteps)) * bucketMs;
  const count = Math.max(1, Math.ceil((window.toMs - from) / stepMs));
  return { fromMs: from, toMs: window.toMs, stepMs, count, dataFromMs, gaps };
}

/** `tallies` by step, holes where nothing was called, and of rates where nothing was recorded. */
export function trendOf(tallies: readonly (Tally | undefined)[], steps: TrendSteps): Trend {
  const { fromMs, toMs, stepMs, count } = steps;
  const secondsOf = (step: number, counted: boolean): number => {
    const start = fromMs + step * stepMs;
    // The last step may be cut.
    const end = Math.min(start + stepMs, toMs);
    return recordedSeconds({ fromMs: start, toMs: end, stepSec: (end - start) / 1000 }, steps)(0, counted);
  };
  const column = <T>(value: (tally: Tally | undefined, step: number) => T): T[] =>
    Array.from({ length: count }, (_, step) => value(tallies[step], step));
  return {
    requestRate: column((tally, step) => {
      const seconds = secondsOf(step, tally !== undefined);
      return seconds === 0 ? null : (tally?.count ?? 0) / Math.max(1, seconds);
    }),
    latencyMsP95: column((tally) => tally?.percentile(0.95) ?? null),
  };
}
