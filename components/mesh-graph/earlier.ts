"use client";
import { createContext, useContext, useMemo } from "react";
import type { Graph, Signals } from "../../server/contract/index.ts";
import { useGraph } from "../lib/queries.ts";
import type { EarlierSignals } from "../metrics/compared.tsx";
import { earlierRange } from "../metrics/earlier-range.ts";
import { type ViewKind, viewedAs } from "./graph-view-kinds.ts";
import type { TopologyState } from "./use-topology-state.ts";

/** Signals of nodes and calls by their ids, in the time that the graph is compared with. */
const Earlier = createContext<EarlierSignals>(undefined);
export const EarlierProvider = Earlier;

/** Of one node or call: null where it had no traffic then, undefined where nothing is compared. */
export function useEarlierSignals(id: string): Signals | null | undefined {
  const earlier = useContext(Earlier);
  return earlier && (earlier.get(id) ?? null);
}
export const useEarlier = (): EarlierSignals => useContext(Earlier);

/** The graph in the earlier time, as it is looked at. */
export function useEarlierGraph(
  { windowSec, at, range, comparison, kind }: TopologyState,
  shownAt: number,
): EarlierSignals {
  const other = earlierRange(range ?? { windowSec, at }, comparison, shownAt);
  const { data } = useGraph(other ?? { windowSec, at }, undefined, other !== null);
  const isCompared = other !== null;
  return useMemo(() => (isCompared && data ? signalsIn(data, kind) : undefined), [isCompared, data, kind]);
}

export function signalsIn(graph: Graph, kind: ViewKind): ReadonlyMap<string, Signals> {
  const { nodes, edges } = viewedAs(graph, kind);
  return new Map([...nodes, ...edges].map(({ id, signals }) => [id, signals]));
}
