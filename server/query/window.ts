import { defaultRetention, type Retention, type Step, steps } from "../wire/retention.ts";
import type { CollectorRow, RollupRange, RollupRow, TelemetryReader } from "./reader.ts";

/** A stretch of whole buckets; Unix milliseconds, `toMs` exclusive. */
export interface Window {
  fromMs: number;
  toMs: number;
  /** Bucket length to read and show. */
  stepSec: number;
}

/** For how long each stored step can be read back, in seconds. */
export type KeptSec = Retention["steps"];
export const defaultKeptSec: KeptSec = defaultRetention.steps;

/** How far a request's record trails its end at the most, when the collector flushes as it should. */
const lagMs = 2000;
/** A collector silent for longer than this is gone, or has nothing to say. */
const silentMs = 10_000;
const forgottenMs = 3_600_000;

/**
 * The end of the last second that is known whole: showing the one still filling would bend every curve down at its end. With no
 * collector at work, silence is truth, and time goes on.
 */
export function liveEndMs(nowMs: number, collectors: readonly CollectorRow[]): number {
  const atWork = collectors.filter((row) => row.active && nowMs - row.flushedAtMs < silentMs);
  const end = atWork.length > 0 ? Math.min(...atWork.map((row) => row.completeUntilMs)) : nowMs - lagMs;
  return floorTo(Math.min(end, nowMs), 1);
}

/**
 * The end of what was told by a collector that said it had more to tell, and fell silent: what is missing since is not missing traffic.
 * Null while one is at work, and where the last one had nothing left. Past an hour, nobody waits for it any more.
 */
export function silentSinceMs(nowMs: number, collectors: readonly CollectorRow[]): number | null {
  const last = collectors.toSorted((a, b) => b.flushedAtMs - a.flushedAtMs)[0];
  if (!last?.active || nowMs - last.flushedAtMs < silentMs || nowMs - last.flushedAtMs > forgottenMs) return null;
  return floorTo(Math.min(last.completeUntilMs, nowMs), 1);
}

/** The finest stored step that reaches back far enough and needs no more than `maxBuckets`. */
export function storedStepFor(windowSec: number, ageSec: number, kept: KeptSec, maxBuckets: number): Step {
  const fits = (step: Step) => windowSec / step <= maxBuckets && ageSec <= kept[step];
  return steps.find(fits) ?? 3600;
}

/** The stretch of `windowSec` that ends at `endMs`, made of whole steps: a little longer when they don't divide it. */
export function alignedWindow(endMs: number, windowSec: number, stepSec: number): Window {
  const toMs = floorTo(endMs, stepSec);
  return { fromMs: toMs - Math.ceil(windowSec / stepSec) * stepSec * 1000, toMs, stepSec };
}

/**
 * All rows from a full bucket of `stepSec` on to any second: coarse buckets as far as they go, then finer ones, so that a long window
 * need not end minutes ago.
 */
export async function rowsUntil(reader: TelemetryReader, range: RollupRange): Promise<RollupRow[]> {
  const parts: Promise<RollupRow[]>[] = [];
  let fromMs = range.fromMs;
  for (const stepSec of steps.filter((step) => step <= range.stepSec).toReversed()) {
    const toMs = floorTo(range.toMs, stepSec);
    if (toMs > fromMs) {
      parts.push(reader.rollups({ ...range, fromMs, toMs, stepSec }));
      fromMs = toMs;
    }
  }
  return (await Promise.all(parts)).flat();
}

/** Down to a full step, in milliseconds. */
export const floorTo = (ms: number, stepSec: number): number => Math.floor(ms / (stepSec * 1000)) * stepSec * 1000;

/**
 * When records began, from the start of the oldest bucket of each step. A coarse bucket starts before its first record: what a finer one
 * inside it says is nearer to the truth, unless the finer ones of that time are forgotten.
 */
export function oldestOf(starts: readonly { stepSec: number; atMs: number }[]): number | null {
  const [coarsest, ...finer] = starts.toSorted((a, b) => b.stepSec - a.stepSec);
  if (coarsest === undefined) return null;
  let oldest = coarsest;
  for (const start of finer) {
    // Finer buckets that are not yet compacted may be all there is of the beginning.
    if (start.atMs < oldest.atMs + oldest.stepSec * 1000) oldest = start;
  }
  return oldest.atMs;
}
