import { type Direction, type LayoutEdge, type LayoutNode, layoutGraph, type Point } from "./layout.ts";

/** Where everything stands, kept while data moves: what is known stays where it is. */
export interface Positions {
  points: ReadonlyMap<string, Point>;
  /** Nodes that had no call when they were placed; they may be placed anew once they have one. */
  loose: ReadonlySet<string>;
  direction: Direction;
}

export const noPositions = (direction: Direction = "right"): Positions => ({
  points: new Map(),
  loose: new Set(),
  direction,
});

/** Those that stay where they are: known, and not waiting for their first call. */
function settledOf(
  nodes: readonly LayoutNode[],
  edges: readonly LayoutEdge[],
  { points, loose }: Positions,
): LayoutNode[] {
  const called = new Set(loose.size > 0 ? edges.flatMap((edge) => [edge.source, edge.target]) : []);
  return nodes.filter(({ id }) => points.has(id) && !(loose.has(id) && called.has(id)));
}

export const isPlaced = (nodes: readonly LayoutNode[], edges: readonly LayoutEdge[], positions: Positions): boolean =>
  settledOf(nodes, edges, positions).length === nodes.length;

/**
 * Places what is new and what was loose; gives back the same object when nothing had to be placed. `fresh` is the layout of all of them,
 * where that was made elsewhere.
 */
export function keepPositions(
  nodes: readonly LayoutNode[],
  edges: readonly LayoutEdge[],
  previous: Positions,
  fresh: ReadonlyMap<string, Point> = new Map(),
): Positions {
  const { direction } = previous;
  const settled = settledOf(nodes, edges, previous);
  if (settled.length === nodes.length) return previous;
  const places = nodes.every(({ id }) => fresh.has(id)) ? fresh : layoutGraph(nodes, edges, direction);
  const called = new Set(edges.flatMap((edge) => [edge.source, edge.target]));
  // What had a call once has its place: that it fell idle does not make it anyone else.
  const waits = ({ id }: LayoutNode) => !called.has(id) && (!previous.points.has(id) || previous.loose.has(id));
  const loose = new Set(nodes.filter(waits).map(({ id }) => id));
  // When most of it is new (the first traffic after a start), an entirely new layout reads better than a patched one.
  if (settled.length * 2 < nodes.length) return { points: places, loose, direction };
  const points = new Map(previous.points);
  const shift = meanShift(settled, places, previous.points);
  const kept = new Set(settled);
  for (const node of nodes) {
    if (kept.has(node)) continue;
    const wanted = places.get(node.id) ?? { x: 0, y: 0 };
    points.delete(node.id);
    points.set(node.id, freePlace({ x: wanted.x + shift.x, y: wanted.y + shift.y }, points));
  }
  return { points, loose, direction };
}

/** Between where a fresh layout would put the settled nodes and where they are. */
function meanShift(
  settled: readonly LayoutNode[],
  fresh: ReadonlyMap<string, Point>,
  kept: ReadonlyMap<string, Point>,
): Point {
  let [x, y, count] = [0, 0, 0];
  for (const { id } of settled) {
    const [from, to] = [fresh.get(id), kept.get(id)];
    if (!from || !to) continue;
    x += to.x - from.x;
    y += to.y - from.y;
    count += 1;
  }
  return count === 0 ? { x: 0, y: 0 } : { x: x / count, y: y / count };
}

function freePlace(wanted: Point, points: ReadonlyMap<string, Point>): Point {
  const taken = [...points.values()];
  const place = { ...wanted };
  for (let tries = 0; tries < 200; tries++) {
    const hit = taken.find(({ x, y }) => Math.abs(x - place.x) < 90 && Math.abs(y - place.y) < 84);
    if (!hit) break;
    place.y = hit.y + 104;
  }
  return place;
}
