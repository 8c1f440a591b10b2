import { create } from "@bufbuild/protobuf";
import type { VirtualHost } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { type RouteConfiguration, RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { memo } from "../lib/memo.ts";
import { configWay } from "./config-source.ts";

/** One route configuration before it is known how the proxy takes its virtual hosts. */
export interface RouteTable {
  name: string;
  /** Never empty: Envoy holds a listener back until VHDS has sent something. */
  virtualHosts: ReadonlyMap<string, VirtualHost>;
  ignorePort: boolean;
}

const maxDirectResponseBodySizeBytes = 1024 * 1024;

/** For the state-of-the-world protocol: every virtual host inside. */
export const wholeRouteConfiguration = (table: RouteTable): RouteConfiguration =>
  memo(table.virtualHosts, `routes ${table.name}`, [], () =>
    create(RouteConfigurationSchema, {
      ...common(table),
      virtualHosts: [...table.virtualHosts.values()],
    }),
  );

/** For the incremental protocol: names VHDS as the source, so it stays the same whatever the virtual hosts do. */
export const routeShell = (table: RouteTable): RouteConfiguration =>
  memo(shells, `${table.name} ${table.ignorePort}`, [], () =>
    create(RouteConfigurationSchema, {
      ...common(table),
      vhds: { configSource: configWay({ delta: true, xdsCluster: undefined }).source },
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
