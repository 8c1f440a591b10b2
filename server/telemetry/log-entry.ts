import type { Range } from "./proto-reader.ts";

/** The dozen fields of an access log entry that telemetry uses. One object, used again for every entry: whoever keeps something copies it. */
export class LogEntry {
  kind: "http" | "tcp" = "http";
  /** Number of AccessLogType. */
  type = 0;
  /** Of a connection that goes on, from before there was a type. */
  intermediate = false;
  /** Unix milliseconds. */
  startMs = 0;
  durationMs = 0;
  lastDownstreamTxMs = 0;
  flags = 0;
  downstreamIp = "";
  downstreamLocalPort = 0;
  /** `address:port`, or a pipe's path. */
  upstreamHost = "";
  upstreamIp = "";
  upstreamCluster = "";
  routeName = "";
  terminationDetails = "";
  /** The peer showed a certificate with a name; the URI among its names, if there is one. */
  mtls = false;
  peerUri = "";
  /** The URI of the certificate that the proxy itself showed. */
  localUri = "";
  // Custom tags.
  destination = "";
  config = "";
  rule = "";
  cluster = "";
  count = "";
  reachedUri = "";
  metrics = "";
  messages = "";
  /** Istio's peer metadata: the filter state's `google.protobuf.Any`. */
  downstreamPeer: Range | undefined;
  upstreamPeer: Range | undefined;
  // Of HTTP.
  /** Number of RequestMethod. */
  method = 0;
  authority = "";
  path = "";
  originalPath = "";
  userAgent = "";
  requestId = "";
  requestBytes = 0;
  code = 0;
  responseBytes = 0;
  details = "";
  peer = "";
  traceparent = "";
  contentType = "";
  grpcStatus = "";

  /** As new. By hand, because copying all fields of a blank one takes three times as long. */
  reset(kind: "http" | "tcp"): void {
    this.kind = kind;
    this.type = 0;
    this.intermediate = false;
    this.startMs = 0;
    this.durationMs = 0;
    this.lastDownstreamTxMs = 0;
    this.flags = 0;
    this.downstreamIp = "";
    this.downstreamLocalPort = 0;
    this.upstreamHost = "";
    this.upstreamIp = "";
    this.upstreamCluster = "";
    this.routeName = "";
    this.terminationDetails = "";
    this.mtls = false;
    this.peerUri = "";
    this.localUri = "";
    this.destination = "";
    this.config = "";
    this.rule = "";
    this.cluster = "";
    this.count = "";
    this.reachedUri = "";
    this.metrics = "";
    this.messages = "";
    this.downstreamPeer = undefined;
    this.upstreamPeer = undefined;
    this.method = 0;
    this.authority = "";
    this.path = "";
    this.originalPath = "";
    this.userAgent = "";
    this.requestId = "";
    this.requestBytes = 0;
    this.code = 0;
    this.responseBytes = 0;
    this.details = "";
    this.peer = "";
    this.traceparent = "";
    this.contentType = "";
    this.grpcStatus = "";
  }
}
