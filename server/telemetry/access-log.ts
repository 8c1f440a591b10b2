import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import type { Address } from "../gen/proto/envoy/config/core/v3/address_pb.js";
import { RequestMethod } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type {
  AccessLogCommon,
  HTTPAccessLogEntry,
  TCPAccessLogEntry,
} from "../gen/proto/envoy/data/accesslog/v3/accesslog_pb.js";
import { clean, type Peer, parsePeer } from "../wire/peer.ts";
import { flagBits } from "../wire/response-flags.ts";
import { parseClusterName, parseServiceHost } from "./cluster-name.ts";
import type { ReporterNode } from "./peer.ts";
import { type EdgeKey, type TrafficRecord, unknownPeer } from "./record.ts";

/** Which listener wrote the log: the `log_name` of its access logger. */
export type Direction = "outbound" | "inbound" | "gateway";

export function directionOf(logName: string): Direction | undefined {
  const name = logName.startsWith("limpid.") ? logName.slice("limpid.".length) : "";
  return name === "outbound" || name === "inbound" || name === "gateway" ? name : undefined;
}

/**
 * What one HTTP log entry counts for. A gateway's entry is two records: the client's call to the gateway, of which only the gateway
 * can tell, and the gateway's call to the service behind it, unless the request ended in the gateway.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/data/accesslog/v3/accesslog.proto
 */
export function httpRecords(entry: HTTPAccessLogEntry, direction: Direction, reporter: ReporterNode): TrafficRecord[] {
  const common = entry.commonProperties;
  if (common === undefined) return [];
  const request = entry.request;
  const response = entry.response;
  const protocol = isGrpc(entry) ? "grpc" : "http";
  const edges = edgesOf(direction, reporter, common, protocol, request?.requestHeaders, request?.authority ?? "");
  const rest = {
    ...commonFields(common),
    code: response?.responseCode ?? 0,
    requestBytes: bytesOf(request?.requestBodyBytes, request?.requestHeadersBytes),
    responseBytes: bytesOf(response?.responseBodyBytes, response?.responseHeadersBytes),
    method: request === undefined ? "" : (RequestMethod[request.requestMethod] ?? ""),
    path: clean(request?.originalPath || request?.path || "", 512),
    authority: clean(request?.authority ?? ""),
    requestId: clean(request?.requestId ?? "", 64),
    traceId: traceIdOf(request?.requestHeaders.traceparent),
    details: clean(response?.responseCodeDetails ?? ""),
  };
  return edges.map((edge) => ({ edge, ...rest }));
}

/** A TCP connection at its end; entries of open connections count for nothing. */
export function tcpRecords(entry: TCPAccessLogEntry, direction: Direction, reporter: ReporterNode): TrafficRecord[] {
  const common = entry.commonProperties;
  if (common === undefined || common.intermediateLogEntry) return [];
  const rest = {
    ...commonFields(common),
    code: 0,
    requestBytes: bytesOf(entry.connectionProperties?.receivedBytes),
    responseBytes: bytesOf(entry.connectionProperties?.sentBytes),
    method: "",
    path: "",
    authority: "",
    requestId: "",
    traceId: "",
    details: clean(common.connectionTerminationDetails),
  };
  return edgesOf(direction, reporter, common, "tcp", undefined, "").map((edge) => ({ edge, ...rest }));
}

function edgesOf(
  direction: Direction,
  reporter: ReporterNode,
  common: AccessLogCommon,
  protocol: EdgeKey["protocol"],
  headers: Record<string, string> | undefined,
  authority: string,
): EdgeKey[] {
  const { self } = reporter;
  const mtls = (common.tlsProperties?.peerCertificateProperties?.subjectAltName.length ?? 0) > 0;
  if (direction === "inbound") {
    const source = parsePeer(headers?.["x-limpid-peer"]) ?? unknownPeer;
    const service = serviceOf(reporter);
    return [{ reporter: "destination", gateway: false, source, service, destination: self, protocol, mtls }];
  }
  const called = calledService(common, reporter, authority);
  const gateway = direction === "gateway";
  const edges: EdgeKey[] = [];
  if (gateway) {
    const service = serviceOf(reporter);
    edges.push({ reporter: "destination", gateway, source: unknownPeer, service, destination: self, protocol, mtls });
    // A request that no cluster is told of ended in the gateway: its host is the client's, not a service's.
    if (clusterOf(common) === "" || called.host === blackHole) return edges;
  }
  edges.push({
    reporter: "source",
    gateway,
    source: self,
    service: called.host,
    destination: called.peer,
    protocol,
    mtls: false,
  });
  return edges;
}

const serviceOf = ({ self, domain }: ReporterNode): string => `${self.app}.${domain}`;

/** Where Istio counts calls to hosts that the mesh does not know; the hosts themselves are the client's words and without bound. */
const blackHole = "BlackHoleCluster";

function calledService(
  common: AccessLogCommon,
  reporter: ReporterNode,
  authority: string,
): { host: string; peer: Peer } {
  const cluster = parseClusterName(clusterOf(common));
  const reached = parsePeer(common.customTags["limpid.destination"]);
  if (cluster === undefined) {
    if (reached !== undefined) return { host: clean(clusterOf(common)), peer: reached };
    const host = clusterOf(common) || (isRouted(common) ? fullHost(authority, reporter.domain) : "") || blackHole;
    return { host: clean(host), peer: namedPeer(host, "") };
  }
  return { host: clean(cluster.host), peer: reached ?? namedPeer(cluster.host, cluster.subset) };
}

/** A route took the request, so its host is one that the config names: a redirect, or an abort whose cluster we aren't told. */
const isRouted = (common: AccessLogCommon): boolean =>
  Boolean(common.customTags["limpid.config"]) || (common.routeName !== "" && common.routeName !== "block_all");

/** Envoy fills in the field only when a host was chosen, so the cluster of an abort or of an empty cluster comes as a tag. */
const clusterOf = (common: AccessLogCommon): string =>
  common.upstreamCluster || common.customTags["limpid.cluster"]?.replace(/^-$/, "") || "";

/** Who would have answered, going by names alone: no host was chosen, or it has no metadata. */
function namedPeer(host: string, subset: string): Peer {
  const service = parseServiceHost(host);
  return {
    workload: "",
    namespace: clean(service?.namespace ?? ""),
    app: clean(service?.name ?? host),
    version: clean(subset),
  };
}

function fullHost(authority: string, domain: string): string {
  const host = authority.replace(/:\d+$/, "").toLowerCase();
  if (host === "") return "";
  const labels = host.split(".").length;
  if (labels === 1) return `${host}.${domain}`;
  return labels === 2 && domain.includes(".") ? `${host}.${domain.slice(domain.indexOf(".") + 1)}` : host;
}

function commonFields(common: AccessLogCommon) {
  const took = durationMsOf(common.duration ?? common.timeToLastDownstreamTxByte);
  const durationMs = Math.min(maxDurationMs, Math.max(0, took));
  return {
    timeMs: timestampMsOf(common.startTime) + durationMs,
    durationMs,
    flags: flagBits(common.responseFlags),
    upstreamCluster: clean(clusterOf(common), 512),
    upstreamHost: addressOf(common.upstreamRemoteAddress),
    config: clean(common.customTags["limpid.config"] ?? "", 512),
  };
}

function isGrpc(entry: HTTPAccessLogEntry): boolean {
  const type = entry.request?.requestHeaders["content-type"];
  return type?.startsWith("application/grpc") || entry.response?.responseTrailers["grpc-status"] !== undefined;
}

/** W3C Trace Context: `00-<trace id>-<span id>-<flags>`. */
function traceIdOf(traceparent: string | undefined): string {
  const id = traceparent?.split("-")[1] ?? "";
  return /^[0-9a-f]{32}$/.test(id) ? id : "";
}

function addressOf(address: Address | undefined): string {
  if (address?.address.case === "socketAddress") {
    const { address: ip, portSpecifier } = address.address.value;
    return `${ip}:${portSpecifier.case === "portValue" ? portSpecifier.value : ""}`;
  }
  return address?.address.case === "pipe" ? address.address.value.path : "";
}

/** 16 TiB and a century: more is nonsense, and its sums would leave the numbers that a database gives back exactly. */
const maxBytes = 2 ** 44;
const maxDurationMs = 100 * 365 * 86_400_000;

const bytesOf = (...parts: (bigint | undefined)[]): number =>
  parts.reduce<number>((sum, part) => Math.min(maxBytes, sum + Number(part ?? 0n)), 0);

const durationMsOf = (duration: Duration | undefined): number =>
  duration === undefined ? 0 : Number(duration.seconds) * 1000 + duration.nanos / 1e6;
const timestampMsOf = (time: Timestamp | undefined): number =>
  time === undefined ? 0 : Number(time.seconds) * 1000 + time.nanos / 1e6;
