import type { GatewayView, Graph, GraphEdge, GraphNode, Signals } from "../../server/contract/index.ts";
import { sumSignals } from "../mesh-graph/subject.ts";

/** Nodes of the graph that are the proxies of a Gateway. */
export const gatewayNodes = ({ proxies }: GatewayView, { nodes }: Pick<Graph, "nodes">): GraphNode[] =>
  nodes.filter(
    (node) =>
      node.kind === "gateway" &&
      proxies?.some(({ namespace, app }) => namespace === node.namespace && app === node.app),
  );

/** What comes in by all of them; null where there are none. */
export const enteringSignals = (nodes: readonly GraphNode[]): Signals | null =>
  nodes.length === 0 ? null : sumSignals(nodes.map(({ signals }) => signals));

/** What these proxies send to a service. Which rule it came by no record says: rules of one service share it. */
export function signalsTo(
  nodes: readonly GraphNode[],
  { edges }: { edges: readonly GraphEdge[] },
  hostname: string,
): Signals | null {
  const ids = new Set(nodes.map(({ id }) => id));
  const found = edges.filter(({ source, service }) => ids.has(source) && service === hostname);
  return found.length === 0 ? null : sumSignals(found.map(({ signals }) => signals));
}
