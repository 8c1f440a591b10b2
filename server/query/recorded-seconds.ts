import type { GapRow } from "./reader.ts";
import { coveredMs } from "./unrecorded.ts";
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
 * How much of a step of the window there can be records of, in seconds: what is left of it without the time before the first record and without
 * gaps. 0 where nothing was counted in a step that a gap touches, since of a time without records nobody knows that nobody called.
 */
export function recordedSeconds(window: Window, { dataFromMs, gaps }: Recorded) {
  const stepMs = window.stepSec * 1000;
  return (step: number, counted: boolean): number => {
    const start = window.fromMs + step * stepMs;
    const end = start + stepMs;
    const fromMs = Math.max(start, dataFromMs);
    if (fromMs >= end) return 0;
    const missing = coveredMs(gaps, { fromMs, toMs: end });
    if (missing === 0) return (end - fromMs) / 1000;
    // What was counted was recorded, however short the rest of the step is.
    return counted ? Math.max(1, (end - fromMs - missing) / 1000) : 0;
  };
}

/** The same of the whole window: what rates over all of it are divided by; a second at the least. */
export function recordedSecondsOf({ fromMs, toMs }: Window, { dataFromMs, gaps }: Recorded): number {
  const start = Math.max(fromMs, dataFromMs);
  return Math.max(1, (toMs - start - coveredMs(gaps, { fromMs: start, toMs })) / 1000);
}
