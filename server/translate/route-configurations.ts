import { create } from "@bufbuild/protobuf";
import { ApiVersion } from "../gen/proto/envoy/config/core/v3/config_source_pb.js";
import { type VirtualHost, VirtualHostSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { type RouteConfiguration, RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { memo } from "../lib/memo.ts";

/** One route configuration before it is known how the proxy takes its virtual hosts. */
export interface RouteTable {
  name: string;
  virtualHosts: ReadonlyMap<string, VirtualHost>;
  /** Whoever no virtual host takes. */
  fallback: VirtualHost | undefined;
  ignorePort: boolean;
}

const maxDirectResponseBodySizeBytes = 1024 * 1024;

/** Hosts that the mesh does not know are refused, as Istio does with `REGISTRY_ONLY`. */
export const blockAll: VirtualHost = create(VirtualHostSchema, {
  name: "block_all",
  domains: ["*"],
  includeRequestAttemptCount: true,
  routes: [
    {
      name: "block_all",
      match: { pathSpecifier: { case: "prefix", value: "/" } },
      action: { case: "directResponse", value: { status: 502 } },
    },
  ],
});

/** For the state-of-the-world protocol: every virtual host inside. */
export const wholeRouteConfiguration = (table: RouteTable): RouteConfiguration =>
  memo(table.virtualHosts, `routes ${table.name}`, [table.fallback], () =>
    create(RouteConfigurationSchema, {
      ...common(table),
      virtualHosts: [...table.virtualHosts.values(), ...(table.fallback ? [table.fallback] : [])],
    }),
  );

/** For the incremental protocol: names VHDS as the source, so it stays the same whatever the virtual hosts do. */
export const routeShell = (table: RouteTable): RouteConfiguration =>
  memo(shells, `${table.name} ${table.ignorePort}`, [table.fallback], () =>
    create(RouteConfigurationSchema, {
      ...common(table),
      virtualHosts: table.fallback ? [table.fallback] : [],
      // With Envoy's fetch timeout, unlike elsewhere: a mesh without a single service sends nothing, and must not hold the listener back.
      vhds: { configSource: { configSourceSpecifier: { case: "ads", value: {} }, resourceApiVersion: ApiVersion.V3 } },
    }),
  );

const shells = {};

const common = ({ name, ignorePort }: RouteTable) => ({
  name,
  // Clusters come on another stream: a route to one that is not there yet answers 503 instead of refusing all routes.
  validateClusters: false,
  ignorePortInHostMatching: ignorePort,
  maxDirectResponseBodySizeBytes,
});
