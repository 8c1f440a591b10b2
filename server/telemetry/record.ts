import type { MetricChanges } from "../wire/metric-rules.ts";
import type { Peer } from "../wire/peer.ts";

/** One request (or TCP connection) as one proxy saw it: what every access-log dialect is turned into. */
export interface TrafficRecord {
  /** When it ended; Unix milliseconds. */
  timeMs: number;
  edge: EdgeKey;
  /** How many requests it stands for: more than one for what a proxy could only count. Bytes are of all of them. */
  count: number;
  /** False: nothing but numbers is known of it, and there is nothing to show of a single request. */
  detailed: boolean;
  /** Node id of the proxy that tells it. */
  proxy: string;
  /** HTTP status; 0: no response, or TCP. */
  code: number;
  /** 0 to 16; {@link noGrpcStatus}: none was told. */
  grpcStatus: number;
  /** Bits of {@link file://../wire/response-flags.ts}. */
  flags: number;
  /** Milliseconds, fractional. */
  durationMs: number;
  requestBytes: number;
  responseBytes: number;
  /** Of gRPC, as the proxy of who is called counted them; else 0. */
  requestMessages: number;
  responseMessages: number;
  method: string;
  path: string;
  authority: string;
  requestId: string;
  /** 32 hex digits, or empty. */
  traceId: string;
  upstreamCluster: string;
  /** `address:port`; empty: the request never left the proxy. */
  upstreamHost: string;
  /** Envoy's response code details, such as `via_upstream` or `fault_filter_abort`. */
  details: string;
  /** The config object whose route it took, as an API path, and behind a `#` which rule of it; empty: unknown. */
  config: string;
  /** Whose numbered batch it came in, where others write to the same store; see `TelemetryStore.claim`. */
  sender?: string;
}

/** Between whom, over what, said by whom: the dimensions a record is counted under, time, code and flags apart. */
export interface EdgeKey {
  reporter: "source" | "destination";
  /** The reporter is a gateway. */
  gateway: boolean;
  source: Peer;
  /** Hostname the call was addressed to. */
  service: string;
  /** Its workload is empty when no host was reached: then app and version are what the cluster's name says. */
  destination: Peer;
  protocol: "http" | "grpc" | "tcp";
  mtls: boolean;
  /** What the certificates of both sides say, as URIs; left out: nobody showed one. Part of no identity: it follows from who they are. */
  principals?: Readonly<{ source: string; destination: string }>;
  /** What Telemetry changes of Istio's metrics of it. Part of no identity: it follows from who tells it, and changes with the configuration. */
  metrics?: MetricChanges;
}

/** Of what is no gRPC, or of a call that ended without a status. */
export const noGrpcStatus = -1;

export const unknownPeer: Peer = Object.freeze({ workload: "", namespace: "", app: "", version: "" });

/** Equal for equal edges, and only for them: no part may hold the separator, see `clean`. */
export function edgeId(edge: EdgeKey): string {
  let id = ids.get(edge);
  if (id === undefined) {
    id = makeId(edge);
    ids.set(edge, id);
  }
  return id;
}

/** The same few objects come again and again. */
const ids = new WeakMap<EdgeKey, string>();

const makeId = (edge: EdgeKey): string =>
  `${edge.reporter}\n${edge.gateway ? 1 : 0}\n${peerId(edge.source)}\n${edge.service}\n${peerId(edge.destination)}\n${edge.protocol}\n${edge.mtls ? 1 : 0}`;

const peerId = (peer: Peer): string => `${peer.namespace}\n${peer.app}\n${peer.version}\n${peer.workload}`;

/** Where calls are counted once there are more different edges than the limit: the counts stay right, the names are lost. */
export const overflowEdge = (edge: EdgeKey): EdgeKey => ({
  ...edge,
  source: unknownPeer,
  service: "overflow",
  destination: unknownPeer,
});
