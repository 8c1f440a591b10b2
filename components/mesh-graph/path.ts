import type { Graph } from "../../server/contract/index.ts";

type Calls = Pick<Graph, "nodes" | "edges">;

/** A node, call or box with everything that leads to it and everything it leads to; null for what is not in the graph. */
export function pathThrough(graph: Calls, id: string): ReadonlySet<string> | null {
  const edge = graph.edges.find((one) => one.id === id);
  const members = graph.nodes.filter((node) => node.id === id || node.box === id).map((node) => node.id);
  if (!edge && members.length === 0) return null;
  const path = new Set<string>([...members, id]);
  const [before, after] = [
    Map.groupBy(graph.edges, (one) => one.target),
    Map.groupBy(graph.edges, (one) => one.source),
  ];
  walk(edge ? [edge.source] : members, before, "source", path);
  walk(edge ? [edge.target] : members, after, "target", path);
  return path;
}

function walk(
  starts: readonly string[],
  calls: ReadonlyMap<string, Graph["edges"]>,
  end: "source" | "target",
  path: Set<string>,
): void {
  const seen = new Set(starts);
  const waiting = [...starts];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    path.add(node);
    for (const edge of calls.get(node) ?? []) {
      path.add(edge.id);
      if (seen.has(edge[end])) continue;
      seen.add(edge[end]);
      waiting.push(edge[end]);
    }
  }
}
