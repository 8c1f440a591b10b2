import type { Graph } from "../contract/index.ts";
import type { MeshFacts } from "./facts.ts";
import type { GapRow, RollupRow, RollupSum } from "./reader.ts";
import type { Window } from "./window.ts";

/** Adds one thing to a graph that is otherwise left alone; each is named for what it adds. */
export type Decorator = (graph: Graph, input: GraphInput) => void;

export interface GraphInput {
  /** How much of the window there can be data of; default: all of it. */
  seconds?: number;
  window: Window;
  rows: readonly RollupSum[];
  /** The end of the window alone, for what health goes by besides; left out: the window is as short. */
  recent?: { rows: readonly RollupSum[]; seconds: number };
  /** For the strip below the graph, which reaches further back than the graph itself: calls that enter the mesh, each counted once. */
  timeline: { window: Window; rows: readonly RollupRow[]; dataFromMs?: number };
  /** Stretches of the timeline of which records may be missing. */
  gaps?: readonly GapRow[];
  facts: MeshFacts;
  freshAt: number | null;
  silentSince?: number | null;
}
