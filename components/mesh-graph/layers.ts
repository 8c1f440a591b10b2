import type { LayoutEdge, LayoutNode } from "./layout.ts";

/** What is placed as one: a node, the versions of a service, or the passage of a call. */
export interface Group {
  id: string;
  members: string[];
  band: string;
  outside: boolean;
  layer: number;
  /** Place within its layer: column of a wrapped layer, and centre. */
  column: number;
  y: number;
  /** Room that it takes within its layer. */
  size: number;
  before: Group[];
  after: Group[];
}

/** Room that is kept in each layer that a call skips, and up to how many such places: in a crowd, calls go as they can. */
const passage = 40;
const mostPassages = 120;

export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function groupNodes(nodes: readonly LayoutNode[], edges: readonly LayoutEdge[]): Group[] {
  const groups = new Map<string, Group>();
  const ofNode = new Map<string, Group>();
  for (const node of nodes.toSorted((a, b) => byText(a.id, b.id))) {
    const group = groups.get(node.group) ?? {
      id: node.group,
      members: [],
      band: node.namespace,
      outside: node.outside,
      layer: 0,
      column: 0,
      y: 0,
      size: 0,
      before: [],
      after: [],
    };
    group.members.push(node.id);
    groups.set(node.group, group);
    ofNode.set(node.id, group);
  }
  const pairs = new Set<string>();
  for (const edge of edges.toSorted((a, b) => byText(a.source, b.source) || byText(a.target, b.target))) {
    const [from, to] = [ofNode.get(edge.source), ofNode.get(edge.target)];
    if (!from || !to || from === to || pairs.has(`${from.id}\n${to.id}`)) continue;
    pairs.add(`${from.id}\n${to.id}`);
    from.after.push(to);
    to.before.push(from);
  }
  const all = [...groups.values()].toSorted((a, b) => byText(a.id, b.id));
  return all;
}

/** Longest path from the roots; calls that close a cycle do not count. */
export function assignLayers(groups: readonly Group[]): void {
  const state = new Map<Group, "open" | "done">();
  const order: Group[] = [];
  const ignored = new Set<string>();
  const visit = (group: Group): void => {
    state.set(group, "open");
    for (const next of group.after) {
      if (state.get(next) === "open") ignored.add(`${group.id}\n${next.id}`);
      else if (!state.has(next)) visit(next);
    }
    state.set(group, "done");
    order.unshift(group);
  };
  const roots = groups.toSorted(
    (a, b) => Number(b.outside) - Number(a.outside) || a.before.length - b.before.length || byText(a.id, b.id),
  );
  for (const group of roots) if (!state.has(group)) visit(group);
  const anyOutside = groups.some((group) => group.outside);
  for (const group of order) if (anyOutside && !group.outside) group.layer = 1;
  for (const group of order) {
    for (const next of group.after) {
      if (!ignored.has(`${group.id}\n${next.id}`)) next.layer = Math.max(next.layer, group.layer + 1);
    }
  }
  // What nobody calls stands right before what it calls, instead of far left.
  for (const group of order.toReversed()) {
    if (group.before.length === 0 && group.after.length > 0 && !group.outside) {
      group.layer = Math.max(group.layer, Math.min(...group.after.map((next) => next.layer)) - 1);
    }
  }
}

/** A call that skips layers of its band gets a place of its own in each, so that it need not run behind what stands there. */
export function passagesOf(groups: readonly Group[]): Group[] {
  const long = groups.flatMap((from) =>
    from.after.filter((to) => to.band === from.band && to.layer - from.layer > 1).map((to) => [from, to] as const),
  );
  if (long.reduce((sum, [from, to]) => sum + to.layer - from.layer - 1, 0) > mostPassages) return [];
  return long.flatMap(([from, to]) => {
    const chain = Array.from({ length: to.layer - from.layer - 1 }, (_, index): Group => {
      const id = `${from.id}\n${to.id}`;
      return { ...from, id, members: [], layer: from.layer + 1 + index, size: passage, before: [], after: [] };
    });
    const stops = [from, ...chain, to];
    for (const [index, stop] of stops.entries()) {
      const [previous, next] = [stops[index - 1], stops[index + 1]];
      if (previous) stop.before = [...stop.before.filter((other) => other !== from), previous];
      if (next) stop.after = [...stop.after.filter((other) => other !== to), next];
    }
    return chain;
  });
}
