import type { AccessLog } from "../../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import type { TcpProxy as TcpProxyProto } from "../../gen/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import type { Cluster } from "../cluster/cluster.ts";
import { durationMs } from "../duration.ts";
import type { AccessLogger, ListenerPlace } from "../record.ts";
import type { Stats } from "../stats.ts";
import type { Timers } from "../timers.ts";
import type { WallClock } from "../wall-clock.ts";
import { TcpStats } from "./tcp-stats.ts";

/** A compiled `envoy.filters.network.tcp_proxy`: everything a connection needs, immutable. */
export interface TcpProxy {
  /** Shares add up to `totalWeight`. */
  readonly targets: readonly { readonly cluster: string; readonly weight: number }[];
  readonly totalWeight: number;
  /** Whether clients are balanced by their address, where the cluster's balancer goes by a hash. */
  readonly hashesSourceIp: boolean;
  /** 0: never. */
  readonly idleMs: number;
  /** 0: no limit. */
  readonly maxDurationMs: number;
  readonly maxConnectAttempts: number;
  readonly accessLogger: AccessLogger | undefined;
  readonly stats: TcpStats;
  readonly place: ListenerPlace;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly timers: Timers;
  readonly random: () => number;
  readonly wall: WallClock;
}

export interface TcpProxyIo {
  readonly wall: WallClock;
  readonly stats: Stats;
  readonly timers: Timers;
  readonly random: () => number;
  readonly clusters: ReadonlyMap<string, Cluster>;
  connectionLogger(configs: AccessLog[], direction: "inbound" | "outbound"): AccessLogger;
}

/** Throws an Error naming the field. Unsupported fields were refused before. */
export function compileTcpProxy(
  config: TcpProxyProto,
  direction: "inbound" | "outbound",
  place: ListenerPlace,
  io: TcpProxyIo,
): TcpProxy {
  if (config.statPrefix === "") throw new Error("stat_prefix: required");
  const targets = targetsOf(config);
  return {
    targets,
    totalWeight: targets.reduce((sum, { weight }) => sum + weight, 0),
    hashesSourceIp: hashesSourceIp(config),
    idleMs: durationMs(config.idleTimeout) ?? 3_600_000,
    maxDurationMs: durationMs(config.maxDownstreamConnectionDuration) ?? 0,
    maxConnectAttempts: config.maxConnectAttempts ?? 1,
    accessLogger: config.accessLog.length === 0 ? undefined : io.connectionLogger(config.accessLog, direction),
    stats: new TcpStats(io.stats, config.statPrefix),
    place,
    clusters: io.clusters,
    timers: io.timers,
    random: io.random,
    wall: io.wall,
  };
}

function hashesSourceIp({ hashPolicy }: TcpProxyProto): boolean {
  // Envoy's own limit.
  if (hashPolicy.length > 1) throw new Error("hash_policy: at most one");
  const specifier = hashPolicy[0]?.policySpecifier;
  if (specifier !== undefined && specifier.case !== "sourceIp") {
    throw new Error("hash_policy[0].policy_specifier: only source_ip is supported");
  }
  return specifier !== undefined;
}

function targetsOf({ clusterSpecifier }: TcpProxyProto): TcpProxy["targets"] {
  switch (clusterSpecifier.case) {
    case "cluster":
      return [{ cluster: clusterSpecifier.value, weight: 1 }];
    case "weightedClusters": {
      const { clusters } = clusterSpecifier.value;
      if (clusters.length === 0) throw new Error("weighted_clusters.clusters: needs at least one");
      return clusters.map(({ name, weight }, index) => {
        // Envoy's own rule, unlike that of routes.
        if (weight === 0) throw new Error(`weighted_clusters.clusters[${index}].weight: must be at least 1`);
        return { cluster: name, weight };
      });
    }
    default:
      throw new Error("cluster_specifier: required");
  }
}

/** The cluster of one connection, by weight. */
export function pickTarget({ targets, totalWeight, random }: TcpProxy): string {
  let at = random() * totalWeight;
  for (const { cluster, weight } of targets) {
    at -= weight;
    if (at < 0) return cluster;
  }
  return targets.at(-1)?.cluster ?? "";
}
