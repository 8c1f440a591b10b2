import type { Decorator } from "../decorator.ts";
import { isFailure } from "../tally.ts";

/** Requests entering the mesh, per step. */
export const addTimeline: Decorator = (graph, { timeline: { window, rows, seconds }, gaps = [] }) => {
  const stepMs = window.stepSec * 1000;
  const steps = Array.from({ length: Math.round((window.toMs - window.fromMs) / stepMs) }, () => ({
    count: 0,
    errors: 0,
  }));
  for (const row of rows) {
    const step = steps[Math.floor((row.atMs - window.fromMs) / stepMs)];
    if (step === undefined) continue;
    step.count += row.count;
    if (isFailure(row)) step.errors += row.count;
  }
  graph.timeline = {
    fromMs: window.fromMs,
    stepSec: window.stepSec,
    requestRate: steps.map((step) => step.count / window.stepSec),
    errorShare: steps.map((step) => (step.count === 0 ? 0 : step.errors / step.count)),
    recordedFromMs: seconds === undefined ? window.fromMs : Math.max(window.fromMs, window.toMs - seconds * 1000),
    ...(gaps.length > 0 && { gaps: gaps.map(({ fromMs, toMs }) => ({ fromMs, toMs })) }),
  };
};
