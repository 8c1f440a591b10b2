import type { Cluster } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { TypedExtensionConfig } from "../gen/proto/envoy/config/core/v3/extension_pb.js";
import type { Listener } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import type { VirtualHost } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { RouteConfiguration } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { mappedEntries } from "../lib/lineage.ts";
import { memo } from "../lib/memo.ts";
import { gatewaysOf } from "../model/gateways.ts";
import { compare } from "../model/hostname.ts";
import type { Mesh } from "../model/mesh.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { trustDomainsOf } from "../model/trust-domains.ts";
import { blackHole, outboundClusters, passthrough } from "./clusters.ts";
import { takesVirtualHosts } from "./config-source.ts";
import { gatewayPort, isGrpcWeb, isPlainHttp } from "./gateway-listeners.ts";
import { gatewayTargetPort } from "./gateway-ports.ts";
import { type BoundServer, gatewayRouteTable } from "./gateway-routes.ts";
import { type GuardContext, type Guards, guardsAt } from "./guards.ts";
import { type InboundPort, inboundCluster, inboundPorts, interceptedPorts } from "./inbound.ts";
import {
  inboundPassthrough,
  interceptedCluster,
  interceptedListener,
  originalPassthrough,
  virtualInbound,
  virtualOutbound,
} from "./interception.ts";
import { gatewayListener, inboundListener, outboundListener, outboundPortListener } from "./listeners.ts";
import { gatewayRoute, httpProxyRoute } from "./names.ts";
import { defaultTranslateOptions, type TranslateOptions } from "./options.ts";
import { interceptedAddresses, outboundPorts } from "./outbound-ports.ts";
import { patched } from "./patches/patched.ts";
import { translateProxyless } from "./proxyless.ts";
import { rateLimitConfigs } from "./rate-limits.ts";
import type { TimedResources } from "./resources.ts";
import { type RouteTable, routeShell, wholeRouteConfiguration } from "./route-configurations.ts";
import { runtimeLayers } from "./runtime-layers.ts";
import { scopeOf } from "./scope.ts";
import { telemetryOf } from "./telemetry.ts";
import { interceptedTables, sidecarVirtualHosts } from "./virtual-hosts.ts";

/** The proxy asks for something that is not built: better no config than a wrong one. */
export class UnsupportedProxyError extends Error {
  readonly code = "UNSUPPORTED";
}

/** What the installation has, where the mesh says nothing else. */
function settledBy(
  { pathNormalization, accessLogFile, tracingSampling }: MeshSettings,
  telemetry: TranslateOptions["telemetry"],
  options: TranslateOptions,
): TranslateOptions {
  const own = {
    ...(accessLogFile && { accessLogFile }),
    ...(tracingSampling !== undefined && { tracingSamplingPercent: tracingSampling }),
    ...(telemetry && { telemetry }),
  };
  // Most meshes say nothing of it.
  return pathNormalization === "BASE" && Object.keys(own).length === 0
    ? options
    : { ...options, pathNormalization, ...own };
}

/**
 * All that a proxy is to hold, from the mesh alone: pure, and equal bytes for equal meshes. Whatever did not change since another
 * mesh is the very same object, for proxies of one scope shared among them. Throws `UnsupportedProxyError`.
 */
export function translate(
  mesh: Mesh,
  proxy: MeshProxy,
  options: TranslateOptions = defaultTranslateOptions,
): TimedResources {
  if (proxy.proxyless) return translateProxyless(mesh, proxy, options);
  const scope = scopeOf(mesh, proxy);
  const telemetry = telemetryOf(mesh, proxy, scope, () => outboundClusters(mesh, scope, options).clusters);
  const settled = settledBy(mesh.settings, telemetry, options);
  const resources =
    proxy.type === "router" ? translateRouter(mesh, proxy, settled) : translateSidecar(mesh, proxy, settled);
  return patched(mesh, proxy, resources);
}

function translateSidecar(mesh: Mesh, proxy: MeshProxy, options: TranslateOptions): TimedResources {
  if (proxy.interception !== "NONE") return translateIntercepted(mesh, proxy, options);
  const scope = scopeOf(mesh, proxy);
  const outbound = outboundClusters(mesh, scope, options);
  const context: GuardContext = { mesh, scope, proxy, clusters: outbound.clusters, options };
  const inbound = inboundPorts(mesh, proxy, scope.sidecar).map((at) => ({ at, guards: guardsAt(context, at.port) }));
  const own = [
    ...(scope.sidecar?.allowsAny ? [passthrough] : []),
    blackHole,
    ...inbound.map(({ at }) => inboundCluster(proxy, at)),
    ...clustersOf(inbound.map(({ guards }) => guards)),
  ];
  const table: RouteTable = {
    name: httpProxyRoute,
    virtualHosts: sidecarVirtualHosts(mesh, scope),
    ignorePort: false,
  };
  return {
    listeners: byName(proxy, "listeners", [
      outboundListener(proxy, options),
      ...inbound.map(({ at, guards }) => inboundListener(proxy, at, trustDomainsOf(mesh), guards, options)),
      ...outboundPorts(mesh, scope, proxy).map((port) => outboundPortListener(proxy, port, options)),
    ]),
    ...routesOf(proxy, [table]),
    clusters: withOwn(proxy, outbound.clusters, own),
    endpoints: outbound.endpoints,
    extensionConfigs: rateLimitsOf(proxy, inbound),
    ...runtimeLayers(mesh, proxy, options),
  };
}

/** Traffic comes to it by iptables, as to every stock Istio sidecar. */
function translateIntercepted(mesh: Mesh, proxy: MeshProxy, options: TranslateOptions): TimedResources {
  if (proxy.bundled) {
    throw new UnsupportedProxyError(
      `${proxy.id}: interception ${proxy.interception} is Envoy's; the bundled sidecar needs node metadata INTERCEPTION_MODE NONE`,
    );
  }
  const scope = scopeOf(mesh, proxy);
  const outbound = outboundClusters(mesh, scope, options);
  const context: GuardContext = { mesh, scope, proxy, clusters: outbound.clusters, options };
  const others = guardsAt(context, undefined);
  const inbound = interceptedPorts(mesh, proxy, scope.sidecar).map((at) => ({
    at,
    guards: guardsAt(context, at.port),
  }));
  // Istio's default is ALLOW_ANY.
  const allowsAny = scope.sidecar?.allowsAny ?? true;
  const tables = interceptedTables(mesh, scope, allowsAny);
  const httpPorts = new Set(tables.map(({ name }) => Number(name)));
  return {
    listeners: byName(proxy, "listeners", [
      virtualOutbound(proxy, allowsAny, options),
      ...interceptedAddresses(mesh, scope, httpPorts).map((at) => interceptedListener(proxy, at, allowsAny, options)),
      virtualInbound(mesh, proxy, inbound, others, options),
    ]),
    ...routesOf(proxy, tables),
    clusters: withOwn(proxy, outbound.clusters, [
      originalPassthrough,
      inboundPassthrough,
      blackHole,
      ...inbound.map(({ at }) => interceptedCluster(at)),
      ...clustersOf([others, ...inbound.map(({ guards }) => guards)]),
    ]),
    endpoints: outbound.endpoints,
    extensionConfigs: rateLimitsOf(proxy, inbound),
    ...runtimeLayers(mesh, proxy, options),
  };
}

function translateRouter(mesh: Mesh, proxy: MeshProxy, options: TranslateOptions): TimedResources {
  const scope = scopeOf(mesh, proxy);
  const outbound = outboundClusters(mesh, scope, options);
  const guards = guardsAt({ mesh, scope, proxy, clusters: outbound.clusters, options }, undefined);
  const servers = serversOf(mesh, proxy);
  const ports = byAddress(servers.filter(isPlainHttp));
  // A port has one protocol: the older server's, of HTTP and the rest HTTP's.
  const taken = new Set(ports.map(({ at }) => gatewayRoute(at.port, at.bind)));
  const context = { mesh, scope, proxy, clusters: outbound.clusters, guards, options };
  const others = byAddress(
    servers.filter((it) => !isPlainHttp(it) && !taken.has(gatewayRoute(it.port, it.server.bind))),
  ).flatMap(({ at, servers }) => gatewayPort(context, at, servers) ?? []);
  return {
    listeners: byName(proxy, "listeners", [
      ...ports.map(({ at, servers }) => gatewayListener(proxy, at, servers.some(isGrpcWeb), guards, options)),
      ...others.map(({ listener }) => listener),
    ]),
    ...routesOf(proxy, [
      ...ports.map(({ at, servers }) => {
        const named = { port: at.port, name: gatewayRoute(at.port, at.bind) };
        return gatewayRouteTable(mesh, scope, named, servers, proxy.portOffset);
      }),
      ...others.flatMap(({ tables }) => tables),
    ]),
    clusters: withOwn(proxy, outbound.clusters, [
      blackHole,
      ...guards.clusters,
      ...others.flatMap(({ clusters }) => clusters),
    ]),
    endpoints: outbound.endpoints,
    extensionConfigs: noExtensionConfigs,
    ...runtimeLayers(mesh, proxy, options),
  };
}

const clustersOf = (guards: readonly Guards[]): Cluster[] => [...new Set(guards.flatMap(({ clusters }) => clusters))];

const serversOf = (mesh: Mesh, proxy: MeshProxy): BoundServer[] =>
  gatewaysOf(mesh.gateways, proxy.labels).flatMap((gateway) =>
    gateway.servers.map((server) => ({ gateway, server, port: gatewayTargetPort(mesh, proxy, server.port) })),
  );

/** Servers that share a port, by port. */
const byAddress = (servers: readonly BoundServer[]) =>
  [...Map.groupBy(servers, ({ port, server }) => gatewayRoute(port, server.bind)).values()]
    .flatMap(([first, ...more]) =>
      first ? [{ at: { port: first.port, bind: first.server.bind }, servers: [first, ...more] }] : [],
    )
    .sort((a, b) => a.at.port - b.at.port || compare(a.at.bind ?? "", b.at.bind ?? ""));

function routesOf(proxy: MeshProxy, tables: readonly RouteTable[]): Pick<TimedResources, "routes" | "virtualHosts"> {
  const toConfiguration = takesVirtualHosts(proxy) ? routeShell : wholeRouteConfiguration;
  return {
    routes: byName<RouteConfiguration>(proxy, "routes", tables.map(toConfiguration)),
    virtualHosts: takesVirtualHosts(proxy) ? vhdsResources(proxy, tables) : noVirtualHosts,
  };
}

const noExtensionConfigs: ReadonlyMap<string, TypedExtensionConfig> = new Map();

function rateLimitsOf(
  proxy: MeshProxy,
  inbound: readonly { at: InboundPort }[],
): ReadonlyMap<string, TypedExtensionConfig> {
  const configs = inbound.flatMap(({ at }) => rateLimitConfigs(at.limits, proxy));
  return configs.length === 0
    ? noExtensionConfigs
    : memo(proxy, "extension-configs", configs, () => new Map(configs.map((config) => [config.name, config])));
}

const noVirtualHosts: ReadonlyMap<string, VirtualHost> = new Map();

function vhdsResources(proxy: MeshProxy, tables: readonly RouteTable[]): ReadonlyMap<string, VirtualHost> {
  const maps = tables.map(({ name: table, virtualHosts }) =>
    mappedEntries(
      virtualHosts,
      `vhds ${table}`,
      (host) => host,
      (name) => `${table}/${name}`,
    ),
  );
  const [only] = maps;
  if (maps.length === 1 && only) return only;
  return memo(proxy, "virtual-hosts", maps, () => new Map(maps.flatMap((map) => [...map])));
}

/** Maps keep their identity too, so that a caller can skip a whole type. */
function byName<T extends Listener | RouteConfiguration>(
  proxy: MeshProxy,
  what: string,
  messages: readonly T[],
): ReadonlyMap<string, T> {
  return memo(proxy, what, messages, () => new Map(messages.map((message) => [message.name, message])));
}

/** One map for all proxies whose own clusters are alike, as replicas' are. */
const withOwn = (proxy: MeshProxy, shared: ReadonlyMap<string, Cluster>, own: readonly Cluster[]) =>
  memo(proxy, "clusters", [shared, ...own], () =>
    memo(shared, `with own ${own.map(identityOf).join(" ")}`, [], () => {
      const all = new Map(shared);
      for (const cluster of own) all.set(cluster.name, cluster);
      return all;
    }),
  );

const identities = new WeakMap<object, number>();
let identityCount = 0;

function identityOf(message: object): number {
  const known = identities.get(message) ?? ++identityCount;
  identities.set(message, known);
  return known;
}
