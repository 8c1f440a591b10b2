import type { GapRow } from "./reader.ts";
import type { Window } from "./window.ts";

/** What is known of how far records of a window reach. */
export interface Recorded {
  /** Since when there can be data, Unix milliseconds. */
  dataFromMs: number;
  /** Stretches of time of which records may be missing. */
  gaps: readonly GapRow[];
}

export const stepCount = ({ fromMs, toMs, stepSec }: Window): number => Math.round((toMs - fromMs) / (stepSec * 1000));

/**
 * How much of a step of the window there can be records of, in seconds: 0 before the first, and where nothing was counted in a gap, since of a
 * time without records nobody knows that nobody called.
 */
export function recordedSeconds(window: Window, { dataFromMs, gaps }: Recorded) {
  const stepMs = window.stepSec * 1000;
  return (step: number, counted: boolean): number => {
    const start = window.fromMs + step * stepMs;
    const end = start + stepMs;
    if (!counted && gaps.some((gap) => gap.fromMs < end && gap.toMs > start)) return 0;
    return Math.max(0, (end - Math.max(start, dataFromMs)) / 1000);
  };
}
