import { type DescMessage, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import { ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { VirtualHostSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { registry } from "../proto/registry.ts";
import type { ProxyResources } from "../translate/resources.ts";

const typeUrl = (name: string) => `type.googleapis.com/envoy.extensions.${name}`;

/**
 * A bootstrap that has resources as a stream would bring them, with nobody to ask: listeners and clusters as they are, routes and virtual
 * hosts in a listener of their own. What they refer to and what is not among them is taken to be there.
 */
export function rehearsalBootstrap({ listeners, routes, virtualHosts, clusters }: ProxyResources): JsonValue {
  const given = {
    listeners: json(ListenerSchema, listeners),
    clusters: json(ClusterSchema, clusters),
    routes: [
      // Its virtual hosts would come by a stream, which nothing static may wait for.
      ...json(RouteConfigurationSchema, routes).map((route) => ({ ...object(route), vhds: undefined })),
      ...json(VirtualHostSchema, virtualHosts).map((host) => ({ name: "rehearsal", virtualHosts: [host] })),
    ],
  };
  const known = new Set(given.clusters.map((cluster) => String(object(cluster).name)));
  const missing = [...clustersIn(JSON.stringify(given))].filter((name) => !known.has(name));
  return plain({
    node: { id: "rehearsal", cluster: "rehearsal" },
    dynamicResources: { adsConfig: { apiType: "DELTA_GRPC", grpcServices: [grpc], transportApiVersion: "V3" } },
    staticResources: {
      listeners: [...given.listeners, ...given.routes.map(listenerWith)],
      clusters: [...given.clusters, ...[...missing, ads].map(empty)],
    },
  });
}

const ads = "rehearsal-ads";
const grpc = { envoyGrpc: { clusterName: ads } };

const json = <D extends DescMessage>(schema: D, messages: ReadonlyMap<string, MessageShape<D>>): JsonValue[] =>
  [...messages.values()].map((message) => toJson(schema, message, { registry }));

const object = (value: JsonValue) => (typeof value === "object" && !Array.isArray(value) && value) || {};

/** Without what is undefined. */
const plain = (value: unknown): JsonValue => JSON.parse(JSON.stringify(value));

/** Whom services are called at, and routes and TCP proxies lead to, by the names of the fields that say so. */
const clustersIn = (text: string): Set<string> =>
  new Set([...text.matchAll(/"(?:cluster|clusterName)":"([^"\\]+)"/g)].flatMap(([, name]) => name ?? []));

const listenerWith = (routeConfig: object, index: number) => ({
  name: `rehearsal-${index}`,
  address: { socketAddress: { address: "127.0.0.1", portValue: index + 1 } },
  filterChains: [
    {
      filters: [
        {
          name: "envoy.filters.network.http_connection_manager",
          typedConfig: {
            "@type": typeUrl("filters.network.http_connection_manager.v3.HttpConnectionManager"),
            statPrefix: "rehearsal",
            routeConfig: { ...routeConfig, validateClusters: false },
            httpFilters: [
              { name: "envoy.filters.http.router", typedConfig: { "@type": typeUrl("filters.http.router.v3.Router") } },
            ],
          },
        },
      ],
    },
  ],
});

const empty = (name: string) => ({
  name,
  type: "STATIC",
  connectTimeout: "1s",
  loadAssignment: { clusterName: name, endpoints: [] },
  typedExtensionProtocolOptions: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": typeUrl("upstreams.http.v3.HttpProtocolOptions"),
      explicitHttpConfig: { http2ProtocolOptions: {} },
    },
  },
});
