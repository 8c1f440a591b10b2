import { hash } from "node:crypto";
import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Cluster, Cluster_DiscoveryType, ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { type Listener, ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { type VirtualHost, VirtualHostSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { type RouteConfiguration, RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { HttpConnectionManagerSchema } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { secretRefs } from "./secret-refs.ts";
import { type Resource, type ResourceMap, type ResourceRef, TypeUrl } from "./types.ts";

/** How one xDS type is encoded, and what each of its resources needs beside it. */
export interface ResourceKind<Desc extends DescMessage> {
  typeUrl: TypeUrl;
  schema: Desc;
  toBinary(message: MessageShape<Desc>, name: string): Uint8Array;
  requires(message: MessageShape<Desc>, name: string): ResourceRef[];
}

const kind = <Desc extends DescMessage>(
  typeUrl: TypeUrl,
  schema: Desc,
  requires: ResourceKind<Desc>["requires"] = () => [],
): ResourceKind<Desc> => ({ typeUrl, schema, requires, toBinary: (message) => toBinary(schema, message) });

export const resourceKinds = {
  secret: kind(TypeUrl.secret, SecretSchema),
  cluster: kind(TypeUrl.cluster, ClusterSchema, clusterNeeds),
  endpoint: kind(TypeUrl.endpoint, ClusterLoadAssignmentSchema),
  listener: kind(TypeUrl.listener, ListenerSchema, listenerNeeds),
  route: kind(TypeUrl.route, RouteConfigurationSchema, routeNeeds),
  virtualHost: {
    ...kind(TypeUrl.virtualHost, VirtualHostSchema),
    // Envoy keeps virtual hosts by `name`, but looks up a removed one by its resource name: unless both are alike, it stays for ever.
    toBinary: (message: VirtualHost, name: string) =>
      toBinary(VirtualHostSchema, message.name === name ? message : { ...message, name }),
  },
};

/** A message is encoded once, however many proxies hold it; a map of them likewise. Identity is the key. */
const encodedMessages = new WeakMap<object, Resource[]>();
const encodedMaps = new WeakMap<object, ResourceMap>();

export function encodeAll<Desc extends DescMessage>(
  kind: ResourceKind<Desc>,
  messages: ReadonlyMap<string, MessageShape<Desc>>,
): ResourceMap {
  const known = encodedMaps.get(messages);
  if (known) return known;
  const resources = new Map<string, Resource>();
  for (const [name, message] of messages) resources.set(name, encode(kind, name, message));
  encodedMaps.set(messages, resources);
  return resources;
}

function encode<Desc extends DescMessage>(
  kind: ResourceKind<Desc>,
  name: string,
  message: MessageShape<Desc>,
): Resource {
  // Nearly always one; a virtual host may stand in several route configurations.
  const known = encodedMessages.get(message) ?? [];
  const same = known.find((resource) => resource.name === name);
  if (same) return same;
  const value = kind.toBinary(message, name);
  const requires = kind.requires(message, name);
  const resource: Resource = { name, version: versionOf(value), value, ...(requires.length > 0 && { requires }) };
  encodedMessages.set(message, [...known, resource]);
  return resource;
}

/** Equal content, equal version, in every process. */
export const versionOf = (content: Uint8Array | string): string => hash("sha1", content, "hex").slice(0, 16);

function clusterNeeds(cluster: Cluster, name: string): ResourceRef[] {
  const { clusterDiscoveryType: discovery, transportSocket, transportSocketMatches } = cluster;
  const secrets = secretRefs([transportSocket, ...transportSocketMatches.map((match) => match.transportSocket)]);
  if (discovery.case !== "type" || discovery.value !== Cluster_DiscoveryType.EDS) return secrets;
  return [...secrets, { typeUrl: TypeUrl.endpoint, name: cluster.edsClusterConfig?.serviceName || name }];
}

function listenerNeeds(listener: Listener): ResourceRef[] {
  const chains = listener.defaultFilterChain
    ? [...listener.filterChains, listener.defaultFilterChain]
    : listener.filterChains;
  const names = new Set<string>();
  for (const filter of chains.flatMap((chain) => chain.filters)) {
    if (filter.configType.case !== "typedConfig") continue;
    const { typeUrl, value } = filter.configType.value;
    if (!typeUrl.endsWith(`/${HttpConnectionManagerSchema.typeName}`)) continue;
    const specifier = fromBinary(HttpConnectionManagerSchema, value).routeSpecifier;
    if (specifier.case === "rds") names.add(specifier.value.routeConfigName);
  }
  const routes = [...names].map((name) => ({ typeUrl: TypeUrl.route, name }));
  return [...secretRefs(chains.map((chain) => chain.transportSocket)), ...routes];
}

function routeNeeds(route: RouteConfiguration, name: string): ResourceRef[] {
  return route.vhds ? [{ typeUrl: TypeUrl.virtualHost, name: `${name}/` }] : [];
}
