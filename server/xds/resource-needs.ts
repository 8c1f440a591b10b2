import { fromBinary } from "@bufbuild/protobuf";
import { type Cluster, Cluster_DiscoveryType } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { ExtensionConfigSource } from "../gen/proto/envoy/config/core/v3/config_source_pb.js";
import type { Filter } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import type { Listener } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import type { RouteConfiguration } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import {
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
} from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { secretRefs } from "./secret-refs.ts";
import { type ResourceRef, TypeUrl } from "./types.ts";

export function clusterNeeds(cluster: Cluster, name: string): ResourceRef[] {
  const { clusterDiscoveryType: discovery, transportSocket, transportSocketMatches } = cluster;
  const secrets = secretRefs([transportSocket, ...transportSocketMatches.map((match) => match.transportSocket)]);
  if (discovery.case !== "type" || discovery.value !== Cluster_DiscoveryType.EDS) return secrets;
  return [...secrets, { typeUrl: TypeUrl.endpoint, name: cluster.edsClusterConfig?.serviceName || name }];
}

export function listenerNeeds(listener: Listener): ResourceRef[] {
  const { filterChains, defaultFilterChain, apiListener } = listener;
  const chains = defaultFilterChain ? [...filterChains, defaultFilterChain] : filterChains;
  const filters = chains.flatMap((chain) => chain.filters);
  const managers = filters.flatMap((filter) => managerOf(filter.configType) ?? []);
  const api = apiListener?.apiListener && managerOf({ case: "typedConfig", value: apiListener.apiListener });
  if (api) managers.push(api);
  const [routes, extensions] = [new Set<string>(), new Set<string>()];
  for (const { routeSpecifier, httpFilters } of managers) {
    if (routeSpecifier.case === "rds") routes.add(routeSpecifier.value.routeConfigName);
    for (const { name, configType } of httpFilters) if (isDiscovered(configType)) extensions.add(name);
  }
  for (const { name, configType } of [...filters, ...listener.listenerFilters]) {
    if (isDiscovered(configType)) extensions.add(name);
  }
  return [
    ...secretRefs(chains.map((chain) => chain.transportSocket)),
    ...Array.from(extensions, (name) => ({ typeUrl: TypeUrl.extensionConfig, name })),
    ...Array.from(routes, (name) => ({ typeUrl: TypeUrl.route, name })),
  ];
}

export const routeNeeds = (route: RouteConfiguration, name: string): ResourceRef[] =>
  route.vhds ? [{ typeUrl: TypeUrl.virtualHost, name: `${name}/` }] : [];

function managerOf(config: Filter["configType"]): HttpConnectionManager | undefined {
  if (config.case !== "typedConfig") return undefined;
  const { typeUrl, value } = config.value;
  return typeUrl.endsWith(`/${HttpConnectionManagerSchema.typeName}`)
    ? fromBinary(HttpConnectionManagerSchema, value)
    : undefined;
}

/** Without a config of its own to begin with, a filter that is discovered holds its listener up until it comes. */
const isDiscovered = (config: { case?: string | undefined; value?: unknown }): boolean =>
  config.case === "configDiscovery" && (config.value as ExtensionConfigSource).defaultConfig === undefined;
