import type { Overview } from "../contract/index.ts";
import type { GapRow, RollupRow } from "./reader.ts";
import { Tally } from "./tally.ts";
import type { Window } from "./window.ts";

export interface OverviewInput {
  /** Of calls that enter the mesh only, in both. */
  recent: { rows: readonly RollupRow[]; seconds: number };
  hour: { window: Window; rows: readonly RollupRow[]; dataFromMs: number };
  gaps: readonly GapRow[];
  at: number;
}

/** The golden signals of the whole mesh, now and over the last hour. */
export function buildOverview({ recent, hour, gaps, at }: OverviewInput): Overview {
  const now = new Tally();
  for (const row of recent.rows) now.add(row);
  const { window, rows, dataFromMs } = hour;
  const stepMs = window.stepSec * 1000;
  const tallies: (Tally | undefined)[] = Array.from({ length: Math.round((window.toMs - window.fromMs) / stepMs) });
  for (const row of rows) {
    const step = Math.floor((row.atMs - window.fromMs) / stepMs);
    if (step < 0 || step >= tallies.length) continue;
    const tally = tallies[step] ?? new Tally();
    tallies[step] = tally;
    tally.add(row);
  }
  const rates = tallies.map((tally, step) => {
    const from = window.fromMs + step * stepMs;
    const seconds = (from + stepMs - Math.max(from, dataFromMs)) / 1000;
    const isMissing = tally === undefined && gaps.some((gap) => gap.fromMs < from + stepMs && gap.toMs > from);
    return seconds <= 0 || isMissing ? null : (tally?.count ?? 0) / seconds;
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
    },
  };
}
