/**
 * Requests and responses as a codec tells them; what only HTTP/1 has may be missing. Whoever hears of a body is a handler: calls are synchronous, and nothing is
 * told after `onReset`, nor after both directions have ended.
 */

/** Flat [name, value, …], names in lower case, order and duplicates kept. No pseudo-headers, and no fields that concern one hop only. */
export type Fields = string[];

export interface StreamRequestHead {
  method: string;
  /** With the query. Empty: a CONNECT without `:path`. */
  path: string;
  /** Host or `:authority`; empty when the message has none. */
  authority: string;
  /** As the message says it; "" where the protocol doesn't (HTTP/1 in origin-form). */
  scheme: string;
  headers: Fields;
  /** -1: no length is told; `headers` hold the field otherwise. */
  contentLength: number;
  /** Protocol to switch to, in lower case: HTTP/1's Upgrade, `:protocol` of an extended CONNECT (RFC 8441), {@link plainConnect}; "" for none. */
  upgrade: string;
  /** Size as received, for the log. */
  bytes: number;
  /** Monotonic ms of its first byte; absent: now. */
  receivedAt?: number;
  /** HTTP/1 only: the data that follow are chunks as on the wire, framing and trailers included; whoever takes them may ask for what is inside. */
  chunked?: boolean;
  /** What follows a good answer are bytes without any framing, both ways: a CONNECT's. */
  tunnel?: boolean;
}

/** What a plain CONNECT is among the protocols to switch to. Its tunnel is opened by 101 here like any other's; codecs say 200 for it. */
export const plainConnect = "connect";

export interface StreamResponseHead {
  status: number;
  headers: Fields;
  /** -1: no length is told; `headers` hold the field otherwise. */
  contentLength: number;
  bytes: number;
  /** HTTP/1 only: as in {@link StreamRequestHead.chunked}. */
  chunked?: boolean;
}

/** Why a stream ended without being whole. */
export type StreamReset =
  /** A limit of ours: circuit breaker, pending requests. */
  | "overflow"
  | "connection_failure"
  | "connection_timeout"
  | "connection_termination"
  | "remote_reset"
  /** HTTP/2's REFUSED_STREAM, or a stream above the last one of a GOAWAY: the peer has not begun it, so it may be sent again. */
  | "refused_stream"
  | "protocol_error"
  | "local_reset";

/** Whoever hears of a message's rest. `bytes` are valid during the call only. */
export interface BodyHandler {
  onData(bytes: Buffer, start: number, end: number): void;
  onEnd(trailers: Fields | undefined): void;
  onReset(reason: StreamReset, detail: string): void;
  /** After `sendData` said stop. */
  onDrain(): void;
}
