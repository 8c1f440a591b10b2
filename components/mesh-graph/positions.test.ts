import { expect, it } from "vitest";
import type { LayoutNode } from "./layout.ts";
import { keepPositions, noPositions } from "./positions.ts";

const node = (id: string): LayoutNode => ({ id, group: id, namespace: "default", outside: false });
const nodes = ["a", "b", "c", "d"].map(node);
const edges = [
  { source: "a", target: "b" },
  { source: "b", target: "c" },
  { source: "b", target: "d" },
];

it("moves nothing while only calls come and go", () => {
  const first = keepPositions(nodes, edges, noPositions());
  expect(keepPositions(nodes, edges.slice(0, 2), first)).toBe(first);
  expect(keepPositions(nodes.slice(1), edges, first)).toBe(first);
});

it("places a new node beside the others without moving them or covering one", () => {
  const first = keepPositions(nodes, edges, noPositions());
  const next = keepPositions([...nodes, node("e")], [...edges, { source: "b", target: "e" }], first);
  for (const { id } of nodes) expect(next.points.get(id)).toEqual(first.points.get(id));
  const places = [...next.points.values()].map(({ x, y }) => `${x},${y}`);
  expect(new Set(places).size).toBe(5);
});

it("lays everything out anew when the first calls are seen after a start without any", () => {
  const idle = keepPositions(nodes, [], noPositions());
  const live = keepPositions(nodes, edges, idle);
  expect(live.points).toEqual(keepPositions(nodes, edges, noPositions()).points);
});

it("keeps what falls idle, and is called again, where it was", () => {
  const first = keepPositions(nodes, edges, noPositions());
  // While d has no calls, something new is placed; then d is called again.
  const grown = [...nodes, node("e")];
  const idle = keepPositions(grown, [...edges.slice(0, 2), { source: "b", target: "e" }], first);
  const again = keepPositions(grown, [...edges, { source: "b", target: "e" }], idle);
  for (const { id } of nodes) expect(again.points.get(id)).toEqual(first.points.get(id));
});
