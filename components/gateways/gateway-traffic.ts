import type { GatewayRoute, GatewayView, Graph, GraphEdge, GraphNode, Signals } from "../../server/contract/index.ts";
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

/** Gateways that are served by the same proxies: by which one a request came no record says. */
export const besides = (gateway: GatewayView, all: readonly GatewayView[]): GatewayView[] =>
  all.filter((other) => other !== gateway && other.proxies?.some((proxy) => serves(gateway, proxy)));

const serves = ({ proxies }: GatewayView, { namespace, app }: { namespace: string; app: string }): boolean =>
  proxies?.some((proxy) => proxy.namespace === namespace && proxy.app === app) ?? false;

/** The one service that a rule sends to, by its hostname; null where it sends to several, or to none. */
export function onlyTarget({ rule, services }: GatewayRoute): string | null {
  const hosts = new Set(rule.destinations.map(({ host }, index) => services[index]?.hostname ?? host));
  const [only] = hosts;
  return hosts.size === 1 && only !== undefined ? only : null;
}

/** How many other rules of the same proxies send to the service of this one: they share its figures. */
export function rulesBeside(route: GatewayRoute, gateway: GatewayView, all: readonly GatewayView[]): number {
  const target = onlyTarget(route);
  const known = [gateway, ...besides(gateway, all)].flatMap(({ routes }) => routes);
  const rules = new Set(known.filter((other) => target !== null && onlyTarget(other) === target).map(ruleOf));
  return Math.max(0, rules.size - 1);
}

/** One rule of a VirtualService, which may be of several Gateways. */
const ruleOf = ({ virtualService: { namespace, name }, kind, rule }: GatewayRoute): string =>
  `${namespace}/${name}/${kind}/${rule.index}`;
