import type { Graph, GraphEdge, GraphNode, Health, ServiceLink, Signals } from "../../server/contract/index.ts";
import { worstHealth } from "./scene.ts";

/** What the side panel is about: one node, or all versions of a box. */
export interface Subject {
  name: string;
  app: string;
  namespace: string;
  /** One version; null: the whole service, or something without versions. */
  version: string | null;
  /** It is one workload by its own name, and not all that answers for a service. */
  isWorkload: boolean;
  nodes: GraphNode[];
  health: Health;
  /** The service behind it, by the registry's word; null for a traffic source, a gateway, and what the registry does not know. */
  service: ServiceLink | null;
  callers: GraphEdge[];
  calls: GraphEdge[];
}

/** What a node is called, without its version. */
export const titleOf = ({ name, app }: Pick<GraphNode, "name" | "app">): string => name ?? app;

/**
 * `<namespace>/<app>/<version>` is a node; `<namespace>/<app>` a box, or the only version of an app; `<namespace>/<hostname>` a service's
 * nodes. Null: not in the graph.
 */
export function subjectOf(graph: Pick<Graph, "nodes" | "edges">, id: string): Subject | null {
  const exact = graph.nodes.filter((node) => node.id === id);
  const nodes =
    exact.length > 0
      ? exact
      : graph.nodes.filter(
          (node) =>
            node.box === id ||
            `${node.namespace}/${node.app}` === id ||
            node.services.some(({ namespace, hostname }) => `${namespace}/${hostname}` === id),
        );
  const first = nodes[0];
  if (!first) return null;
  const ids = new Set(nodes.map((node) => node.id));
  const isWorkload = first.name !== undefined && first.workload !== null;
  const callers = graph.edges.filter((edge) => ids.has(edge.target));
  return {
    name: titleOf(first),
    app: first.app,
    namespace: first.namespace,
    version: nodes.length === 1 && exact.length === 1 && (first.box !== null || isWorkload) ? first.version : null,
    isWorkload,
    nodes,
    health: worstHealth(nodes.map((node) => node.health)),
    service: serviceOf(first, callers),
    callers,
    calls: graph.edges.filter((edge) => ids.has(edge.source)),
  };
}

/** The one that it is called by, of several that it stands behind; nothing is guessed. */
function serviceOf(node: GraphNode, callers: readonly GraphEdge[]): ServiceLink | null {
  if (node.kind === "gateway") return null;
  const called = callers.find(({ to }) => to !== null)?.to;
  return called ?? node.services[0] ?? null;
}

/** Several nodes' signals as one; latencies are weighted by rate, good enough until the service's own numbers are read. */
export function sumSignals(all: readonly Signals[]): Signals {
  const requestRate = all.reduce((sum, signals) => sum + signals.requestRate, 0);
  const weighted = (value: (signals: Signals) => number | null): number | null => {
    const known = all.filter((signals) => value(signals) !== null && signals.requestRate > 0);
    const rate = known.reduce((sum, signals) => sum + signals.requestRate, 0);
    return rate === 0
      ? null
      : known.reduce((sum, signals) => sum + (value(signals) ?? 0) * signals.requestRate, 0) / rate;
  };
  return {
    requestRate,
    errorShare: weighted((signals) => signals.errorShare) ?? 0,
    clientErrorShare: weighted((signals) => signals.clientErrorShare) ?? 0,
    latencyMsP50: weighted((signals) => signals.latencyMsP50),
    latencyMsP90: weighted((signals) => signals.latencyMsP90),
    latencyMsP95: weighted((signals) => signals.latencyMsP95),
    latencyMsP99: weighted((signals) => signals.latencyMsP99),
  };
}
