import type { Badge, Graph, GraphEdge, GraphNode, Health } from "../../server/contract/index.ts";
import { type Curve, curveBetween } from "./curve.ts";
import type { Direction, LayoutNode, Point } from "./layout.ts";

export interface SceneNode extends Point {
  id: string;
  r: number;
  node: GraphNode;
  /** Below the ring, and smaller below that. */
  name: string;
  sub: string;
}

export interface SceneEdge {
  id: string;
  edge: GraphEdge;
  curve: Curve;
  width: number;
  /** From the longest to the shortest. */
  labels: readonly string[];
}

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface SceneBox extends Rect {
  id: string;
  kind: "versions" | "namespace";
  name: string;
  badges: Badge[];
}

export interface Scene {
  nodes: SceneNode[];
  edges: SceneEdge[];
  boxes: SceneBox[];
  bounds: Rect;
}

/** The words that depend on the reader's language and choice of labels. */
export interface SceneText {
  name: (node: GraphNode) => string;
  sub: (node: GraphNode) => string;
  labels: (edge: GraphEdge) => readonly string[];
}

/** Size says rate, by its logarithm. */
export const radiusOf = (rate: number): number => Math.min(38, Math.max(14, 10 + 3.7 * Math.log2(1 + rate)));
export const widthOf = (rate: number): number => Math.min(6, 1 + 0.55 * Math.log2(1 + rate));

const isOutside = (node: GraphNode): boolean => node.kind === "source" || node.kind === "unknown";

export const layoutNodesOf = (nodes: readonly GraphNode[]): LayoutNode[] =>
  nodes.map((node) => ({
    id: node.id,
    group: node.box ?? node.id,
    namespace: node.namespace,
    outside: isOutside(node),
  }));

/** Without idle nodes and the calls that touch them, when they are hidden. */
export function visibleGraph(graph: Graph, hideIdle: boolean): Pick<Graph, "nodes" | "edges"> {
  if (!hideIdle) return graph;
  const nodes = graph.nodes.filter((node) => !node.idle);
  const ids = new Set(nodes.map((node) => node.id));
  return { nodes, edges: graph.edges.filter((edge) => ids.has(edge.source) && ids.has(edge.target)) };
}

/** Everything that is drawn, in graph coordinates. */
export function buildScene(
  graph: Pick<Graph, "nodes" | "edges">,
  points: ReadonlyMap<string, Point>,
  text: SceneText,
  direction: Direction = "right",
): Scene {
  const nodes = graph.nodes.map((node): SceneNode => {
    const { x, y } = points.get(node.id) ?? { x: 0, y: 0 };
    return {
      id: node.id,
      x,
      y,
      r: radiusOf(node.signals.requestRate),
      node,
      name: text.name(node),
      sub: text.sub(node),
    };
  });
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const edges = graph.edges.flatMap((edge): SceneEdge[] => {
    const [from, to] = [byId.get(edge.source), byId.get(edge.target)];
    if (!from || !to || from === to) return [];
    const width = widthOf(edge.signals.requestRate);
    return [{ id: edge.id, edge, curve: curveBetween(from, to, direction), width, labels: text.labels(edge) }];
  });
  const boxes = [...namespaceBoxes(nodes), ...versionBoxes(nodes)];
  return { nodes, edges, boxes, bounds: boundsOf(nodes, boxes) };
}

function versionBoxes(nodes: readonly SceneNode[]): SceneBox[] {
  const boxed = Map.groupBy(
    nodes.filter(({ node }) => node.box !== null),
    ({ node }) => node.box ?? "",
  );
  return [...boxed].map(([id, members]) => ({
    id,
    kind: "versions" as const,
    name: members[0]?.name ?? "",
    badges: [...new Set(members.flatMap(({ node }) => node.badges))].filter((badge) => badge === "split"),
    ...around(members, { side: 50, top: 46, bottom: 36 + (members.at(-1)?.r ?? 20) }),
  }));
}

function namespaceBoxes(nodes: readonly SceneNode[]): SceneBox[] {
  const inside = nodes.filter(({ node }) => !isOutside(node) && node.kind !== "external");
  const namespaces = Map.groupBy(inside, ({ node }) => node.namespace);
  return [...namespaces].map(([name, members]) => ({
    id: name,
    kind: "namespace" as const,
    name,
    badges: [],
    ...around(members, { side: 76, top: 76, bottom: 72 }),
  }));
}

function around(nodes: readonly SceneNode[], by: { side: number; top: number; bottom: number }): Rect {
  const [xs, ys] = [nodes.map(({ x }) => x), nodes.map(({ y }) => y)];
  const [left, top] = [Math.min(...xs) - by.side, Math.min(...ys) - by.top];
  return { x: left, y: top, width: Math.max(...xs) + by.side - left, height: Math.max(...ys) + by.bottom - top };
}

function boundsOf(nodes: readonly SceneNode[], boxes: readonly SceneBox[]): Rect {
  if (nodes.length === 0) return { x: 0, y: 0, width: 1, height: 1 };
  const rects: Rect[] = [...boxes, around(nodes, { side: 46, top: 40, bottom: 56 })];
  const [left, top] = [Math.min(...rects.map(({ x }) => x)), Math.min(...rects.map(({ y }) => y))];
  return {
    x: left,
    y: top,
    width: Math.max(...rects.map((rect) => rect.x + rect.width)) - left,
    height: Math.max(...rects.map((rect) => rect.y + rect.height)) - top,
  };
}

/** The health of several as one: the worst that has traffic. */
export function worstHealth(all: readonly Health[]): Health {
  for (const health of ["failing", "degraded", "healthy"] as const) if (all.includes(health)) return health;
  return "idle";
}
