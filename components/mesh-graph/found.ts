import type { Graph, GraphEdge, GraphNode, Signals } from "../../server/contract/index.ts";
import type { Findable } from "./find.ts";

const measured = (signals: Signals): Omit<Findable, "text" | "facts"> => ({
  errors: signals.errorShare,
  rate: signals.requestRate,
  p50: signals.latencyMsP50,
  p95: signals.latencyMsP95,
  p99: signals.latencyMsP99,
});

const findableNode = (node: GraphNode): Findable => ({
  ...measured(node.signals),
  text: `${node.namespace}/${node.app}/${node.version ?? ""} ${node.workload ?? ""} ${node.kind}`.toLowerCase(),
  facts: new Set([...node.badges, node.health, ...(node.idle ? ["idle"] : [])]),
});

const findableEdge = (edge: GraphEdge): Findable => ({
  ...measured(edge.signals),
  text: `${edge.source} ${edge.target} ${edge.service}`.toLowerCase(),
  facts: new Set([
    edge.protocol,
    edge.health,
    ...(edge.mtls > 0 ? ["mtls"] : []),
    ...(edge.faults?.length ? ["fault"] : []),
  ]),
});

export interface Found {
  /** Ids of what matches, and of the ends of calls that match. */
  lit: ReadonlySet<string>;
  count: number;
}

/** What an expression finds; a call that matches lights its two ends, too. */
export function findIn(graph: Pick<Graph, "nodes" | "edges">, matches: (item: Findable) => boolean): Found {
  const nodes = graph.nodes.filter((node) => matches(findableNode(node)));
  const edges = graph.edges.filter((edge) => matches(findableEdge(edge)));
  const lit = new Set([
    ...nodes.map(({ id }) => id),
    ...edges.flatMap(({ id, source, target }) => [id, source, target]),
  ]);
  return { lit, count: nodes.length + edges.length };
}

/** Ids of exactly what matches: of a call without its ends. */
export const hitsOf = (graph: Pick<Graph, "nodes" | "edges">, matches: (item: Findable) => boolean): Set<string> =>
  new Set([
    ...graph.nodes.filter((node) => matches(findableNode(node))).map(({ id }) => id),
    ...graph.edges.filter((edge) => matches(findableEdge(edge))).map(({ id }) => id),
  ]);
