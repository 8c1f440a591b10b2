import { assignLayers, byText, type Group, groupNodes, passagesOf } from "./layers.ts";

export interface LayoutNode {
  id: string;
  /** Nodes of one group stand in one column, one below the other. */
  group: string;
  namespace: string;
  /** Outside of the mesh: stands left of everything, in no namespace's box. */
  outside: boolean;
}

export interface LayoutEdge {
  source: string;
  target: string;
}

export interface Point {
  x: number;
  y: number;
}

/** Which way the calls go: to the right, or downwards where the place is narrow. */
export type Direction = "right" | "down";

/** Between layers, between the nodes of one layer, and more between its groups; the least, a wide place stretches them. */
export const gaps = { right: { layer: 168, row: 104, group: 30 }, down: { layer: 132, row: 84, group: 16 } } as const;
const bandGap = 90;
/**
 * Layers from left to right along the calls, one horizontal band per namespace, the versions of a service side by side. Pure and
 * deterministic: the order of the input does not matter. Returns the centre of every node.
 */
export function layoutGraph(
  nodes: readonly LayoutNode[],
  edges: readonly LayoutEdge[],
  direction: Direction = "right",
): Map<string, Point> {
  const gap = gaps[direction];
  const groups = groupNodes(nodes, edges);
  for (const group of groups) group.size = group.members.length * gap.row + gap.group;
  assignLayers(groups);
  assignBands(groups);
  groups.push(...passagesOf(groups));
  const bands = Map.groupBy(groups, (group) => group.band);
  const depth = Math.max(0, ...groups.map((group) => group.layer)) + 1;
  const columns = Array.from({ length: depth }, () => 1);
  // Rows of one layer in one band before it is wrapped, so that the whole stays about as wide as high.
  const limit = Math.max(nodes.length > 60 ? 3 : 6, Math.ceil(Math.sqrt(nodes.length) / bands.size));
  let top = 0;
  for (const name of [...bands.keys()].toSorted(byText)) {
    const band = bands.get(name) ?? [];
    const extent = placeBand(band, depth, columns, limit);
    const shift = top - extent.min;
    for (const group of band) group.y += shift;
    top += extent.max - extent.min + bandGap;
  }
  const starts = [0];
  for (const count of columns) starts.push((starts.at(-1) ?? 0) + count);
  const points = pointsOf(groups, starts, gap);
  if (direction === "down") for (const point of points.values()) [point.x, point.y] = [point.y, point.x];
  return points;
}

/**
 * Namespaces whose layers do not overlap stand side by side in one band (a gateway's before the application's); the others below each
 * other. What is outside goes with the first that it calls.
 */
function assignBands(groups: readonly Group[]): void {
  const inside = Map.groupBy(
    groups.filter((group) => !group.outside),
    (group) => group.band,
  );
  const lonersOf = (members: readonly Group[]) =>
    members.filter((group) => group.before.length + group.after.length === 0).length;
  // What nobody calls has no place of its own beside others, and takes nobody's: a gateway's before its application for instance.
  const isAlone = (members: readonly Group[]) => Number(lonersOf(members) === members.length);
  const bySize = [...inside].toSorted(
    ([a, left], [b, right]) => isAlone(left) - isAlone(right) || right.length - left.length || byText(a, b),
  );
  const rows: { name: string; from: number; to: number }[][] = [];
  for (const [name, members] of bySize) {
    const loners = lonersOf(members);
    const layers = members.map((group) => group.layer);
    const [from, to] = [loners > 0 ? 0 : Math.min(...layers), Math.max(...layers, Math.min(loners, 4))];
    const row = rows.find((others) => others.every((other) => to < other.from || from > other.to)) ?? [];
    if (row.length === 0) rows.push(row);
    row.push({ name, from, to });
  }
  for (const row of rows) {
    const band = row[0]?.name ?? "";
    for (const { name } of row) for (const group of inside.get(name) ?? []) group.band = band;
  }
  for (const group of groups) if (group.outside) group.band = group.after[0]?.band ?? rows[0]?.[0]?.name ?? group.band;
}

/** Orders and places one band's groups; `columns` grows where a layer has to be wrapped. Returns the band's extent. */
function placeBand(
  band: readonly Group[],
  depth: number,
  columns: number[],
  limit: number,
): { min: number; max: number } {
  const connected = band.filter((group) => group.before.length + group.after.length > 0);
  const layers = Array.from({ length: depth }, (_, layer) => connected.filter((group) => group.layer === layer));
  for (const layer of layers) stack(layer);
  for (let round = 0; round < 6; round++) {
    const forward = round % 2 === 0;
    for (const layer of forward ? layers : layers.toReversed()) {
      const wish = new Map(layer.map((group) => [group, meanOf(neighbours(group, forward)) ?? group.y]));
      layer.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0) || byText(a.id, b.id));
      settle(layer, (group) => wish.get(group) ?? group.y);
    }
  }
  const wrapped = layers.map((layer) => wrap(layer, limit));
  for (const [index, count] of wrapped.entries()) columns[index] = Math.max(columns[index] ?? 1, count);
  // Wrapped layers stand around the middle; one that is not would be left behind where its neighbours had drawn it.
  if (wrapped.some((count) => count > 1)) {
    for (const [index, layer] of layers.entries()) if (wrapped[index] === 1) stack(layer);
  }
  const extent = extentOf(connected);
  return placeLoners(
    band.filter((group) => !connected.includes(group)),
    extent,
    depth,
  );
}

function stack(layer: readonly Group[]): void {
  let y = 0;
  for (const group of layer) {
    group.y = y + group.size / 2;
    y += group.size;
  }
  for (const group of layer) group.y -= y / 2;
}

/** Only those of its own band: other bands are placed by themselves. */
const neighbours = (group: Group, forward: boolean): Group[] =>
  (forward ? group.before : group.after).filter((other) => other.band === group.band);

const meanOf = (groups: readonly Group[]): number | null =>
  groups.length === 0 ? null : groups.reduce((sum, group) => sum + group.y, 0) / groups.length;

/** As near as can be to where each wants to be (least squares), in the given order and without overlap: pool adjacent violators. */
function settle(layer: readonly Group[], wish: (group: Group) => number): void {
  const blocks: { sum: number; count: number; groups: { group: Group; offset: number }[] }[] = [];
  let offset = 0;
  for (const [index, group] of layer.entries()) {
    const previous = layer[index - 1];
    if (previous) offset += (previous.size + group.size) / 2;
    blocks.push({ sum: wish(group) - offset, count: 1, groups: [{ group, offset }] });
    for (let last = blocks.at(-1), prior = blocks.at(-2); last && prior; last = blocks.at(-1), prior = blocks.at(-2)) {
      if (prior.sum / prior.count <= last.sum / last.count) break;
      blocks.splice(-2, 2, {
        sum: prior.sum + last.sum,
        count: prior.count + last.count,
        groups: [...prior.groups, ...last.groups],
      });
    }
  }
  for (const { sum, count, groups } of blocks) for (const { group, offset } of groups) group.y = sum / count + offset;
}

/** A layer with too many rows becomes several columns, in reading order. Returns how many. */
function wrap(layer: readonly Group[], limit: number): number {
  const rows = layer.reduce((sum, group) => sum + group.members.length, 0);
  const count = Math.ceil(rows / limit);
  if (count <= 1) return 1;
  const perColumn = Math.ceil(rows / count);
  let [column, filled] = [0, 0];
  const parts: Group[][] = [[]];
  for (const group of layer) {
    if (filled >= perColumn) {
      column += 1;
      filled = 0;
      parts.push([]);
    }
    group.column = column;
    filled += group.members.length;
    parts[column]?.push(group);
  }
  for (const part of parts) stack(part);
  return parts.length;
}

function extentOf(groups: readonly Group[]): { min: number; max: number } {
  if (groups.length === 0) return { min: 0, max: 0 };
  return {
    min: Math.min(...groups.map((group) => group.y - group.size / 2)),
    max: Math.max(...groups.map((group) => group.y + group.size / 2)),
  };
}

/** What neither calls nor is called stands in rows below, from the second column on. */
function placeLoners(
  loners: readonly Group[],
  extent: { min: number; max: number },
  depth: number,
): { min: number; max: number } {
  const perRow = Math.max(4, depth - 1, Math.ceil(Math.sqrt(loners.length)));
  let top = extent.max;
  for (let start = 0; start < loners.length; start += perRow) {
    const row = loners.slice(start, start + perRow);
    const height = Math.max(...row.map(({ size }) => size));
    for (const [index, group] of row.entries()) {
      group.layer = index + 1;
      group.y = top + height / 2;
    }
    top += height;
  }
  return { min: extent.min, max: top };
}

function pointsOf(
  groups: readonly Group[],
  starts: readonly number[],
  gap: { layer: number; row: number },
): Map<string, Point> {
  const last = (starts.at(-1) ?? 1) - 1;
  const points = new Map<string, Point>();
  for (const group of groups) {
    const start = starts[group.layer] ?? last + group.layer - (starts.length - 2);
    const x = (start + group.column) * gap.layer;
    for (const [index, id] of group.members.entries()) {
      points.set(id, { x, y: Math.round(group.y + (index - (group.members.length - 1) / 2) * gap.row) });
    }
  }
  return points;
}
