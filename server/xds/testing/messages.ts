import { type DescMessage, fromJson, type JsonObject, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import { ClusterSchema } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "../../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "../../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { VirtualHostSchema } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "../../gen/proto/envoy/config/route/v3/route_pb.js";
import { registry } from "../../proto/registry.ts";
import type { SnapshotMessages } from "../snapshot.ts";

const parse = <Desc extends DescMessage>(schema: Desc, json: JsonValue): MessageShape<Desc> =>
  fromJson(schema, json, { registry });

const ads = { ads: {}, resource_api_version: "V3" };

export const testListener = (name: string, port: number, routeConfig: string) =>
  parse(ListenerSchema, {
    name,
    address: { socket_address: { address: "127.0.0.1", port_value: port } },
    filter_chains: [
      {
        filters: [
          {
            name: "envoy.filters.network.http_connection_manager",
            typed_config: {
              "@type":
                "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
              stat_prefix: name,
              rds: { config_source: ads, route_config_name: routeConfig },
              http_filters: [
                {
                  name: "envoy.filters.http.router",
                  typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
                },
              ],
            },
          },
        ],
      },
    ],
  });

/** A shell whose virtual hosts come over VHDS. */
export const testShell = (name: string) =>
  parse(RouteConfigurationSchema, { name, vhds: { config_source: ads }, validate_clusters: false });

export const testRoutes = (name: string, virtual_hosts: JsonValue[]) =>
  parse(RouteConfigurationSchema, { name, virtual_hosts, validate_clusters: false });

/** `origin` is the config object, as translation writes it. */
export const virtualHostJson = (name: string, cluster: string, marker: string, origin?: string): JsonObject => ({
  name,
  domains: [name],
  routes: [
    {
      match: { prefix: "/" },
      route: { cluster },
      response_headers_to_add: [{ header: { key: "x-marker", value: marker } }],
      ...(origin && { metadata: { filter_metadata: { istio: { config: origin } } } }),
    },
  ],
});

export const testVirtualHost = (name: string, cluster: string, marker: string, origin?: string) =>
  parse(VirtualHostSchema, virtualHostJson(name, cluster, marker, origin));

/** Passes the decoder, but no proxy: the regex has no end. */
export const badVirtualHost = (name: string, origin?: string) =>
  parse(VirtualHostSchema, {
    name,
    domains: [name],
    routes: [
      {
        match: { safe_regex: { regex: "(unclosed" } },
        route: { cluster: "x" },
        ...(origin && { metadata: { filter_metadata: { istio: { config: origin } } } }),
      },
    ],
  });

export const testCluster = (name: string, connectTimeout = "1s") =>
  parse(ClusterSchema, {
    name,
    type: "EDS",
    connect_timeout: connectTimeout,
    eds_cluster_config: { eds_config: ads },
  });

export const testEndpoints = (cluster: string, port: number) =>
  parse(ClusterLoadAssignmentSchema, {
    cluster_name: cluster,
    endpoints: [
      {
        lb_endpoints: [{ endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } } }],
      },
    ],
  });

const named = <T extends { name: string }>(...messages: T[]): Map<string, T> =>
  new Map(messages.map((message) => [message.name, message]));

export interface TestMesh {
  listenerPort: number;
  upstreamPort: number;
  /** Services `s0`, `s1` …, each with a virtual host, a cluster and endpoints. */
  services: number;
  vhds: boolean;
}

/** A small mesh: one HTTP listener, route configuration `http_proxy`. Give the same object twice, and only copies differ. */
export function testMessages({ listenerPort, upstreamPort, services, vhds }: TestMesh): SnapshotMessages {
  const names = Array.from({ length: services }, (_, i) => `s${i}`);
  return {
    listeners: named(testListener("outbound", listenerPort, "http_proxy")),
    routes: named(
      vhds
        ? testShell("http_proxy")
        : testRoutes(
            "http_proxy",
            names.map((name) => virtualHostJson(name, name, "v1")),
          ),
    ),
    virtualHosts: new Map(
      vhds ? names.map((name) => [`http_proxy/${name}`, testVirtualHost(name, name, "v1")] as const) : [],
    ),
    clusters: named(...names.map((name) => testCluster(name))),
    endpoints: new Map(names.map((name) => [name, testEndpoints(name, upstreamPort)])),
  };
}

/** A copy of a map with one entry replaced, or removed. */
export function withEntry<V>(map: ReadonlyMap<string, V>, name: string, value: V | undefined): Map<string, V> {
  const copy = new Map(map);
  if (value === undefined) copy.delete(name);
  else copy.set(name, value);
  return copy;
}
