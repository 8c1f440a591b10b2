import type { Graph } from "../../server/contract/index.ts";
import type { Findable } from "./find.ts";
import { hitsOf } from "./found.ts";

type Shown = Pick<Graph, "nodes" | "edges">;

export interface Narrowing {
  /** Only what is in these, and who calls it or is called by it from outside of the mesh; empty: all. */
  namespaces: readonly string[];
  /** What it finds is left out, with the calls of a node; null: nothing. */
  hide: ((item: Findable) => boolean) | null;
  /** A node's or box's id, and how many calls away from it others may be; null: no matter. */
  focus: { id: string; hops: number } | null;
}

/** What of the graph is looked at. The same object where nothing is left out. */
export function narrowed<G extends Shown>(graph: G, { namespaces, hide, focus }: Narrowing): G {
  let shown: Shown = graph;
  if (namespaces.length > 0) {
    const wanted = new Set(namespaces);
    const own = new Set(shown.nodes.filter(({ namespace }) => wanted.has(namespace)).map(({ id }) => id));
    // Of the rest what they talk to directly, when it is in no namespace of the mesh.
    const beside = new Set(
      shown.edges.flatMap(({ source, target }) => (own.has(source) || own.has(target) ? [source, target] : [])),
    );
    shown = only(shown, ({ id, kind }) => own.has(id) || (beside.has(id) && kind !== "workload"));
  }
  if (hide) {
    const hits = hitsOf(shown, hide);
    const nodes = shown.nodes.filter(({ id }) => !hits.has(id));
    const left = new Set(nodes.map(({ id }) => id));
    shown = {
      nodes,
      edges: shown.edges.filter(({ id, source, target }) => !hits.has(id) && left.has(source) && left.has(target)),
    };
  }
  if (focus) {
    const near = within(shown, focus);
    if (near) shown = only(shown, ({ id }) => near.has(id));
  }
  return shown === graph ? graph : { ...graph, nodes: shown.nodes, edges: shown.edges };
}

function only(graph: Shown, keeps: (node: Graph["nodes"][number]) => boolean): Shown {
  const nodes = graph.nodes.filter(keeps);
  const ids = new Set(nodes.map(({ id }) => id));
  return { nodes, edges: graph.edges.filter(({ source, target }) => ids.has(source) && ids.has(target)) };
}

/** Nodes at most so many calls away, in either direction; undefined where what is in focus is not on the graph. */
function within({ nodes, edges }: Shown, { id, hops }: { id: string; hops: number }): Set<string> | undefined {
  const begin = nodes.filter((node) => node.id === id || node.box === id).map((node) => node.id);
  if (begin.length === 0) return undefined;
  const near = new Set(begin);
  for (let hop = 0; hop < hops; hop++) {
    const rim = new Set(near);
    for (const { source, target } of edges) {
      if (rim.has(source)) near.add(target);
      if (rim.has(target)) near.add(source);
    }
  }
  return near;
}

/** Those of the mesh, in order; what is outside has none that anybody would choose. */
export const namespacesOf = ({ nodes }: Pick<Graph, "nodes">): string[] =>
  [
    ...new Set(nodes.filter(({ kind }) => kind === "workload" || kind === "gateway").map(({ namespace }) => namespace)),
  ].toSorted();
