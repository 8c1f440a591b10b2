import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { type Listener, ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { type VirtualHost, VirtualHostSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { type RouteConfiguration, RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { HTTPFaultSchema } from "../gen/proto/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { RouterSchema } from "../gen/proto/envoy/extensions/filters/http/router/v3/router_pb.js";
import {
  HttpConnectionManagerSchema,
  type HttpFilterSchema,
} from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { memo } from "../lib/memo.ts";
import type { Mesh } from "../model/mesh.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { outboundClusters } from "./clusters.ts";
import { type ConfigWay, configWay } from "./config-source.ts";
import { faultFilter } from "./fault.ts";
import { outboundCluster } from "./names.ts";
import type { TranslateOptions } from "./options.ts";
import { outlierDetectionByShare } from "./outlier.ts";
import type { TimedResources } from "./resources.ts";
import { runtimeLayers } from "./runtime-layers.ts";
import { scopeOf } from "./scope.ts";
import { sidecarVirtualHosts } from "./virtual-hosts.ts";

/**
 * What a gRPC application without a proxy takes part by: for `xds:///<host>:<port>` an API listener of that name, its route configuration, and the
 * mesh's clusters and endpoints. Only what gRPC's own clients understand goes in, for they refuse a resource whole.
 * https://github.com/grpc/proposal/blob/master/A28-xds-traffic-splitting-and-routing.md
 */
export function translateProxyless(mesh: Mesh, proxy: MeshProxy, options: TranslateOptions): TimedResources {
  const scope = scopeOf(mesh, proxy);
  const way = configWay(proxy);
  const hosts = sidecarVirtualHosts(mesh, scope);
  const { clusters, endpoints } = outboundClusters(mesh, scope, options);
  const routes = memo(hosts, "proxyless routes", [], () => {
    const all = [...hosts.values()].flatMap((host) => routeOf(host) ?? []);
    return new Map(all.map((route) => [route.name, route]));
  });
  return {
    routes,
    listeners: memo(hosts, `proxyless listeners ${way.key}`, [], () => {
      const all = [...hosts.values()].flatMap((host) => listenerOf(host, way) ?? []);
      return new Map(all.map((listener) => [listener.name, listener]));
    }),
    virtualHosts: none,
    clusters: memo(clusters, "proxyless clusters", [], () => {
      const all = [...clusters.values()].flatMap((cluster) => clusterOf(cluster) ?? []);
      return new Map(all.map((cluster) => [cluster.name, cluster]));
    }),
    endpoints,
    extensionConfigs: new Map(),
    ...runtimeLayers(mesh, proxy, options),
  };
}

const none: ReadonlyMap<string, never> = new Map<string, never>();

/** A virtual host of the sidecars is named by what a gRPC application dials. */
function addressOf({ name }: VirtualHost): { host: string; port: number } | undefined {
  const [, host, port] = /^(.+):(\d+)$/.exec(name) ?? [];
  return host === undefined || host.includes("*") ? undefined : { host, port: Number(port) };
}

const routeName = ({ host, port }: { host: string; port: number }): string => outboundCluster(port, "", host);

/** Whoever dials has said which host is meant: the authority of its calls may be anything. */
const routeOf = (host: VirtualHost): RouteConfiguration | undefined =>
  memo(host, "proxyless", [], () => {
    const address = addressOf(host);
    if (!address) return undefined;
    const routes = host.routes.map((route) => ({ ...route, typedPerFilterConfig: known(route.typedPerFilterConfig) }));
    const only = create(VirtualHostSchema, { ...host, domains: ["*"], routes, typedPerFilterConfig: {} });
    return create(RouteConfigurationSchema, { name: routeName(address), virtualHosts: [only] });
  });

/** Of the filters that routes configure, gRPC has faults. */
function known<T>(configs: Record<string, T>): Record<string, T> {
  const fault = configs[faultFilter];
  return fault === undefined ? {} : { [faultFilter]: fault };
}

const listenerOf = (virtualHost: VirtualHost, way: ConfigWay): Listener | undefined =>
  memo(virtualHost, `proxyless listener ${way.key}`, [], () => {
    const address = addressOf(virtualHost);
    if (!address) return undefined;
    const { host, port } = address;
    const manager = create(HttpConnectionManagerSchema, {
      statPrefix: virtualHost.name,
      routeSpecifier: { case: "rds", value: { configSource: way.source, routeConfigName: routeName(address) } },
      httpFilters: filters,
    });
    return create(ListenerSchema, {
      name: `${host}:${port}`,
      apiListener: { apiListener: anyPack(HttpConnectionManagerSchema, manager) },
    });
  });

const filters: MessageInitShape<typeof HttpFilterSchema>[] = [
  {
    name: faultFilter,
    configType: { case: "typedConfig", value: anyPack(HTTPFaultSchema, create(HTTPFaultSchema)) },
  },
  {
    name: "envoy.filters.http.router",
    configType: { case: "typedConfig", value: anyPack(RouterSchema, create(RouterSchema)) },
  },
];

/**
 * Endpoints come over EDS only, in plain text: gRPC takes certificates from providers of its bootstrap, of which we know nothing. It knows
 * round robin everywhere, and least request not at all in most languages.
 */
const clusterOf = (cluster: Cluster): Cluster | undefined =>
  memo(cluster, "proxyless", [], () => {
    const { clusterDiscoveryType: discovery, edsClusterConfig, outlierDetection, circuitBreakers } = cluster;
    if (discovery.case !== "type" || discovery.value !== Cluster_DiscoveryType.EDS) return undefined;
    const isRing = cluster.lbPolicy === Cluster_LbPolicy.RING_HASH;
    return create(ClusterSchema, {
      name: cluster.name,
      clusterDiscoveryType: discovery,
      edsClusterConfig,
      outlierDetection: outlierDetectionByShare(outlierDetection),
      circuitBreakers,
      metadata: cluster.metadata,
      // It tells the control plane what load it sends, over the connection by which it is configured.
      lrsServer: { configSourceSpecifier: { case: "self", value: {} } },
      lbPolicy: isRing ? Cluster_LbPolicy.RING_HASH : Cluster_LbPolicy.ROUND_ROBIN,
      ...(isRing && { lbConfig: cluster.lbConfig }),
    });
  });
