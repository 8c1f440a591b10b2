import type { AccessLog } from "../../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import type {
  TcpProxy as TcpProxyProto,
  TcpProxy_TunnelingConfig as TunnelingProto,
} from "../../gen/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import type { Timers } from "../../lib/timers.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { at } from "../config/problems.ts";
import { durationMs } from "../duration.ts";
import { compileFormat, type Format } from "../format/format.ts";
import { toWire } from "../http/headers.ts";
import { compileCriteria, type MatchCriteria } from "../match/criteria.ts";
import type { AccessLogger, ListenerPlace } from "../record.ts";
import { compileHeaderOps, type HeaderOp } from "../route/header-ops.ts";
import type { Stats } from "../stats.ts";
import type { WallClock } from "../wall-clock.ts";
import { TcpStats } from "./tcp-stats.ts";

/** A compiled `envoy.filters.network.tcp_proxy`: everything a connection needs, immutable. */
export interface TcpProxy {
  /** Shares add up to `totalWeight`. */
  readonly targets: readonly TcpTarget[];
  readonly totalWeight: number;
  /** Undefined: bytes go to the endpoint as they are. */
  readonly tunneling: Tunneling | undefined;
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

export interface TcpTarget {
  readonly cluster: string;
  readonly weight: number;
  /** What its endpoints' metadata has to say; undefined: anything. */
  readonly criteria: MatchCriteria | undefined;
}

/** How an endpoint is asked to pass bytes on, over HTTP. */
export interface Tunneling {
  /** Where to, as `host:port`. */
  readonly hostname: Format;
  readonly method: "CONNECT" | "POST";
  readonly path: string;
  readonly headers: readonly HeaderOp[];
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
    tunneling: tunnelingOf(config.tunnelingConfig),
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

function tunnelingOf(config: TunnelingProto | undefined): Tunneling | undefined {
  if (config === undefined) return undefined;
  return at("tunneling_config", () => {
    if (config.hostname === "") throw new Error("hostname: required");
    if (config.postPath !== "" && !config.usePost) throw new Error("post_path: needs use_post");
    if (config.postPath !== "" && !config.postPath.startsWith("/")) throw new Error("post_path: must begin with /");
    return {
      hostname: at("hostname", () => compileFormat(config.hostname)),
      method: config.usePost ? "POST" : "CONNECT",
      path: config.usePost ? toWire(config.postPath || "/") : "",
      headers: compileHeaderOps("request", config.headersToAdd, []),
    };
  });
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

function targetsOf({ clusterSpecifier, metadataMatch }: TcpProxyProto): readonly TcpTarget[] {
  const criteria = compileCriteria(metadataMatch);
  switch (clusterSpecifier.case) {
    case "cluster":
      return [{ cluster: clusterSpecifier.value, weight: 1, criteria }];
    case "weightedClusters": {
      const { clusters } = clusterSpecifier.value;
      if (clusters.length === 0) throw new Error("weighted_clusters.clusters: needs at least one");
      return clusters.map(({ name, weight, metadataMatch: own }, index) => {
        // Envoy's own rule, unlike that of routes.
        if (weight === 0) throw new Error(`weighted_clusters.clusters[${index}].weight: must be at least 1`);
        return { cluster: name, weight, criteria: compileCriteria(own, criteria) };
      });
    }
    default:
      throw new Error("cluster_specifier: required");
  }
}

/** The cluster of one connection, by weight. */
export function pickTarget({ targets, totalWeight, random }: TcpProxy): TcpTarget {
  let at = random() * totalWeight;
  for (const target of targets) {
    at -= target.weight;
    if (at < 0) return target;
  }
  return targets.at(-1) as TcpTarget;
}
