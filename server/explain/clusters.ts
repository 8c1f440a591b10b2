import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { ConfigRule, ExplainedCluster, ExplainedEndpoint } from "../contract/index.ts";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
} from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { TransportSocket } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { HealthStatus } from "../gen/proto/envoy/config/core/v3/health_check_pb.js";
import type { LbEndpoint, LocalityLbEndpoints } from "../gen/proto/envoy/config/endpoint/v3/endpoint_components_pb.js";
import type { ClusterLoadAssignment } from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { ProxyProtocolUpstreamTransportSchema } from "../gen/proto/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js";
import { UpstreamTlsContextSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { durationMs } from "../sidecar/duration.ts";
import { hostPort } from "../sidecar/text/host-port.ts";
import { parsePeer } from "../wire/peer.ts";
import type { Holdings } from "./holdings.ts";
import { originOf } from "./origins.ts";
import type { ExplainRequest } from "./request.ts";

export interface JudgedCluster extends Omit<ExplainedCluster, "origin"> {
  origin: ConfigRule | null;
  /** Whom it can call, and how; without those that are not healthy. */
  callable: { address: string; port: number; tls: ExplainRequest["tls"]; mode: ExplainedEndpoint["tls"] }[];
  /** It finds its endpoints by itself: by the request's host, or where the connection was going. */
  dynamic: boolean;
}

/** More are counted and not told of. */
const mostEndpoints = 50;

export function judgeCluster(holdings: Holdings, name: string, share: number): JudgedCluster {
  const cluster = holdings.cluster(name);
  if (cluster === undefined) return { ...missing, name, share };
  const endpoints =
    assignmentOf(holdings, cluster)?.endpoints.flatMap((locality) => endpointsOf(locality, cluster)) ?? [];
  const socket = socketOf(cluster.transportSocket);
  const discovery = cluster.clusterDiscoveryType;
  const subset = cluster.metadata?.filterMetadata.istio?.subset;
  return {
    name,
    share,
    found: true,
    subset: typeof subset === "string" ? subset : (name.split("|")[2] ?? ""),
    discovery:
      discovery.case === "clusterType" ? discovery.value.name : (Cluster_DiscoveryType[discovery.value ?? 0] ?? ""),
    policy: policyOf(cluster),
    tls: cluster.transportSocketMatches.length > 0 ? "by-endpoint" : socket.mode,
    serverName: socket.tls?.serverName ?? "",
    connectTimeoutMs: durationMs(cluster.connectTimeout) ?? 5000,
    outlierDetection: cluster.outlierDetection !== undefined,
    origin: ruleOf(cluster),
    endpoints: endpoints.slice(0, mostEndpoints).map(({ shown }) => shown),
    more: Math.max(0, endpoints.length - mostEndpoints),
    callable: endpoints.filter(({ shown }) => shown.healthy).map(({ callable }) => callable),
    dynamic: isDynamic(cluster),
  };
}

/** The DestinationRule, and in it the subset. */
export function ruleOf({ metadata }: Cluster): ConfigRule | null {
  const origin = originOf(metadata);
  const subset = metadata?.filterMetadata.istio?.subset;
  return origin && typeof subset === "string" ? { ...origin, rule: `subsets[${subset}]` } : origin;
}

const missing: Omit<JudgedCluster, "name" | "share"> = {
  found: false,
  subset: "",
  discovery: "",
  policy: "",
  tls: "none",
  serverName: "",
  connectTimeoutMs: 0,
  outlierDetection: false,
  origin: null,
  endpoints: [],
  more: 0,
  callable: [],
  dynamic: false,
};

/** Undefined where endpoints are not told of, or not yet. */
export function assignmentOf(holdings: Holdings, cluster: Cluster): ClusterLoadAssignment | undefined {
  if (cluster.clusterDiscoveryType.value !== Cluster_DiscoveryType.EDS) return cluster.loadAssignment;
  return holdings.endpoints(cluster.edsClusterConfig?.serviceName || cluster.name);
}

const isDynamic = ({ clusterDiscoveryType: { case: kind, value } }: Cluster): boolean =>
  kind === "clusterType" || value === Cluster_DiscoveryType.ORIGINAL_DST;

function policyOf({ lbPolicy, loadBalancingPolicy }: Cluster): string {
  const extension = loadBalancingPolicy?.policies[0]?.typedExtensionConfig?.name;
  return extension?.split(".").at(-1)?.toUpperCase() ?? Cluster_LbPolicy[lbPolicy] ?? "";
}

export function endpointsOf(group: LocalityLbEndpoints, cluster: Cluster) {
  const { region = "", zone = "", subZone = "" } = group.locality ?? {};
  const locality = [region, zone, subZone].filter(Boolean).join("/");
  return group.lbEndpoints.flatMap((entry) => {
    const socket = entry.hostIdentifier.case === "endpoint" ? entry.hostIdentifier.value.address?.address : undefined;
    if (socket?.case !== "socketAddress") return [];
    const { address, portSpecifier } = socket.value;
    const port = portSpecifier.case === "portValue" ? portSpecifier.value : 0;
    const { tls, mode } = socketOf(socketFor(cluster, entry));
    // As in the proxy's own balancer: UNKNOWN counts as healthy.
    const healthy = entry.healthStatus === HealthStatus.UNKNOWN || entry.healthStatus === HealthStatus.HEALTHY;
    const shown: ExplainedEndpoint = {
      address: hostPort(address, port),
      workload: workloadOf(entry),
      locality,
      priority: group.priority,
      weight: entry.loadBalancingWeight ?? 1,
      health: HealthStatus[entry.healthStatus] ?? "",
      healthy,
      tls: mode,
    };
    return [{ shown, callable: { address, port, tls, mode } }];
  });
}

function workloadOf({ metadata }: LbEndpoint): string {
  const text = metadata?.filterMetadata.istio?.workload;
  const { workload = "", namespace = "" } = (typeof text === "string" && parsePeer(text)) || {};
  return workload && namespace ? `${namespace}/${workload}` : workload;
}

/** By what the endpoint's metadata says of itself: the first match of which every field is there. */
function socketFor(cluster: Cluster, { metadata }: LbEndpoint): TransportSocket | undefined {
  if (cluster.transportSocketMatches.length === 0) return cluster.transportSocket;
  const own = metadata?.filterMetadata["envoy.transport_socket_match"] ?? {};
  const fits = (wanted: JsonObject = {}) => Object.entries(wanted).every(([key, value]) => same(own[key], value));
  return (cluster.transportSocketMatches.find(({ match }) => fits(match)) ?? cluster).transportSocket;
}

const same = (a: JsonValue | undefined, b: JsonValue): boolean => JSON.stringify(a) === JSON.stringify(b);

interface Socket {
  mode: ExplainedEndpoint["tls"];
  tls: ExplainRequest["tls"];
}

function socketOf(socket: TransportSocket | undefined): Socket {
  const any: Any | undefined = socket?.configType.case === "typedConfig" ? socket.configType.value : undefined;
  const wrapped = any && anyUnpack(any, ProxyProtocolUpstreamTransportSchema)?.transportSocket;
  if (wrapped) return socketOf(wrapped);
  const context = any && anyUnpack(any, UpstreamTlsContextSchema);
  if (!context) return { mode: "none", tls: undefined };
  const {
    alpnProtocols = [],
    tlsCertificates = [],
    tlsCertificateSdsSecretConfigs = [],
  } = context.commonTlsContext ?? {};
  const mode = tlsCertificates.length + tlsCertificateSdsSecretConfigs.length > 0 ? "mutual" : "simple";
  return { mode, tls: { serverName: context.sni.toLowerCase(), applicationProtocols: alpnProtocols } };
}
