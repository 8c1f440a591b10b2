import { type Direction, type LayoutEdge, type LayoutNode, layoutGraph, type Point } from "./layout.ts";

/** What is asked of the worker; it answers with the same number. */
export interface LayoutRequest {
  number: number;
  nodes: LayoutNode[];
  edges: LayoutEdge[];
  direction: Direction;
}
export interface LayoutAnswer {
  number: number;
  points: [string, Point][];
}

// Runs beside the page, so that a thousand nodes are laid out while it goes on answering.
globalThis.addEventListener("message", ({ data }: MessageEvent<LayoutRequest>) => {
  const points = [...layoutGraph(data.nodes, data.edges, data.direction)];
  globalThis.postMessage({ number: data.number, points } satisfies LayoutAnswer);
});
