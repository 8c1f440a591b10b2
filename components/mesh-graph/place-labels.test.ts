import { describe, expect, it } from "vitest";
import { badgeRadius, badgesOf } from "./badges.ts";
import { labelsOf } from "./graph-text.ts";
import { layoutGraph } from "./layout.ts";
import { type LabelMemory, type Labels, placeLabels } from "./place-labels.ts";
import { lockRect } from "./place-locks.ts";
import { contains, grown, overlap, type Rect, touchesDisc } from "./rect.ts";
import { type Arrangement, buildScene, layoutNodesOf, type Scene } from "./scene.ts";
import { bookinfo, testEdge, testNode } from "./testing/graph.ts";

const text = {
  name: (node: { app: string }) => node.app,
  sub: (node: { version: string | null }) => node.version ?? "",
  labels: (edge: ReturnType<typeof testEdge>) => labelsOf(edge, ["rate", "p95", "errors"], "en"),
};
const sceneOf = (graph: Pick<typeof bookinfo, "nodes" | "edges">, over: Partial<Arrangement> = {}): Scene => {
  const arrangement: Arrangement = { direction: "right", stretch: { x: 1, y: 1 }, ...over };
  return buildScene(
    graph,
    layoutGraph(layoutNodesOf(graph.nodes), graph.edges, arrangement.direction),
    text,
    arrangement,
  );
};
/** Every pair of things that lie on each other. */
function collisions({ nodes, boxes, bounds }: Scene, { names, numbers, titles, locks }: Labels): string[] {
  const rects: [string, Rect][] = [
    ...names.map(({ id, rect }): [string, Rect] => [`name ${id}`, rect]),
    ...numbers.map(({ id, rect }): [string, Rect] => [`number ${id}`, rect]),
    ...titles.map(({ id, rect }): [string, Rect] => [`title ${id}`, rect]),
    ...locks.map((lock): [string, Rect] => [`lock ${lock.id}`, lockRect(lock)]),
  ];
  const found: string[] = [];
  for (const [index, [name, rect]] of rects.entries()) {
    for (const [other, rest] of rects.slice(index + 1)) if (overlap(rect, rest)) found.push(`${name} × ${other}`);
    if (name.startsWith("number") && !contains(grown(bounds, 5), rect)) found.push(`${name} is cut off`);
    for (const node of nodes) if (touchesDisc(rect, node)) found.push(`${name} × ring ${node.id}`);
    for (const { badge, x, y } of badgesOf(nodes, boxes, []))
      if (!name.startsWith("name") && touchesDisc(rect, { x, y, r: badgeRadius })) found.push(`${name} × ${badge}`);
    for (const box of boxes)
      if (name.startsWith("number") && box.kind === "versions" && overlap(rect, box))
        found.push(`${name} × box ${box.id}`);
  }
  return found;
}

const secured = { nodes: bookinfo.nodes, edges: bookinfo.edges.map((edge) => ({ ...edge, mtls: 1 })) };

describe("placeLabels", () => {
  it.each(
    [0.62, 0.8, 1, 1.15, 1.6, 2.5].flatMap((zoom) =>
      (["right", "down"] as const).flatMap((direction) =>
        [1, 1.4].flatMap((by) => ([false, true] as const).map((locks) => ({ zoom, direction, by, locks }))),
      ),
    ),
  )(
    "covers nothing: $direction, zoom $zoom, stretched $by, with padlocks: $locks",
    ({ zoom, direction, by, locks }) => {
      const scene = sceneOf(locks ? secured : bookinfo, { direction, stretch: { x: by, y: by } });
      const labels = placeLabels(scene, zoom);
      expect(collisions(scene, labels)).toEqual([]);
      expect(labels.names.length).toBeGreaterThanOrEqual(zoom < 0.7 ? 6 : 8);
      expect(labels.locks).toHaveLength(locks ? bookinfo.edges.length : 0);
    },
  );

  it("finds a place for every number where there is room, and none lies on another call's line", () => {
    const scene = sceneOf(bookinfo, { stretch: { x: 1.35, y: 1.25 } });
    expect(
      placeLabels(scene, 1.15)
        .numbers.map(({ id }) => id)
        .toSorted(),
    ).toEqual(bookinfo.edges.map(({ id }) => id).toSorted());
  });

  it("shortens what has no room, and leaves out the calm before the failing", () => {
    // Rings so near to each other that one short word fits in between at the most.
    const nodes = [
      testNode("default/a/v1"),
      testNode("default/b/v1"),
      testNode("default/c/v1"),
      testNode("default/d/v1"),
    ];
    const edges = [
      testEdge("default/a/v1", "default/b/v1", { requestRate: 900 }),
      testEdge("default/c/v1", "default/d/v1", { errorShare: 0.5 }, { "503": 5 }),
    ];
    edges[1] = { ...(edges[1] ?? testEdge("a", "b")), health: "failing" };
    const at = { "default/a/v1": [0, 0], "default/b/v1": [140, 0], "default/c/v1": [0, 60], "default/d/v1": [140, 60] };
    const points = new Map(Object.entries(at).map(([id, [x = 0, y = 0]]) => [id, { x, y }]));
    const { numbers } = placeLabels(
      buildScene({ nodes, edges }, points, { ...text, name: () => "", sub: () => "" }),
      1,
    );
    expect(numbers[0]?.id).toBe(edges[1]?.id);
    expect(numbers[0]?.lines).not.toEqual(["10.0 rps · 50 % 503"]);
  });

  it("keeps numbers where they are while rates tremble", () => {
    const memory: LabelMemory = new Map();
    const before = placeLabels(sceneOf(bookinfo), 1, memory);
    const edges = bookinfo.edges.map((edge, index) => ({
      ...edge,
      signals: { ...edge.signals, requestRate: edge.signals.requestRate * (index % 2 ? 1.04 : 0.97) },
    }));
    const after = placeLabels(sceneOf({ nodes: bookinfo.nodes, edges }), 1, memory);
    const centres = ({ numbers }: Labels) =>
      new Map(numbers.map(({ id, rect }) => [id, [rect.x + rect.width / 2, rect.y + rect.height / 2]]));
    for (const [id, [x = 0, y = 0]] of centres(before)) {
      const [toX = 0, toY = 0] = centres(after).get(id) ?? [];
      expect(Math.hypot(toX - x, toY - y), id).toBeLessThan(8);
    }
  });

  it("has no numbers from far away", () => expect(placeLabels(sceneOf(bookinfo), 0.5).numbers).toEqual([]));
});
