import type { Change, LoadLatency, LoadOutcome, LoadReport } from "../../server/contract/index.ts";

/** Of those that are over, 0 to 1: what is under way has not failed. */
export function failedShare({ ok, answered, failures }: LoadOutcome): number | null {
  const over = answered + unansweredOf({ failures });
  return over === 0 ? null : (over - ok) / over;
}

/** That are in no percentile: they had no answer whose time could be told. */
export const unansweredOf = ({ failures }: Pick<LoadOutcome, "failures">): number =>
  Object.values(failures).reduce((sum, count) => sum + count, 0);

export const quantiles = ["p50", "p75", "p90", "p95", "p99", "p999", "max"] as const satisfies (keyof LoadLatency)[];

/** How much more than then, as a share; null where one of them is missing. */
export const changeOf = (now: number | null, then: number | null): number | null =>
  now === null || then === null || then === 0 ? null : now / then - 1;

/** A generator that is later than this has a part in the figures. */
export const lateMs = 5;

/** What became of requests, the most frequent first. */
export const outcomesOf = ({ statuses, failures }: LoadOutcome): { what: string; count: number; failed: boolean }[] =>
  [
    ...Object.entries(statuses).map(([what, count]) => ({ what, count, failed: Number(what) >= 400 })),
    ...Object.entries(failures).map(([what, count]) => ({ what, count, failed: true })),
  ].toSorted((a, b) => b.count - a.count);

/** Of the mesh while it ran. */
export const changesDuring = (changes: readonly Change[], { startedAt, endedAt }: LoadReport): Change[] =>
  changes.filter(({ at }) => at > startedAt && at <= endedAt);

/** Requests and failures a second, and latency. */
export function seriesOf({ seconds }: LoadOutcome) {
  return {
    answered: seconds.map(({ ok }) => ok),
    failed: seconds.map(({ failed }) => failed),
    p50: seconds.map(({ p50 }) => p50),
    p99: seconds.map(({ p99 }) => p99),
  };
}
