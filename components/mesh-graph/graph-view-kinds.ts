import type { Graph, GraphEdge, GraphNode, Recent, ServiceLink, Signals } from "../../server/contract/index.ts";
import { flowOf } from "./flow.ts";
import { worstHealth } from "./scene.ts";
import { sumSignals } from "./subject.ts";

/** What a node of the graph stands for, as in Kiali. https://kiali.io/docs/features/topology/#graph-types */
export const viewKinds = ["versions", "app", "workload", "service"] as const;
export type ViewKind = (typeof viewKinds)[number];

/** As an address names it. */
export const viewKindOf = (by: string | null): ViewKind => viewKinds.find((kind) => kind === by) ?? "versions";

type Shown = Pick<Graph, "nodes" | "edges">;

/**
 * The graph with other nodes: `versions` as it is; `app` with all versions of an app in one; `workload` with each workload by its own name;
 * `service` with the services that were called, and not what answered for them. Counts are sums; percentiles of several are weighted by rate.
 */
export function viewedAs(graph: Graph, kind: ViewKind): Graph {
  if (kind === "versions") return graph;
  const nodeOf = new Map(graph.nodes.map((node) => [node.id, renamed(node, kind)]));
  const called = (edge: GraphEdge): GraphNode | undefined => {
    const target = nodeOf.get(edge.target);
    if (kind !== "service" || !edge.to || !target || !isOfService(target)) return target;
    return ofService(target, edge.to);
  };
  const nodes = new Map<string, GraphNode[]>();
  const keep = (node: GraphNode) => nodes.set(node.id, [...(nodes.get(node.id) ?? []), node]);
  // What is called by another service's name stands there as that, too.
  const edges = graph.edges.flatMap((edge) => {
    const [source, target] = [nodeOf.get(edge.source), called(edge)];
    if (!source || !target) return [];
    if (target.id !== nodeOf.get(edge.target)?.id) keep({ ...target, signals: edge.signals, health: edge.health });
    return [{ ...edge, source: source.id, target: target.id }];
  });
  for (const node of graph.nodes) keep(nodeOf.get(node.id) ?? node);
  return { ...graph, ...mergedInto([...nodes.values()], edges) };
}

/** Those of the graph as it comes that stand behind these of the view. */
export function nodesBehind(graph: Pick<Graph, "nodes">, kind: ViewKind, shown: readonly GraphNode[]): GraphNode[] {
  const ids = new Set(shown.map(({ id }) => id));
  return graph.nodes.filter((node) => ids.has(kind === "versions" ? node.id : renamed(node, kind).id));
}

const isOfService = ({ kind }: GraphNode): boolean => kind === "workload" || kind === "external";

const ofService = (node: GraphNode, { namespace, name, hostname }: ServiceLink): GraphNode => ({
  ...node,
  id: `${namespace}/${hostname}`,
  name,
  namespace,
  version: null,
  workload: null,
  box: null,
});

function renamed(node: GraphNode, kind: ViewKind): GraphNode {
  if (node.kind !== "workload") return node;
  const { namespace, app, workload, services } = node;
  if (kind === "workload") {
    const name = node.group?.name ?? workload ?? app;
    return { ...node, id: `${namespace}/${name}`, name, box: null };
  }
  const [service] = services;
  if (kind === "service" && service) return ofService(node, service);
  return { ...node, id: `${namespace}/${app}`, version: null, workload: null, box: null };
}

function mergedInto(groups: readonly (readonly GraphNode[])[], edges: readonly GraphEdge[]): Shown {
  const merged = groups.flatMap((group) => {
    const [first] = group;
    return first ? [mergedNode(first, group)] : [];
  });
  const calls = Map.groupBy(edges, ({ source, target, protocol }) => `${source}>${target}:${protocol}`);
  return {
    nodes: merged,
    edges: [...calls].flatMap(([id, group]) => {
      const [first] = group;
      return first ? [mergedEdge(id, first, group)] : [];
    }),
  };
}

function mergedNode(first: GraphNode, all: readonly GraphNode[]): GraphNode {
  if (all.length === 1) return first;
  const links = new Map(
    all.flatMap(({ services }) => services).map((link) => [`${link.namespace}/${link.hostname}`, link]),
  );
  return {
    ...first,
    version: all.every(({ version }) => version === first.version) ? first.version : null,
    ...measuredTogether(first, all),
    badges: [...new Set(all.flatMap(({ badges }) => badges))],
    faults: [...new Set(all.flatMap(({ faults = [] }) => faults))],
    services: [...links.values()],
    idle: all.every(({ idle }) => idle),
  };
}

function mergedEdge(id: string, first: GraphEdge, all: readonly GraphEdge[]): GraphEdge {
  if (all.length === 1) return { ...first, id };
  const rate = all.reduce((sum, { signals }) => sum + signals.requestRate, 0);
  const bytes = flowOf(all.map(({ bytesPerSecond }) => bytesPerSecond));
  const messages = flowOf(all.map(({ messagesPerSecond }) => messagesPerSecond));
  const reported = (side: "source" | "destination") => {
    const told = all.flatMap((edge) => edge.reported[side] ?? []);
    return told.length === 0 ? null : sumSignals(told);
  };
  return {
    ...first,
    id,
    to: all.every(({ to }) => to?.hostname === first.to?.hostname) ? first.to : null,
    ...measuredTogether(first, all),
    reported: { source: reported("source"), destination: reported("destination") },
    codes: summed(all.map(({ codes }) => codes)),
    flags: summed(all.map(({ flags }) => flags)),
    grpcStatuses: summed(all.map(({ grpcStatuses = {} }) => grpcStatuses)),
    abandonedRate: all.reduce((sum, { abandonedRate = 0 }) => sum + abandonedRate, 0),
    faults: [...new Set(all.flatMap(({ faults = [] }) => faults))],
    mtls: rate === 0 ? first.mtls : all.reduce((sum, { mtls, signals }) => sum + mtls * signals.requestRate, 0) / rate,
    ...(bytes && { bytesPerSecond: bytes }),
    ...(messages && { messagesPerSecond: messages }),
  };
}

type Measured = Pick<GraphNode, "health" | "signals" | "recent">;

function measuredTogether({ signals: { thresholds } }: Measured, all: readonly Measured[]): Measured {
  const recent = recentOf(all);
  return {
    health: worstHealth(all.map(({ health }) => health)),
    signals: { ...sumSignals(all.map(({ signals }) => signals)), ...(thresholds && { thresholds }) },
    ...(recent && { recent }),
  };
}

/** What just happened to all of them: of those that say nothing of it, what their window says. */
function recentOf(all: readonly Measured[]): Recent | undefined {
  const [told] = all.flatMap(({ recent }) => recent ?? []);
  if (told === undefined) return undefined;
  const parts = all.map(({ recent, signals }): Pick<Signals, "requestRate" | "errorShare"> => recent ?? signals);
  const requestRate = parts.reduce((sum, part) => sum + part.requestRate, 0);
  const failed = parts.reduce((sum, part) => sum + part.requestRate * part.errorShare, 0);
  return { windowSec: told.windowSec, requestRate, errorShare: requestRate === 0 ? 0 : failed / requestRate };
}

function summed(all: readonly Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [key, value] of all.flatMap((one) => Object.entries(one))) sums[key] = (sums[key] ?? 0) + value;
  return sums;
}
