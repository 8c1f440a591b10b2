import type { JsonObject } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { TlsConnection } from "./tls/tls-connection.ts";

/** `filter_metadata`: by namespace, then by key. */
export type Metadata = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** `typed_filter_metadata`: a message by namespace. */
export type TypedMetadata = Readonly<Record<string, Any>>;

export interface UpstreamHost {
  readonly address: string;
  readonly port: number;
  readonly hostname: string;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
}

/** A listener and its filter chain, as logs tell of them. */
export interface ListenerPlace {
  readonly listenerMetadata: Metadata | undefined;
  readonly chainName: string;
  readonly chainMetadata: Metadata | undefined;
}

/** An object of Envoy's filter state, in the forms in which a log can ask for it. */
export interface FilterState {
  /** As the JSON form of its message … */
  json(): JsonObject;
  /** … and the same by the names of its fields. */
  fields(): JsonObject;
  /** As text; undefined: it has no such form. */
  text(): string | undefined;
}

/**
 * One proxied HTTP request or TCP connection, filled in by the data path as it goes and handed to the access loggers once, at its end.
 * The fields are those of Envoy's HTTPAccessLogEntry; times are milliseconds (fractional) since `startMs` unless said otherwise.
 * Allocated once per request: every field has its final type from the start, so that the hidden class never changes.
 */
export interface RequestRecord {
  /** Unix time in milliseconds, fractional; by the wall clock of its end once it is logged. */
  startMs: number;
  /** The same moment by `performance.now()`. */
  startMonotonicMs: number;
  /** End of the request as a whole, headers and body both ways. */
  durationMs: number;
  timeToLastDownstreamRxMs: number;
  timeToFirstUpstreamTxMs: number;
  timeToLastUpstreamTxMs: number;
  timeToFirstUpstreamRxMs: number;
  timeToLastUpstreamRxMs: number;
  timeToFirstDownstreamTxMs: number;
  timeToLastDownstreamTxMs: number;

  downstreamRemoteAddress: string;
  downstreamRemotePort: number;
  downstreamLocalAddress: string;
  downstreamLocalPort: number;
  /** Whose identity is the connection's. */
  connection: object | undefined;
  /** The client's address is the connection's, whatever x-forwarded-for says. */
  atEdge: boolean;
  /** What the client's connection agreed on in its handshake; undefined: plain text. */
  downstreamTls: TlsConnection | undefined;
  /** Empty when no upstream was chosen. */
  upstreamRemoteAddress: string;
  upstreamRemotePort: number;
  /** `ip:port` of our end of the connection. */
  upstreamLocalAddress: string;
  /** What our handshake with the endpoint agreed on; undefined: plain text. */
  upstreamTls: TlsConnection | undefined;
  upstreamCluster: string;
  /** The cluster that the route chose, also when a filter answered before any host of it was tried. */
  routedCluster: string;
  upstreamTransportFailureReason: string;
  /** Of the connection that carried the request; empty when none did. */
  upstreamProtocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2" | "";
  /** The last host that was tried, and those before it. */
  upstreamHost: UpstreamHost | undefined;
  earlierHosts: readonly UpstreamHost[] | undefined;
  /** How long the last attempt waited for its connection. */
  poolReadyMs: number;
  upstreamAttempts: number;
  /** Metadata of the chosen endpoint, as in `filter_metadata`: EDS `lb_endpoints[].metadata`. */
  upstreamHostMetadata: Metadata | undefined;
  routeMetadata: Metadata | undefined;
  routeTypedMetadata: TypedMetadata | undefined;
  clusterMetadata: Metadata | undefined;
  virtualHostMetadata: Metadata | undefined;
  /** Where the request came in. */
  place: ListenerPlace | undefined;
  /** What filters have found out about the request. */
  dynamicMetadata: Metadata | undefined;
  typedMetadata: TypedMetadata | undefined;
  routeName: string;
  /** The route decorator's operation, which names the span; empty without one. */
  operation: string;

  /** Empty: a TCP connection, whose bytes stand in the bodies. */
  protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2" | "";
  scheme: string;
  method: string;
  authority: string;
  path: string;
  /** x-envoy-original-path: the path before a rewrite. */
  originalPath: string;
  userAgent: string;
  forwardedFor: string;
  requestId: string;
  requestHeadersBytes: number;
  requestBodyBytes: number;
  /** Flat [name, value, …] in lower case, as received and mutated. */
  requestHeaders: readonly string[];

  /** 0 when no response was begun. */
  responseCode: number;
  responseHeadersBytes: number;
  responseBodyBytes: number;
  /** Envoy's response code details, such as `via_upstream`, `fault_filter_abort`, `no_healthy_upstream`. */
  responseCodeDetails: string;
  responseHeaders: readonly string[];
  /** Why a filter of the connection ended it; empty: none did. */
  connectionTerminationDetails: string;
  /** Undefined: none came, or they passed with the chunks of a body that nobody looked into. */
  responseTrailers: readonly string[] | undefined;
  /** Bits of {@link ResponseFlag}. */
  responseFlags: number;

  /** Of a connection, by its listener and not by what served it. */
  ofListener: boolean;
  /** A filter has found it to be a health check. */
  healthCheck: boolean;
  /** What filters leave for logs, by name. */
  filterState: Readonly<Record<string, FilterState>> | undefined;

  /** 32 and 16 hex digits; empty when the request is not traced. */
  traceId: string;
  spanId: string;
  sampled: boolean;
}

/** Bits for Envoy's response flags. https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage */
export const ResponseFlag = {
  /** LH */ failedLocalHealthcheck: 1 << 0,
  /** UH */ noHealthyUpstream: 1 << 1,
  /** UT */ upstreamRequestTimeout: 1 << 2,
  /** LR */ localReset: 1 << 3,
  /** UR */ upstreamRemoteReset: 1 << 4,
  /** UF */ upstreamConnectionFailure: 1 << 5,
  /** UC */ upstreamConnectionTermination: 1 << 6,
  /** UO */ upstreamOverflow: 1 << 7,
  /** NR */ noRouteFound: 1 << 8,
  /** DI */ delayInjected: 1 << 9,
  /** FI */ faultInjected: 1 << 10,
  /** RL */ rateLimited: 1 << 11,
  /** DC */ downstreamConnectionTermination: 1 << 12,
  /** URX */ upstreamRetryLimitExceeded: 1 << 13,
  /** SI */ streamIdleTimeout: 1 << 14,
  /** DPE */ downstreamProtocolError: 1 << 15,
  /** UPE */ upstreamProtocolError: 1 << 16,
  /** UMSDR */ upstreamMaxStreamDurationReached: 1 << 17,
  /** NC */ noClusterFound: 1 << 18,
  /** DT */ durationTimeout: 1 << 19,
  /** UAEX */ unauthorizedExternalService: 1 << 20,
  /** RLSE */ rateLimitServiceError: 1 << 21,
  /** DF */ dnsResolutionFailure: 1 << 22,
  /** NFCF */ noFilterConfigFound: 1 << 23,
  /** DO */ dropOverload: 1 << 24,
  /** UDO */ unconditionalDropOverload: 1 << 25,
} as const;

/** Where finished requests go. Must not throw and must not block: sinks bound their own queues and count what they shed. */
export interface AccessLogger {
  log(record: RequestRecord): void;
}

/** What a span needs beyond the record; the data path calls these, the tracer decides on sampling and export. */
export interface Tracer {
  /**
   * Reads the incoming context (W3C traceparent, B3), decides on sampling, and returns the context of this hop's span.
   * `headers` is flat [name, value, …] in lower case.
   */
  begin(headers: readonly string[], direction: "inbound" | "outbound"): TraceContext;
  end(context: TraceContext, record: RequestRecord): void;
}

export interface TraceContext {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  sampled: boolean;
  /** Headers to set on the upstream request: flat [name, value, …]. */
  propagate: readonly string[];
}

const none: readonly string[] = [];

/** All fields present from the start, each with its final type: see {@link RequestRecord}. */
export const newRecord = (startMs: number, startMonotonicMs: number): RequestRecord => ({
  startMs,
  startMonotonicMs,
  durationMs: 0,
  timeToLastDownstreamRxMs: 0,
  timeToFirstUpstreamTxMs: 0,
  timeToLastUpstreamTxMs: 0,
  timeToFirstUpstreamRxMs: 0,
  timeToLastUpstreamRxMs: 0,
  timeToFirstDownstreamTxMs: 0,
  timeToLastDownstreamTxMs: 0,
  downstreamRemoteAddress: "",
  downstreamRemotePort: 0,
  downstreamLocalAddress: "",
  downstreamLocalPort: 0,
  connection: undefined,
  atEdge: false,
  downstreamTls: undefined,
  upstreamRemoteAddress: "",
  upstreamRemotePort: 0,
  upstreamLocalAddress: "",
  upstreamTls: undefined,
  upstreamCluster: "",
  routedCluster: "",
  upstreamTransportFailureReason: "",
  upstreamProtocol: "",
  upstreamHost: undefined,
  earlierHosts: undefined,
  poolReadyMs: 0,
  upstreamAttempts: 0,
  upstreamHostMetadata: undefined,
  routeMetadata: undefined,
  routeTypedMetadata: undefined,
  clusterMetadata: undefined,
  virtualHostMetadata: undefined,
  place: undefined,
  dynamicMetadata: undefined,
  typedMetadata: undefined,
  routeName: "",
  operation: "",
  protocol: "HTTP/1.1",
  scheme: "http",
  method: "",
  authority: "",
  path: "",
  originalPath: "",
  userAgent: "",
  forwardedFor: "",
  requestId: "",
  requestHeadersBytes: 0,
  requestBodyBytes: 0,
  requestHeaders: none,
  responseCode: 0,
  responseHeadersBytes: 0,
  responseBodyBytes: 0,
  responseCodeDetails: "",
  responseHeaders: none,
  connectionTerminationDetails: "",
  responseTrailers: undefined,
  responseFlags: 0,
  ofListener: false,
  healthCheck: false,
  filterState: undefined,
  traceId: "",
  spanId: "",
  sampled: false,
});
