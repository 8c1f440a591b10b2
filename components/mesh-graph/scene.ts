import type { Badge, Graph, GraphEdge, GraphNode, Health } from "../../server/contract/index.ts";
import type { Curve } from "./curve.ts";
import { type Direction, gaps, type LayoutNode, type Point } from "./layout.ts";
import type { Rect } from "./rect.ts";
import { type Obstacle, routeCalls } from "./route.ts";
import { nameLines, sansWidth } from "./text-size.ts";

export interface SceneNode extends Point {
  id: string;
  r: number;
  node: GraphNode;
  /** Below the ring, in one line or two, and smaller below that. */
  name: readonly string[];
  sub: string;
}

export interface SceneEdge {
  id: string;
  edge: GraphEdge;
  curve: Curve;
  width: number;
  /** From the longest to the shortest; worded when they are first read: from far away nobody reads them. */
  readonly labels: readonly string[];
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

/** How the layout's places are put on the screen: which way it goes, and by how much each axis is stretched. */
export interface Arrangement {
  direction: Direction;
  stretch: Point;
}

export const plain: Arrangement = { direction: "right", stretch: { x: 1, y: 1 } };

/** Of names, at the zoom that a graph of some services is seen at. */
export const nameSize = 12.5;

/** Everything that is drawn, in graph coordinates. */
export function buildScene(
  graph: Pick<Graph, "nodes" | "edges">,
  points: ReadonlyMap<string, Point>,
  text: SceneText,
  arrangement: Arrangement = plain,
): Scene {
  const nodes = sceneNodes(graph.nodes, points, text, arrangement);
  const boxes = [...namespaceBoxes(nodes), ...versionBoxes(nodes)];
  const edges = edgesOf(graph.edges, nodes, boxes, text, arrangement.direction);
  return { nodes, edges, boxes, bounds: boundsOf(nodes, boxes) };
}

/** What is drawn and where its rings are, before anything is stretched: what a fit goes by. */
export function extentOf(
  graph: Pick<Graph, "nodes">,
  points: ReadonlyMap<string, Point>,
  text: SceneText,
  direction: Direction,
): { bounds: Rect; places: Rect } {
  const nodes = sceneNodes(graph.nodes, points, text, { ...plain, direction });
  const [xs, ys] = [nodes.map(({ x }) => x), nodes.map(({ y }) => y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return {
    bounds: boundsOf(nodes, [...namespaceBoxes(nodes), ...versionBoxes(nodes)]),
    places: { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y },
  };
}

function sceneNodes(
  nodes: readonly GraphNode[],
  points: ReadonlyMap<string, Point>,
  text: SceneText,
  { direction, stretch }: Arrangement,
): SceneNode[] {
  const widest = direction === "right" ? gaps.right.layer * stretch.x - 20 : gaps.down.row * stretch.x - 4;
  const places = nodes.map(({ id }) => {
    const { x, y } = points.get(id) ?? { x: 0, y: 0 };
    return { x: x * stretch.x, y: y * stretch.y };
  });
  return nodes.map((node, index): SceneNode => {
    const { x, y } = places[index] ?? { x: 0, y: 0 };
    const name = text.name(node);
    const fits = sansWidth(name, nameSize) <= widest;
    const room = fits ? widest : Math.max(widest, roomBeside({ x, y }, places));
    const r = radiusOf(node.signals.requestRate);
    return { id: node.id, x, y, r, node, name: nameLines(name, room, nameSize), sub: text.sub(node) };
  });
}

/** How wide a long name may be: as far as the nearest neighbour at its height. */
function roomBeside(place: Point, others: readonly Point[]): number {
  let room = 280;
  for (const { x, y } of others)
    if (x !== place.x && Math.abs(y - place.y) < 60) room = Math.min(room, Math.abs(x - place.x) - 16);
  return room;
}

function edgesOf(
  edges: readonly GraphEdge[],
  nodes: readonly SceneNode[],
  boxes: readonly SceneBox[],
  text: SceneText,
  direction: Direction,
): SceneEdge[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const alongside = new Map<string, number>();
  const calls = edges.flatMap((edge) => {
    const [source, target] = [byId.get(edge.source), byId.get(edge.target)];
    if (!source || !target || source === target) return [];
    // A second protocol between the same two runs beside the first.
    const pair = `${edge.source}>${edge.target}`;
    const nth = alongside.get(pair) ?? 0;
    alongside.set(pair, nth + 1);
    const shift = direction === "right" ? { x: 0, y: nth * 14 } : { x: nth * 14, y: 0 };
    const moved = (node: SceneNode) => {
      const { id, x, y, r } = node;
      return { id, x: x + shift.x, y: y + shift.y, r, below: belowRing(node) };
    };
    return [{ id: edge.id, edge, source: moved(source), target: moved(target) }];
  });
  const curves = routeCalls(calls, obstaclesOf(nodes, boxes), direction);
  return calls.flatMap(({ id, edge }) => {
    const curve = curves.get(id);
    if (!curve) return [];
    let labels: readonly string[] | undefined;
    return [
      {
        id,
        edge,
        curve,
        width: widthOf(edge.signals.requestRate),
        get labels() {
          labels ??= text.labels(edge);
          return labels;
        },
      },
    ];
  });
}

/** Rings with their names, and boxes of versions as a whole. */
function obstaclesOf(nodes: readonly SceneNode[], boxes: readonly SceneBox[]): Obstacle[] {
  const members = Map.groupBy(nodes, ({ node }) => node.box);
  return [
    ...nodes.map((node) => ({ ...ringWithName(node), holds: new Set([node.id]) })),
    ...boxes
      .filter(({ kind }) => kind === "versions")
      .map((box) => ({ ...rectOf(box), holds: new Set(members.get(box.id)?.map(({ id }) => id)) })),
  ];
}

const rectOf = ({ x, y, width, height }: Rect): Rect => ({ x, y, width, height });

/** Half the width of a name in its widest line. */
const halfName = ({ name }: SceneNode): number => Math.max(...name.map((line) => sansWidth(line, nameSize))) / 2;

function ringWithName(node: SceneNode): Rect {
  const side = Math.max(node.r, halfName(node)) + 4;
  const top = node.y - node.r - 6;
  return { x: node.x - side, y: top, width: 2 * side, height: 2 * node.r + 6 + belowRing(node) };
}

/** Room that the name and what is below it take. */
const belowRing = ({ name, sub }: SceneNode): number => 10 + nameSize * (1.15 * name.length + (sub ? 1.05 : 0));

function versionBoxes(nodes: readonly SceneNode[]): SceneBox[] {
  const boxed = Map.groupBy(
    nodes.filter(({ node }) => node.box !== null),
    ({ node }) => node.box ?? "",
  );
  return [...boxed].map(([id, members]) => ({
    id,
    kind: "versions" as const,
    name: members[0]?.node.app ?? "",
    badges: [...new Set(members.flatMap(({ node }) => node.badges))].filter((badge) => badge === "split"),
    ...around(members, { side: 48, top: 14, bottom: 12 }),
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
    ...around(members, { side: 62, top: 40, bottom: 26 }),
  }));
}

/**
 * A frame around rings and names. Rings count in steps of size, so that a box does not breathe with every request.
 */
function around(nodes: readonly SceneNode[], by: { side: number; top: number; bottom: number }): Rect {
  const side = (node: SceneNode) => Math.max(by.side, halfName(node) + 14);
  const steady = ({ r }: SceneNode) => Math.ceil(r / 8) * 8;
  const left = Math.min(...nodes.map((node) => node.x - side(node)));
  const right = Math.max(...nodes.map((node) => node.x + side(node)));
  const top = Math.min(...nodes.map((node) => node.y - steady(node))) - by.top;
  const bottom = Math.max(...nodes.map((node) => node.y + steady(node) + belowRing(node))) + by.bottom;
  return { x: left, y: top, width: right - left, height: bottom - top };
}

function boundsOf(nodes: readonly SceneNode[], boxes: readonly SceneBox[]): Rect {
  if (nodes.length === 0) return { x: 0, y: 0, width: 1, height: 1 };
  const rects: Rect[] = [...boxes, around(nodes, { side: 46, top: 12, bottom: 10 })];
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
