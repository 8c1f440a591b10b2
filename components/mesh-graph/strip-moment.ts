import type { Change, Graph } from "../../server/contract/index.ts";
import { knownRates, type Span } from "./replay.ts";

/** What the strip has to say of one place on it. */
export interface StripMoment {
  /** Of the step that is under the pointer, Unix milliseconds. */
  at: number;
  /** Requests per second; null where nothing was recorded. */
  requestRate: number | null;
  errorShare: number;
  /** What was changed near there, oldest first; no more than are read at a glance. */
  changes: Change[];
}

const maxChanges = 3;

/** `nearMs`: how far a mark may be from the pointer to be meant, Unix milliseconds. */
export function stripMoment(
  { timeline }: Pick<Graph, "timeline">,
  span: Span,
  changes: readonly Change[],
  { ms, nearMs }: { ms: number; nearMs: number },
): StripMoment {
  const steps = timeline.requestRate.length;
  const step = Math.min(steps - 1, Math.max(0, Math.floor((ms - timeline.fromMs) / span.stepMs)));
  const first = Math.max(0, Math.floor((timeline.recordedFromMs - timeline.fromMs) / span.stepMs));
  const near = changes.filter(({ at }) => Math.abs(at - ms) <= nearMs).toSorted((a, b) => a.at - b.at);
  return {
    at: timeline.fromMs + Math.max(0, step) * span.stepMs,
    requestRate: knownRates(timeline, first)[step] ?? null,
    errorShare: timeline.errorShare[step] ?? 0,
    changes: near.slice(-maxChanges),
  };
}
