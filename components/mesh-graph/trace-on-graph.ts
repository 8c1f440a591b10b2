import type { Graph, GraphEdge, Trace, TraceSpan } from "../../server/contract/index.ts";

/** One trace's way over the graph. */
export interface TraceOnGraph {
  /** Ids of the nodes and calls that it went by. */
  lit: ReadonlySet<string>;
  /** By call: how long it took in all, milliseconds, how often it was made, and whether any failed. */
  calls: ReadonlyMap<string, { durationMs: number; count: number; failed: boolean }>;
}

type Nodes = Pick<Graph, "nodes" | "edges">;

/**
 * Where a trace went: each span stands at the node of its service and version, and a span whose parent stands elsewhere is a call between the two. A call that reached nobody
 * who could tell of it is found by the host that was called.
 */
export function traceOnGraph(graph: Nodes, trace: Pick<Trace, "tree">): TraceOnGraph {
  const nodeOf = new Map(trace.tree.map((span) => [span.spanId, nodeAt(graph, span)]));
  const lit = new Set<string>();
  const calls = new Map<string, { durationMs: number; count: number; failed: boolean }>();
  const parents = new Set(trace.tree.map(({ parentSpanId }) => parentSpanId));
  const add = (edge: GraphEdge, span: TraceSpan, failed: boolean) => {
    const before = calls.get(edge.id) ?? { durationMs: 0, count: 0, failed: false };
    calls.set(edge.id, {
      durationMs: before.durationMs + span.durationUs / 1000,
      count: before.count + 1,
      failed: before.failed || failed,
    });
    for (const id of [edge.id, edge.source, edge.target]) lit.add(id);
  };
  const bySpan = new Map(trace.tree.map((span) => [span.spanId, span]));
  for (const span of trace.tree) {
    const here = nodeOf.get(span.spanId);
    if (here !== undefined) lit.add(here);
    const parent = bySpan.get(span.parentSpanId);
    const there = parent && nodeOf.get(parent.spanId);
    const edge =
      there === undefined || here === undefined || there === here ? undefined : edgeBetween(graph, there, here);
    // The caller's proxy knows how long its caller waited.
    if (edge && parent) add(edge, parent.proxy ? parent : span, parent.error || span.error);
    const lost = here !== undefined && !parents.has(span.spanId) ? unansweredCall(graph, here, span) : undefined;
    if (lost) add(lost, span, span.error);
  }
  const [root] = trace.tree;
  const first = root && nodeOf.get(root.spanId);
  const entry = graph.edges.find((edge) => edge.target === first && isClient(graph, edge.source));
  if (entry && root) add(entry, root, root.error);
  return { lit, calls };
}

const isClient = ({ nodes }: Nodes, id: string): boolean => nodes.find((node) => node.id === id)?.kind === "source";

/** Proxies name their service `<app>.<namespace>`. */
function nodeAt({ nodes }: Nodes, { service, version, missing }: TraceSpan): string | undefined {
  if (missing) return undefined;
  const own = nodes.filter((node) => `${node.app}.${node.namespace}` === service);
  return (own.find((node) => version !== null && node.version === version) ?? (own.length === 1 ? own[0] : undefined))
    ?.id;
}

const edgeBetween = ({ edges }: Nodes, source: string, target: string): GraphEdge | undefined =>
  edges.find((edge) => edge.source === source && edge.target === target);

/** A proxy's call out whose other end sent no span. */
function unansweredCall({ edges }: Nodes, source: string, { proxy, attributes }: TraceSpan): GraphEdge | undefined {
  const cluster = attributes.upstream_cluster;
  const [direction, , , host] = typeof cluster === "string" ? cluster.split("|") : [];
  if (!proxy || direction !== "outbound") return undefined;
  return edges.find((edge) => edge.source === source && edge.service === host);
}
