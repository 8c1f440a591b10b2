import { type Direction, type LayoutEdge, type LayoutNode, layoutGraph, type Point } from "./layout.ts";
import type { LayoutAnswer, LayoutRequest } from "./layout-worker.ts";

/** Below this a layout takes less than a frame; asking a worker would only make the first paint later. */
const small = 200;

export const isSmall = (nodes: readonly unknown[]): boolean => nodes.length <= small;

type Waiting = { request: LayoutRequest; done: (points: Map<string, Point>) => void };
let worker: Worker | null | undefined;
let count = 0;
const waiting = new Map<number, Waiting>();

/** Starts the worker, so that it is there by the time that a layout is asked of it. */
export function prepareLayout(): void {
  worker ??= startWorker();
}

/** The same as `layoutGraph`, in a worker; in the page itself where a worker can't be had. */
export function layoutElsewhere(
  nodes: readonly LayoutNode[],
  edges: readonly LayoutEdge[],
  direction: Direction,
): Promise<Map<string, Point>> {
  const number = ++count;
  const plain = edges.map(({ source, target }) => ({ source, target }));
  const request = { number, nodes: [...nodes], edges: plain, direction };
  return new Promise((done) => {
    prepareLayout();
    if (!worker) return done(layoutGraph(nodes, edges, direction));
    waiting.set(number, { request, done });
    worker.postMessage(request);
  });
}

function startWorker(): Worker | null {
  try {
    const created = new Worker(new URL("./layout-worker.ts", import.meta.url), { type: "module" });
    created.onmessage = ({ data: { number, points } }: MessageEvent<LayoutAnswer>) => {
      waiting.get(number)?.done(new Map(points));
      waiting.delete(number);
    };
    // A policy or a proxy may keep its script away: then everything that waits is laid out here, now and from here on.
    created.onerror = () => {
      worker = null;
      for (const { request, done } of waiting.values())
        done(layoutGraph(request.nodes, request.edges, request.direction));
      waiting.clear();
    };
    return created;
  } catch {
    return null;
  }
}
