import type { Trend } from "../contract/index.ts";
import type { Tally } from "./tally.ts";
import type { Window } from "./window.ts";

/** Steps of a small curve. They end with the window; the first may begin before there was anything to record. */
export interface TrendSteps {
  fromMs: number;
  toMs: number;
  stepMs: number;
  count: number;
  dataFromMs: number;
}

const mostSteps = 30;

/** About thirty steps of whole buckets over what there is data of, so that a young mesh has a curve too. */
export function trendSteps(window: Window, dataFromMs: number): TrendSteps {
  const bucketMs = window.stepSec * 1000;
  const from = Math.max(window.fromMs, Math.floor(dataFromMs / bucketMs) * bucketMs);
  const stepMs = Math.max(1, Math.ceil((window.toMs - from) / bucketMs / mostSteps)) * bucketMs;
  const count = Math.max(1, Math.ceil((window.toMs - from) / stepMs));
  return { fromMs: from, toMs: window.toMs, stepMs, count, dataFromMs };
}

/** `tallies` by step, holes where nothing was called. */
export function trendOf(tallies: readonly (Tally | undefined)[], steps: TrendSteps): Trend {
  const column = <T>(value: (tally: Tally | undefined, seconds: number) => T): T[] =>
    Array.from({ length: steps.count }, (_, step) => value(tallies[step], secondsOf(step, steps)));
  return {
    requestRate: column((tally, seconds) => (tally?.count ?? 0) / seconds),
    latencyMsP95: column((tally) => tally?.percentile(0.95) ?? null),
  };
}

/** The first and the last step may be cut: their rates are over what is left of them. */
function secondsOf(step: number, { fromMs, toMs, stepMs, dataFromMs }: TrendSteps): number {
  const start = Math.max(fromMs + step * stepMs, dataFromMs);
  const end = Math.min(fromMs + (step + 1) * stepMs, toMs);
  return Math.max(1, (end - start) / 1000);
}
