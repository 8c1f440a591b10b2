import { matchesLabels } from "../model/labels.ts";
import type { Mesh } from "../model/mesh.ts";
import { isTls } from "../model/protocol.ts";
import type { Service, ServicePort } from "../model/service.ts";
import type { L4MatchAttributes, PolicySettings, RouteDestination } from "../model/specs.ts";
import { meshGateway, type VirtualService } from "../model/virtual-service.ts";
import { findVirtualServices } from "../model/virtual-services.ts";
import { shortNames } from "./domains.ts";
import { isForwarded } from "./forward-proxy.ts";
import { configPath } from "./metadata.ts";
import { outboundCluster } from "./names.ts";
import { clusterOf } from "./routes.ts";
import { ruleFor, type Scope } from "./scope.ts";
import { trafficPolicy } from "./traffic-policy.ts";

/** A filter chain before it is Envoy's: which connections, and where they go. */
export interface L4Chain {
  /** Server names that the client may ask for; none: any connection, TLS or not. */
  sniHosts: readonly string[];
  /** Only for connections of the mesh's mutual TLS. */
  isMutualTls?: boolean;
  statPrefix: string;
  clusters: readonly { name: string; weight: number }[];
  /** Go durations of the first destination's policy. */
  idleTimeout: string | undefined;
  maxDuration: string | undefined;
  /** The VirtualService's path, and where in its `spec` the rule stands. */
  origin: { config: string; rule: string } | undefined;
  /** Where the server name that the client asked for is to be found, by DNS, on this port; undefined: the clusters know. */
  forwardPort: number | undefined;
  /** Of the first destination's policy: a client's connections go to one endpoint. */
  hashesSourceIp: boolean;
  tunnel: PolicySettings["tunnel"];
}

/** A chain that stands only where the listener's address is in one of the subnets; none: everywhere. */
export interface L4Rule extends L4Chain {
  subnets: readonly string[];
}

/** Where a rule is applied: `gateway` is `mesh`, or the `<namespace>/<name>` of the Gateway. */
export interface L4Context {
  mesh: Mesh;
  scope: Scope;
  port: number;
  gateway: string;
}

/**
 * The chains of one port of a service, as a client's proxy has them: the VirtualService's rules for the port, else everything
 * to the service. https://istio.io/latest/docs/reference/config/networking/virtual-service/#TLSRoute and #TCPRoute
 */
export function serviceChains(mesh: Mesh, scope: Scope, service: Service, port: ServicePort): L4Rule[] {
  const context = { mesh, scope, port: port.port, gateway: meshGateway };
  const virtualServices = findVirtualServices(scope.virtualServices, service.hostname, scope.namespace);
  if (isTls(port.protocol)) {
    const ruled = firstWithRules(virtualServices, (it) => tlsChains(it, context));
    return ruled.length > 0 ? ruled : [passThrough(context, service, serverNames(service.hostname, scope.domain))];
  }
  const ruled = firstWithRules(virtualServices, (it) => tcpChains(it, context));
  const takesAll = ruled.some((chain) => chain.subnets.length === 0);
  return takesAll ? ruled : [...ruled, passThrough(context, service, [])];
}

function firstWithRules(all: readonly VirtualService[], rules: (it: VirtualService) => L4Rule[]): L4Rule[] {
  for (const virtualService of all) {
    const found = rules(virtualService);
    if (found.length > 0) return found;
  }
  return [];
}

/** Of several rules with one server name the first counts. */
export function tlsChains(virtualService: VirtualService, context: L4Context): L4Rule[] {
  return virtualService.tls.flatMap(({ match, route }, index) =>
    match
      .map((it, place) => ({ it, rule: `tls[${index}].match[${place}]` }))
      .filter(({ it }) => applies(it, context))
      .map(({ it, rule }) => ({
        ...chainTo(route, virtualService, rule, context),
        sniHosts: it.sniHosts.map((host) => host.toLowerCase()),
        subnets: it.destinationSubnets ?? [],
      })),
  );
}

/** Up to the first rule that takes everything. */
export function tcpChains(virtualService: VirtualService, context: L4Context): L4Rule[] {
  const chains: L4Rule[] = [];
  for (const [index, { match, route }] of virtualService.tcp.entries()) {
    const matching = (match ?? []).filter((it) => applies(it, context));
    if (match?.length && matching.length === 0) continue;
    const chain = chainTo(route, virtualService, `tcp[${index}]`, context);
    if (matching.every((it) => it.destinationSubnets?.length)) {
      const subnets = matching.flatMap((it) => it.destinationSubnets ?? []);
      chains.push({ ...chain, subnets });
      if (subnets.length > 0) continue;
      return chains;
    }
    chains.push(chain);
    return chains;
  }
  return chains;
}

/** Server names by which a client may call a host: its own name and, inside the mesh, the short ones. */
function serverNames(hostname: string, clientDomain: string): string[] {
  return [hostname, ...shortNames(hostname, clientDomain)];
}

function applies(match: Omit<L4MatchAttributes, "sourceSubnet">, { port, gateway, scope }: L4Context): boolean {
  if (match.port && match.port !== port) return false;
  if (match.gateways?.length && !match.gateways.includes(gateway)) return false;
  // Whoever calls a gateway has no labels.
  if (gateway !== meshGateway) return true;
  if (!matchesLabels(match.sourceLabels ?? {}, scope.labels)) return false;
  return !match.sourceNamespace || match.sourceNamespace === scope.namespace;
}

/** Stat prefixes are Istio's: the cluster's name for one destination, `<name>.<namespace>` of the VirtualService for several. */
function chainTo(
  route: readonly RouteDestination[],
  virtualService: VirtualService,
  rule: string,
  context: L4Context,
): L4Rule {
  const several = route.length > 1;
  const clusters = route
    .filter((it) => !several || (it.weight ?? 0) > 0)
    .map((it) => ({ name: clusterOf(it.destination, context), weight: several ? (it.weight ?? 0) : 1 }));
  const [first] = clusters;
  return {
    sniHosts: [],
    subnets: [],
    statPrefix: several ? `${virtualService.name}.${virtualService.namespace}` : (first?.name ?? ""),
    clusters,
    ...limits(context, first?.name ?? ""),
    origin: { config: configPath("virtual-service", virtualService.namespace, virtualService.name), rule },
    forwardPort: forwardPort(context.scope, first?.name ?? ""),
  };
}

function passThrough(context: L4Context, service: Service, sniHosts: readonly string[]): L4Rule {
  const name = outboundCluster(context.port, "", service.hostname);
  const clusters = [{ name, weight: 1 }];
  return {
    sniHosts,
    subnets: [],
    statPrefix: name,
    clusters,
    ...limits(context, name),
    origin: undefined,
    forwardPort: forwardPort(context.scope, name),
  };
}

function forwardPort(scope: Scope, cluster: string): number | undefined {
  const [, port, , host = ""] = cluster.split("|");
  const service = scope.services.get(host);
  return service && isForwarded(service) ? Number(port) : undefined;
}

type Limits = Pick<L4Chain, "idleTimeout" | "maxDuration" | "hashesSourceIp" | "tunnel">;

function limits({ mesh, scope }: L4Context, cluster: string): Limits {
  const [, port, subset = "", host = ""] = cluster.split("|");
  const policy = trafficPolicy(ruleFor(mesh, host, scope), subset, Number(port));
  const { connectionPool, loadBalancer, tunnel } = policy;
  return {
    idleTimeout: connectionPool?.tcp?.idleTimeout,
    maxDuration: connectionPool?.tcp?.maxConnectionDuration,
    hashesSourceIp: loadBalancer?.consistentHash?.useSourceIp ?? false,
    tunnel,
  };
}
