import { type Step, steps } from "../../wire/retention.ts";

/** Buckets of one step that follow each other; Unix seconds, `until` exclusive. */
export interface Stretch {
  step: Step;
  from: number;
  until: number;
}

/**
 * Makes a range up of the fewest buckets: ever coarser ones from its start, ever finer ones to its end, no bucket past `compactedUntil` of its
 * step.
 */
export function coarsestStretches(
  from: number,
  until: number,
  compactedUntil: (step: Step) => number,
): readonly Stretch[] {
  const stretches: Stretch[] = [];
  for (let at = from; at < until; ) {
    const fits = (step: Step) => at % step === 0 && at + step <= Math.min(until, compactedUntil(step));
    const step = steps.findLast(fits) ?? 1;
    const last = stretches.at(-1);
    if (last?.step === step) last.until += step;
    else stretches.push({ step, from: at, until: at + step });
    at += step;
  }
  return stretches;
}
