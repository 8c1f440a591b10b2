"use client";
import { useMemo } from "react";
import { useLocale } from "use-intl";
import type { Graph, Trace } from "../../server/contract/index.ts";
import type { Live } from "../lib/live.ts";
import { useTrace } from "../trace/trace-queries.ts";
import { formatMs, quantityText } from "../ui/format.ts";
import type { SceneText } from "./scene.ts";
import { type TraceOnGraph, traceOnGraph } from "./trace-on-graph.ts";

export interface ShownTrace extends TraceOnGraph {
  live: Live<Trace>;
  /** What calls say while a trace is shown: what it took there, and nothing elsewhere. */
  text: SceneText;
}

/** The trace that the address asks to be drawn over the graph; null: none. */
export function useTraceOnGraph(
  id: string | null,
  graph: Pick<Graph, "nodes" | "edges">,
  text: SceneText,
): ShownTrace | null {
  const locale = useLocale();
  const live = useTrace(id ?? "", undefined, id !== null);
  const { data } = live;
  const way = useMemo(() => (data ? traceOnGraph(graph, data) : noWay), [data, graph]);
  const shown = useMemo<SceneText>(
    () => ({
      ...text,
      labels: ({ id: edge }) => {
        const call = way.calls.get(edge);
        if (!call) return [];
        const took = quantityText(formatMs(call.durationMs, locale));
        return [`${call.count > 1 ? `${call.count} × ` : ""}${took}${call.failed ? " ✕" : ""}`, took];
      },
    }),
    [text, way, locale],
  );
  return useMemo(() => (id === null ? null : { ...way, live, text: shown }), [id, way, live, shown]);
}

const noWay: TraceOnGraph = { lit: new Set(), calls: new Map() };
