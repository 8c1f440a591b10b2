import { RequestMethod } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { Recent } from "../lib/recent.ts";
import { type Direction, directionOfLogName } from "../wire/access-log-names.ts";
import { healthCheckerAgent } from "../wire/health-checker.ts";
import { type MetricChanges, parseMetricChanges } from "../wire/metric-rules.ts";
import { clean, type Peer, parsePeer } from "../wire/peer.ts";
import { parseClusterName, parseServiceHost } from "./cluster-name.ts";
import { istioPeer } from "./istio-peer.ts";
import type { LogEntry } from "./log-entry.ts";
import type { ReporterNode } from "./peer.ts";
import type { PeerBook } from "./peer-book.ts";
import { type EdgeKey, noGrpcStatus, type TrafficRecord, unknownPeer } from "./record.ts";

/** Whose logs come on a stream, and of which of its listeners. */
export interface LogSource {
  reporter: ReporterNode;
  /** Undefined: the name of the log does not say, so that each entry has to. */
  direction: Direction | undefined;
  peers: PeerBook;
  /** Edges that were told of in the last second, by what an entry says of them. */
  known: { edges: Map<string, readonly EdgeKey[]>; sinceMs: number };
}

export const logSource = (logName: string, reporter: ReporterNode, peers: PeerBook): LogSource => ({
  reporter,
  direction: directionOfLogName(logName),
  peers,
  known: { edges: new Map(), sinceMs: 0 },
});

/** Why an entry that somebody may look for counts for nothing; undefined for all others. */
export type IgnoredBecause = "not an end";

/**
 * What one log entry counts for, appended to `records`. A gateway's HTTP entry is two records: the client's call to the gateway, of which only
 * the gateway can tell, and the gateway's call to the service behind it, unless the request ended in the gateway. A connection or a stream
 * counts once, at its end; so does what a retry logged on its way, which is none. Health checks are no calls: each proxy that probes would seem to call what it probes.
 */
export function addRecords(
  records: TrafficRecord[],
  entry: LogEntry,
  source: LogSource,
  nowMs: number,
): IgnoredBecause | undefined {
  if (entry.intermediate || !ends.has(entry.type)) return "not an end";
  if (entry.userAgent === healthCheckerAgent) return undefined;
  const direction = source.direction ?? directionOf(entry, source.reporter);
  const protocol = entry.kind === "tcp" ? "tcp" : isGrpc(entry) ? "grpc" : "http";
  const rest = fieldsOf(entry, source.reporter);
  for (const edge of knownEdges(direction, source, entry, protocol, nowMs)) records.push({ edge, ...rest });
  return undefined;
}

const maxKnownEdges = 1000;

/** Thousands of entries a second tell of a few edges: for a second each is worked out once. */
function knownEdges(
  direction: Direction,
  source: LogSource,
  entry: LogEntry,
  protocol: EdgeKey["protocol"],
  nowMs: number,
): readonly EdgeKey[] {
  // What follows from Istio's metadata, an address or the request's host is as manifold as those.
  const named = entry.destination !== "" || entry.upstreamHost === "";
  const simple = direction === "inbound" ? entry.peer !== "" : named && clusterOf(entry) !== "" && !entry.upstreamPeer;
  if (!simple) return edgesOf(direction, source, entry, protocol, nowMs);
  const { known } = source;
  if (nowMs - known.sinceMs > 1000 || known.edges.size >= maxKnownEdges) {
    known.edges.clear();
    known.sinceMs = nowMs;
  }
  const key =
    direction === "inbound"
      ? `${protocol}\n${entry.mtls}\n${entry.peerUri}\n${entry.peer}`
      : `${direction}\n${protocol}\n${entry.mtls}\n${entry.reachedUri}\n${entry.upstreamCluster}\n${entry.cluster}\n${entry.destination}\n${entry.upstreamHost}`;
  let edges = known.edges.get(key);
  if (edges === undefined) {
    edges = edgesOf(direction, source, entry, protocol, nowMs);
    known.edges.set(key, edges);
  }
  return edges;
}

/** Numbers of AccessLogType: what an old Envoy leaves out, and what ends a connection, a request, a UDP session. */
const ends = new Set([0, 3, 6, 13]);

/**
 * Which of its listeners wrote an entry of somebody's own configuration: Istio's names of clusters say so, then Istio's ports; any other
 * proxy stands in front of what it calls, as a gateway does.
 */
function directionOf(entry: LogEntry, { type }: ReporterNode): Direction {
  const cluster = clusterOf(entry);
  if (cluster.startsWith("inbound|") || cluster === "InboundPassthroughCluster") return "inbound";
  if (type !== "sidecar") return "gateway";
  return entry.downstreamLocalPort === istioInboundPort && !cluster.startsWith("outbound|") ? "inbound" : "outbound";
}

/** https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio */
const istioInboundPort = 15_006;

function edgesOf(
  direction: Direction,
  { reporter, peers }: LogSource,
  entry: LogEntry,
  protocol: EdgeKey["protocol"],
  nowMs: number,
): EdgeKey[] {
  const { self } = reporter;
  const { mtls } = entry;
  const metrics = entry.metrics === "" ? undefined : changesOf(entry.metrics);
  const changed = metrics && { metrics };
  if (direction === "inbound") {
    const source = sourceOf(entry, peers, nowMs);
    const service = serviceOf(reporter);
    const principals = mtls ? { principals: { source: uri(entry.peerUri), destination: uri(entry.localUri) } } : {};
    const edge = {
      reporter: "destination",
      gateway: false,
      source,
      service,
      destination: self,
      protocol,
      mtls,
    } as const;
    return [{ ...edge, ...principals, ...changed }];
  }
  const called = calledService(entry, reporter, peers);
  const gateway = direction === "gateway";
  const edges: EdgeKey[] = [];
  if (gateway) {
    const service = serviceOf(reporter);
    edges.push({ reporter: "destination", gateway, source: unknownPeer, service, destination: self, protocol, mtls });
    // A request that no cluster is told of ended in the gateway: its host is the client's, not a service's.
    if (clusterOf(entry) === "" || called.host === blackHole) return edges;
  }
  const { host: service, peer: destination } = called;
  // Whom it reached is told by the endpoint's certificate, and who it is itself, by what the endpoint knows of it, nowhere.
  const principals = entry.reachedUri && { principals: { source: "", destination: uri(entry.reachedUri) } };
  edges.push({
    reporter: "source",
    gateway,
    source: self,
    service,
    destination,
    protocol,
    mtls: false,
    ...principals,
    ...changed,
  });
  return edges;
}

/** All entries of a proxy say the same. */
const changes = new Recent<MetricChanges>(256);
const noChanges: MetricChanges = new Map();
const changesOf = (text: string): MetricChanges => changes.getOr(text, () => parseMetricChanges(text) ?? noChanges);

const maxUriChars = 512;
const uri = (text: string): string => clean(text, maxUriChars);

const serviceOf = ({ self, domain }: ReporterNode): string => `${self.app}.${domain}`;

function sourceOf(entry: LogEntry, peers: PeerBook, nowMs: number): Peer {
  const told = entry.downstreamPeer === undefined ? undefined : istioPeer(entry.downstreamPeer);
  if (told !== undefined && entry.peer === "") return told;
  return peers.callerOf({ claim: entry.peer, mtls: entry.mtls, uri: entry.peerUri, ip: entry.downstreamIp }, nowMs);
}

/** Where Istio counts calls to hosts that the mesh does not know; the hosts themselves are the client's words and without bound. */
const blackHole = "BlackHoleCluster";

function calledService(entry: LogEntry, reporter: ReporterNode, peers: PeerBook): { host: string; peer: Peer } {
  const name = clusterOf(entry);
  const cluster = parseClusterName(name);
  const reached = reachedPeer(entry, peers);
  if (cluster === undefined) {
    if (reached !== undefined) return { host: clean(name), peer: reached };
    const host = name || (isRouted(entry) ? fullHost(entry.authority, reporter.domain) : "") || blackHole;
    return { host: clean(host), peer: namedPeer(host, "") };
  }
  return { host: clean(cluster.host), peer: reached ?? namedPeer(cluster.host, cluster.subset) };
}

/** By the endpoint's own metadata, by Istio's, by what others said of its address. */
function reachedPeer(entry: LogEntry, peers: PeerBook): Peer | undefined {
  if (entry.destination !== "") {
    const peer = destinations.of(entry.destination);
    if (peer !== undefined && entry.upstreamIp !== "") peers.addEndpoint(entry.upstreamHost, peer);
    return peer;
  }
  const told = entry.upstreamPeer === undefined ? undefined : istioPeer(entry.upstreamPeer);
  return told ?? (entry.upstreamHost === "" ? undefined : peers.at(entry.upstreamHost));
}

/** Few texts, again and again: each is read once, and has one object. */
class PeerTexts {
  readonly #known = new Map<string, Peer | undefined>();

  of(text: string): Peer | undefined {
    if (this.#known.has(text)) return this.#known.get(text);
    if (this.#known.size >= 10_000) this.#known.clear();
    const peer = parsePeer(text);
    this.#known.set(text, peer);
    return peer;
  }
}
const destinations = new PeerTexts();

/** A route took the request, so its host is one that the config names: a redirect, or an abort whose cluster we aren't told. */
const isRouted = (entry: LogEntry): boolean =>
  entry.config !== "" || (entry.routeName !== "" && entry.routeName !== "block_all");

/** Envoy fills in the field only when a host was chosen, so the cluster of an abort or of an empty cluster comes as a tag. */
const clusterOf = (entry: LogEntry): string => entry.upstreamCluster || (entry.cluster === "-" ? "" : entry.cluster);

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

function fieldsOf(entry: LogEntry, reporter: ReporterNode): Omit<TrafficRecord, "edge"> {
  const durationMs = Math.min(maxDurationMs, Math.max(0, entry.durationMs || entry.lastDownstreamTxMs));
  const http = entry.kind === "http";
  return {
    timeMs: entry.startMs + durationMs,
    durationMs,
    count: countOf(entry.count),
    detailed: entry.count === "",
    proxy: reporter.id,
    code: http ? Math.min(maxCode, entry.code) : 0,
    grpcStatus: grpcStatusOf(entry.grpcStatus),
    flags: entry.flags,
    requestBytes: Math.min(maxBytes, entry.requestBytes),
    responseBytes: Math.min(maxBytes, entry.responseBytes),
    ...messagesOf(entry.messages),
    method: http ? (RequestMethod[entry.method] ?? "") : "",
    path: clean(entry.originalPath || entry.path, 512),
    authority: clean(entry.authority),
    requestId: clean(entry.requestId, 64),
    traceId: traceIdOf(entry.traceparent),
    details: clean(http ? entry.details : entry.terminationDetails),
    upstreamCluster: clean(clusterOf(entry), 512),
    upstreamHost: clean(entry.upstreamHost),
    config: clean(entry.rule === "" ? entry.config : `${entry.config}#${entry.rule}`, 512),
  };
}

/** The custom tag `limpid.count`; 1 for an entry that is one request. */
function countOf(tag: string): number {
  const count = tag === "" ? 1 : Number(tag);
  return Number.isInteger(count) && count >= 1 ? Math.min(maxCount, count) : 1;
}

/** The custom tag `limpid.messages`; none of what is no gRPC, or where nobody counted. */
function messagesOf(tag: string): Pick<TrafficRecord, "requestMessages" | "responseMessages"> {
  const [, sent = "0", received = "0"] = /^(\d{1,15}),(\d{1,15})$/.exec(tag) ?? [];
  return {
    requestMessages: Math.min(maxMessages, Number(sent)),
    responseMessages: Math.min(maxMessages, Number(received)),
  };
}

/** What stands there that is no status of gRPC's is UNKNOWN. https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
function grpcStatusOf(text: string): number {
  if (text === "") return noGrpcStatus;
  const status = /^\d{1,2}$/.test(text) ? Number(text) : 2;
  return status <= 16 ? status : 2;
}

const isGrpc = (entry: LogEntry): boolean =>
  entry.grpcStatus !== "" ||
  entry.contentType === "application/grpc" ||
  /^application\/grpc[+;]/.test(entry.contentType);

/** W3C Trace Context: `00-<trace id>-<span id>-<flags>`. */
function traceIdOf(traceparent: string): string {
  const id = traceparent.slice(3, 35);
  return traceparent[35] === "-" && /^[0-9a-f]{32}$/.test(id) ? id : "";
}

/** 16 TiB and a century: more is nonsense, and its sums would leave the numbers that a database gives back exactly. */
const maxBytes = 2 ** 44;
const maxDurationMs = 100 * 365 * 86_400_000;
const maxCount = 1e9;
const maxMessages = 2 ** 44;
/** HTTP has three digits for it. */
const maxCode = 999;
