import type { Graph, GraphEdge, GraphNode, Signals } from "../../server/contract/index.ts";
import type { Findable } from "./find.ts";
import { titleOf } from "./subject.ts";

const measured = (signals: Signals): Omit<Findable, "text" | "facts" | "words" | "bytes"> => ({
  errors: signals.errorShare,
  rate: signals.requestRate,
  p50: signals.latencyMsP50,
  p95: signals.latencyMsP95,
  p99: signals.latencyMsP99,
  "client-errors": signals.clientErrorShare,
});

const lower = (...values: readonly (string | null)[]): string[] =>
  values.flatMap((value) => (value === null ? [] : value.toLowerCase()));

/** Of which there were any. */
const told = (rates: Record<string, number> = {}): string[] =>
  Object.keys(rates).filter((key) => (rates[key] ?? 0) > 0);

const findableNode = (node: GraphNode): Findable => ({
  ...measured(node.signals),
  bytes: null,
  words: {
    name: lower(titleOf(node)),
    app: lower(node.app),
    namespace: lower(node.namespace),
    version: lower(node.version),
    workload: lower(node.workload),
    kind: [node.kind],
    service: lower(...node.services.flatMap(({ name, hostname }) => [name, hostname])),
  },
  text: `${node.namespace}/${node.app}/${node.version ?? ""} ${node.workload ?? ""} ${node.kind}`.toLowerCase(),
  facts: new Set([...node.badges, node.health, ...(node.idle ? ["idle"] : [])]),
});

const findableEdge = (edge: GraphEdge, nameOf: (id: string) => string): Findable => ({
  ...measured(edge.signals),
  bytes: edge.bytesPerSecond ? edge.bytesPerSecond.sent + edge.bytesPerSecond.received : null,
  words: {
    from: lower(nameOf(edge.source)),
    to: lower(nameOf(edge.target)),
    service: lower(edge.service, edge.to?.name ?? null),
    protocol: [edge.protocol],
    code: told(edge.codes),
    "grpc-status": told(edge.grpcStatuses),
  },
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

function nodeNames({ nodes }: Pick<Graph, "nodes">): (id: string) => string {
  const names = new Map(nodes.map((node) => [node.id, titleOf(node)]));
  return (id) => names.get(id) ?? id;
}

/** What an expression finds; a call that matches lights its two ends, too. */
export function findIn(graph: Pick<Graph, "nodes" | "edges">, matches: (item: Findable) => boolean): Found {
  const nodes = graph.nodes.filter((node) => matches(findableNode(node)));
  const nameOf = nodeNames(graph);
  const edges = graph.edges.filter((edge) => matches(findableEdge(edge, nameOf)));
  const lit = new Set([
    ...nodes.map(({ id }) => id),
    ...edges.flatMap(({ id, source, target }) => [id, source, target]),
  ]);
  return { lit, count: nodes.length + edges.length };
}

/** Ids of exactly what matches: of a call without its ends. */
export function hitsOf(graph: Pick<Graph, "nodes" | "edges">, matches: (item: Findable) => boolean): Set<string> {
  const nameOf = nodeNames(graph);
  return new Set([
    ...graph.nodes.filter((node) => matches(findableNode(node))).map(({ id }) => id),
    ...graph.edges.filter((edge) => matches(findableEdge(edge, nameOf))).map(({ id }) => id),
  ]);
}
