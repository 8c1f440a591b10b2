import { anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type Cluster,
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_LbPolicy as LbPolicy,
} from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { Http2ProtocolOptions } from "../../gen/proto/envoy/config/core/v3/protocol_pb.js";
import { ClusterConfigSchema as ForwardProxySchema } from "../../gen/proto/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.js";
import {
  type HttpProtocolOptions as UpstreamOptions,
  HttpProtocolOptionsSchema as UpstreamOptionsSchema,
} from "../../gen/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import type { Http2Options } from "../../http2/options.ts";
import { at, together } from "../config/problems.ts";
import { durationMs } from "../duration.ts";
import { compileHttp2Options } from "../http2/compile-options.ts";
import type { Metadata } from "../record.ts";
import type { Secrets } from "../tls/secrets.ts";
import { type Balancing, compileBalancing } from "./balancer-config.ts";
import { type DnsFamily, dnsFamilyOf } from "./dns.ts";
import { compileDnsCache, type DnsCacheConfig } from "./dns-cache.ts";
import { compileHealthChecks, type HealthCheckConfig } from "./health/check-config.ts";
import { compileOriginalDestination, type OriginalDestinationConfig } from "./original-destination.ts";
import { compileOutlier, type OutlierConfig } from "./outlier-config.ts";
import { type ProxyProtocol, unwrapProxyProtocol } from "./proxy-protocol.ts";
import { compileTransportMatches, type Transport, type TransportMatch } from "./transport.ts";
import { compileUpstreamTls, type UpstreamTls } from "./upstream-tls.ts";

/** The last two have no hosts before somebody calls one. */
export type Discovery = "static" | "strict_dns" | "logical_dns" | "eds" | "forward_proxy" | "original_dst";

/** How many retries may be in flight, by what else is. */
export interface RetryBudget {
  /** Of the requests in flight and waiting, 0–100. */
  readonly percent: number;
  readonly least: number;
}

/** The immutable part of a cluster. */
export interface ClusterConfig {
  readonly name: string;
  /** What its stats are called after. */
  readonly statName: string;
  readonly discovery: Discovery;
  /** The name asked for over EDS. */
  readonly serviceName: string;
  /** `downstream`: as the request came; `auto`: as the TLS handshake agrees. */
  readonly protocol: "http1" | "http2" | "auto" | "downstream";
  readonly http2: Http2Options;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** 0 is unlimited. */
  readonly maxRequestsPerConnection: number;
  readonly maxConnectionMs: number;
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
  /** In place of `maxRetries`. */
  readonly retryBudget: RetryBudget | undefined;
  readonly balancing: Balancing;
  /** In percent; 0: never. */
  readonly panicThreshold: number;
  readonly outlier: OutlierConfig | undefined;
  /** Undefined: hosts are not asked how they are. */
  readonly healthCheck: HealthCheckConfig | undefined;
  /** New hosts count for nothing until they have been checked. */
  readonly awaitsChecks: boolean;
  /** Hosts that discovery drops are gone at once, however well they are. */
  readonly dropsHealthyHosts: boolean;
  readonly metadata: Metadata | undefined;
  readonly dnsRefreshMs: number;
  readonly dnsFamily: DnsFamily;
  /** Of forward proxies. */
  readonly dnsCache: DnsCacheConfig | undefined;
  /** Of clusters that go on to where a connection was going. */
  readonly originalDestination: OriginalDestinationConfig | undefined;
  readonly bindAddress: string;
  /** Undefined: plain TCP. */
  readonly tls: UpstreamTls | undefined;
  /** Undefined: endpoints are not told who calls. */
  readonly proxyProtocol: ProxyProtocol | undefined;
  /** Of endpoints that are connected to in another way. */
  readonly transportMatches: readonly TransportMatch[];
}

/** Throws an Error naming the field. Unsupported fields were refused before. */
export function compileCluster(config: Cluster, secrets: Secrets): ClusterConfig {
  if (config.name === "") throw new Error("name: required");
  const parts = together<
    Pick<
      ClusterConfig,
      "discovery" | "balancing" | "outlier" | "healthCheck" | "tls" | "proxyProtocol" | "transportMatches" | "dnsCache"
    > & {
      options: ReturnType<typeof upstreamOptions>;
    }
  >({
    discovery: () => discoveryOf(config),
    dnsCache: () => dnsCacheOf(config),
    balancing: () => compileBalancing(config),
    outlier: () => compileOutlier(config.outlierDetection, upstreamOptions(config)?.outlierDetection?.errorMatcher),
    healthCheck: () => compileHealthChecks(config.healthChecks, protocolOf(upstreamOptions(config)) !== "http1"),
    tls: () => tlsOf(config, secrets),
    transportMatches: () => compileTransportMatches(config.transportSocketMatches, secrets),
    proxyProtocol: () => unwrapProxyProtocol(config.transportSocket).proxyProtocol,
    options: () => upstreamOptions(config),
  });
  const { options, dnsCache, ...compiled } = parts;
  refuseHostNames(options, compiled.discovery);
  needsTls(options, [compiled, ...compiled.transportMatches]);
  const common = options?.commonHttpProtocolOptions ?? config.commonHttpProtocolOptions;
  const thresholds = config.circuitBreakers?.thresholds.find((entry) => entry.priority === 0);
  const budget = thresholds?.retryBudget;
  return {
    name: config.name,
    statName: config.altStatName || config.name,
    ...compiled,
    serviceName: config.edsClusterConfig?.serviceName || config.name,
    protocol: protocolOf(options),
    http2: compileHttp2Options(http2ConfigOf(options), common),
    connectTimeoutMs: durationMs(config.connectTimeout) ?? 5000,
    idleTimeoutMs: durationMs(common?.idleTimeout) ?? 3_600_000,
    maxRequestsPerConnection: common?.maxRequestsPerConnection ?? config.maxRequestsPerConnection ?? 0,
    maxConnectionMs: durationMs(common?.maxConnectionDuration) ?? 0,
    maxConnections: thresholds?.maxConnections ?? 1024,
    maxPendingRequests: thresholds?.maxPendingRequests ?? 1024,
    maxRequests: thresholds?.maxRequests ?? 1024,
    maxRetries: thresholds?.maxRetries ?? 3,
    retryBudget: budget && { percent: budget.budgetPercent?.value ?? 20, least: budget.minRetryConcurrency ?? 3 },
    // Whole percents, as Envoy has it.
    panicThreshold: Math.round(config.commonLbConfig?.healthyPanicThreshold?.value ?? 50),
    awaitsChecks: config.commonLbConfig?.ignoreNewHostsUntilFirstHc ?? false,
    dropsHealthyHosts: config.ignoreHealthOnHostRemoval,
    metadata: config.metadata?.filterMetadata as Metadata | undefined,
    dnsRefreshMs: durationMs(config.dnsRefreshRate) ?? 5000,
    dnsFamily: dnsFamilyOf(config.dnsLookupFamily),
    dnsCache,
    originalDestination:
      compiled.discovery === "original_dst"
        ? compileOriginalDestination(
            config.lbConfig.case === "originalDstLbConfig" ? config.lbConfig.value : undefined,
            durationMs(config.cleanupInterval) ?? 5000,
          )
        : undefined,
    bindAddress: config.upstreamBindConfig?.sourceAddress?.address ?? "",
  };
}

function tlsOf({ transportSocket }: Cluster, secrets: Secrets): UpstreamTls | undefined {
  if (transportSocket !== undefined && transportSocket.configType.case === undefined) {
    throw new Error("transport_socket.typed_config: required");
  }
  return compileUpstreamTls(unwrapProxyProtocol(transportSocket).inner, secrets);
}

function discoveryOf({ clusterDiscoveryType, lbPolicy }: Cluster): Discovery {
  const discovery = clusterDiscoveryType.case === "clusterType" ? "forward_proxy" : typeOf(clusterDiscoveryType.value);
  const findsHosts = discovery === "forward_proxy" || discovery === "original_dst";
  if (findsHosts !== (lbPolicy === LbPolicy.CLUSTER_PROVIDED)) {
    throw new Error(
      findsHosts
        ? `lb_policy: must be CLUSTER_PROVIDED, not ${LbPolicy[lbPolicy]}, for a cluster that finds its own hosts`
        : "lb_policy: CLUSTER_PROVIDED is not supported by this type of cluster",
    );
  }
  return discovery;
}

function typeOf(type: DiscoveryType | undefined): Discovery {
  switch (type ?? DiscoveryType.STATIC) {
    case DiscoveryType.STRICT_DNS:
      return "strict_dns";
    case DiscoveryType.LOGICAL_DNS:
      return "logical_dns";
    case DiscoveryType.EDS:
      return "eds";
    case DiscoveryType.ORIGINAL_DST:
      return "original_dst";
    default:
      return "static";
  }
}

function dnsCacheOf({ clusterDiscoveryType }: Cluster): DnsCacheConfig | undefined {
  if (clusterDiscoveryType.case !== "clusterType") return undefined;
  return at("cluster_type.typed_config", () => {
    const any = clusterDiscoveryType.value.typedConfig;
    const config = any && anyUnpack(any, ForwardProxySchema);
    const specifier = config?.clusterImplementationSpecifier;
    return compileDnsCache(specifier?.case === "dnsCacheConfig" ? specifier.value : undefined);
  });
}

const upstreamOptionsName = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

function upstreamOptions(config: Cluster): UpstreamOptions | undefined {
  const any = config.typedExtensionProtocolOptions[upstreamOptionsName];
  return any && anyUnpack(any, UpstreamOptionsSchema);
}

/** Without a handshake nothing could choose. */
function needsTls(options: UpstreamOptions | undefined, transports: readonly Transport[]): void {
  if (protocolOf(options) !== "auto" || transports.every(({ tls }) => tls !== undefined)) return;
  const field = `typed_extension_protocol_options["${upstreamOptionsName}"].auto_config`;
  throw new Error(`${field}: needs a transport_socket with TLS, whose handshake chooses`);
}

/** Elsewhere the name would be a request's, and connections are shared by requests. */
function refuseHostNames(options: UpstreamOptions | undefined, discovery: Discovery): void {
  if (discovery === "forward_proxy") return;
  const { autoSni = false, autoSanValidation = false } = options?.upstreamHttpProtocolOptions ?? {};
  if (!autoSni && !autoSanValidation) return;
  const field = `typed_extension_protocol_options["${upstreamOptionsName}"].upstream_http_protocol_options`;
  throw new Error(
    `${field}.${autoSni ? "auto_sni" : "auto_san_validation"}: only supported by a dynamic_forward_proxy`,
  );
}

function protocolOf(options: UpstreamOptions | undefined): ClusterConfig["protocol"] {
  const protocol = options?.upstreamProtocolOptions;
  if (protocol?.case === "useDownstreamProtocolConfig") return "downstream";
  if (protocol?.case === "autoConfig") return "auto";
  const explicit = protocol?.case === "explicitHttpConfig" ? protocol.value.protocolConfig.case : undefined;
  return explicit === "http2ProtocolOptions" ? "http2" : "http1";
}

function http2ConfigOf(options: UpstreamOptions | undefined): Http2ProtocolOptions | undefined {
  const protocol = options?.upstreamProtocolOptions;
  if (protocol?.case === "useDownstreamProtocolConfig" || protocol?.case === "autoConfig") {
    return protocol.value.http2ProtocolOptions;
  }
  if (protocol?.case !== "explicitHttpConfig") return undefined;
  const { protocolConfig } = protocol.value;
  return protocolConfig.case === "http2ProtocolOptions" ? protocolConfig.value : undefined;
}
