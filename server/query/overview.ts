import type { Overview } from "../contract/index.ts";
import type { RollupRow } from "./reader.ts";
import { type Recorded, recordedSeconds, stepCount } from "./recorded-seconds.ts";
import { Tally } from "./tally.ts";
import { toldGaps } from "./unrecorded.ts";
import type { Window } from "./window.ts";

export interface OverviewInput {
  /** Of calls that enter the mesh only, in both. */
  recent: { rows: readonly RollupRow[]; seconds: number };
  hour: Recorded & { window: Window; rows: readonly RollupRow[] };
  at: number;
}

/** The golden signals of the whole mesh, now and over the last hour. */
export function buildOverview({ recent, hour, at }: OverviewInput): Overview {
  const now = new Tally();
  for (const row of recent.rows) now.add(row);
  const { window, rows, gaps } = hour;
  const stepMs = window.stepSec * 1000;
  const tallies: (Tally | undefined)[] = Array.from({ length: stepCount(window) });
  for (const row of rows) {
    const step = Math.floor((row.atMs - window.fromMs) / stepMs);
    if (step < 0 || step >= tallies.length) continue;
    const tally = tallies[step] ?? new Tally();
    tallies[step] = tally;
    tally.add(row);
  }
  const secondsOf = recordedSeconds(window, hour);
  const rates = tallies.map((tally, step) => {
    const seconds = secondsOf(step, tally !== undefined);
    return seconds === 0 ? null : (tally?.count ?? 0) / seconds;
  });
  return {
    at,
    signals: now.signals(recent.seconds),
    timeline: {
      fromMs: window.fromMs,
      stepSec: window.stepSec,
      requestRate: rates,
      errorShare: tallies.map((tally) => (tally ? tally.errors / tally.count : null)),
      latencyMsP95: tallies.map((tally) => tally?.percentile(0.95) ?? null),
      ...toldGaps(gaps),
    },
  };
}
