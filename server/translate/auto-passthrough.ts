import { create } from "@bufbuild/protobuf";
import {
  type Cluster,
  Cluster_EdsClusterConfigSchema,
  ClusterSchema,
} from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { memo } from "../lib/memo.ts";
import { covers } from "../model/hostname.ts";
import type { BoundServer } from "./gateway-routes.ts";
import type { L4Chain } from "./l4-chains.ts";
import { sniOf } from "./names.ts";
import type { Scope } from "./scope.ts";

export interface PassedThrough {
  readonly chain: L4Chain;
  readonly cluster: Cluster;
}

/**
 * A chain for each service, port and subset that a server of AUTO_PASSTHROUGH lets in: a client inside another part of the mesh says by its server name
 * which it means, and its mutual TLS ends at the workload. Each has a cluster of that name, as in Istio: the service's, without TLS of its own.
 */
export function passedThrough(
  scope: Scope,
  { server }: BoundServer,
  clusters: ReadonlyMap<string, Cluster>,
): PassedThrough[] {
  return [...clusters.values()].flatMap((cluster) => {
    const [direction, port = "", subset = "", host = ""] = cluster.name.split("|");
    const service = scope.services.get(host);
    if (direction !== "outbound" || service === undefined || service.external) return [];
    if (!server.hosts.some((it) => covers(it.host, host))) return [];
    const name = sniOf(Number(port), subset, host);
    return [{ chain: chainTo(name), cluster: plainCluster(cluster, name) }];
  });
}

const chainTo = (name: string): L4Chain => ({
  sniHosts: [name],
  isMutualTls: true,
  statPrefix: name,
  clusters: [{ name, weight: 1 }],
  idleTimeout: undefined,
  maxDuration: undefined,
  origin: undefined,
  forwardPort: undefined,
  hashesSourceIp: false,
  tunnel: undefined,
});

const plainCluster = (cluster: Cluster, name: string): Cluster =>
  memo(cluster, "passed-through", [], () => {
    const { transportSocket: _, edsClusterConfig: eds, ...rest } = cluster;
    return create(ClusterSchema, {
      ...rest,
      name,
      transportSocketMatches: [],
      typedExtensionProtocolOptions: {},
      ...(eds && {
        edsClusterConfig: create(Cluster_EdsClusterConfigSchema, {
          ...eds,
          serviceName: eds.serviceName || cluster.name,
        }),
      }),
    });
  });
