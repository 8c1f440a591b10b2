import type { LatencyHeatmap } from "../contract/index.ts";
import { LatencySketch } from "../lib/latency-sketch.ts";
import type { MeshFacts } from "./facts.ts";
import { NodeNames } from "./nodes.ts";
import type { RollupRow } from "./reader.ts";
import type { Recorded } from "./recorded-seconds.ts";
import { isFailure } from "./tally.ts";
import { answeredRows, trafficOf } from "./traffic.ts";
import { toldGaps } from "./unrecorded.ts";
import type { Window } from "./window.ts";

/** Six to a decade (E6), from a millisecond to a quarter of an hour; what takes longer is in the last. */
const bounds = [0, 1, 2, 3, 4, 5].flatMap((decade) => [1, 1.5, 2.2, 3.3, 4.7, 6.8].map((each) => each * 10 ** decade));

export interface LatencyHeatmapInput {
  window: Window;
  dataFromMs: number;
  gaps: Recorded["gaps"];
  rows: readonly RollupRow[];
  facts: MeshFacts;
}

/** Counts by time and duration; each request once, by whoever of its two proxies counts. */
export function buildLatencyHeatmap({ window, dataFromMs, gaps, rows, facts }: LatencyHeatmapInput): LatencyHeatmap {
  const { fromMs, toMs, stepSec } = window;
  const names = new NodeNames(facts);
  const answered = answeredRows(rows, names);
  const traffic = trafficOf(answered, names, false);
  const steps = Math.round((toMs - fromMs) / (stepSec * 1000));
  const sketches = Array.from({ length: steps }, () => ({ all: new LatencySketch(), failed: new LatencySketch() }));
  for (const row of answered) {
    const step = sketches[Math.floor((row.atMs - fromMs) / (stepSec * 1000))];
    // A connection's length is no latency.
    if (step === undefined || row.edge.protocol === "tcp" || !traffic.counts(row)) continue;
    step.all.mergeEncoded(row.latency);
    if (isFailure(row)) step.failed.mergeEncoded(row.latency);
  }
  const cells = sketches.flatMap(({ all, failed }, step) => {
    const [counts, errors] = [inRows(all), inRows(failed)];
    return counts.flatMap((count, row) => (count > 0 ? [{ step, row, count, errors: errors[row] ?? 0 }] : []));
  });
  const first = Math.min(...cells.map(({ row }) => row), bounds.length);
  const last = Math.max(...cells.map(({ row }) => row), -1);
  return {
    fromMs,
    stepSec,
    dataFromMs,
    ...toldGaps(gaps),
    steps,
    boundsMs: bounds.slice(first, last + 1),
    leastMs: bounds[first - 1] ?? 0,
    cells: cells.map((cell) => ({ ...cell, row: cell.row - first })),
  };
}

function inRows(sketch: LatencySketch): number[] {
  if (sketch.count === 0) return [];
  const upTo = sketch.countsUpTo(bounds);
  // Whatever is above the last bound is in the last row.
  upTo[upTo.length - 1] = sketch.count;
  return upTo.map((count, row) => count - (upTo[row - 1] ?? 0));
}
