import type { Decorator } from "../decorator.ts";
import { recordedSeconds, stepCount } from "../recorded-seconds.ts";
import { isFailure } from "../tally.ts";
import { toldGaps } from "../unrecorded.ts";

/** Requests entering the mesh, per step. */
export const addTimeline: Decorator = (
  graph,
  { timeline: { window, rows, dataFromMs = window.fromMs }, gaps = [] },
) => {
  const stepMs = window.stepSec * 1000;
  const steps = Array.from({ length: stepCount(window) }, () => ({
    count: 0,
    errors: 0,
  }));
  for (const row of rows) {
    const step = steps[Math.floor((row.atMs - window.fromMs) / stepMs)];
    if (step === undefined) continue;
    step.count += row.count;
    if (isFailure(row)) step.errors += row.count;
  }
  const secondsOf = recordedSeconds(window, { dataFromMs, gaps });
  graph.timeline = {
    fromMs: window.fromMs,
    stepSec: window.stepSec,
    requestRate: steps.map(({ count }, step) => (count === 0 ? 0 : count / secondsOf(step, true))),
    errorShare: steps.map((step) => (step.count === 0 ? 0 : step.errors / step.count)),
    recordedFromMs: dataFromMs,
    ...toldGaps(gaps),
  };
};
