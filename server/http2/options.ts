import { defaultTableSize } from "./hpack/decoder.ts";

/**
 * Envoy's `http2_protocol_options` and the limits that stand beside them in its connection manager, with its defaults.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/protocol.proto#config-core-v3-http2protocoloptions
 */
export interface Http2Options {
  maxConcurrentStreams: number;
  /** Bytes; see {@link maxHeldPerStream}. */
  initialStreamWindow: number;
  initialConnectionWindow: number;
  hpackTableSize: number;
  /** Frames that wait for a peer that doesn't read; past it the connection is closed. */
  maxOutboundFrames: number;
  /** PING and SETTINGS acknowledgements and RST_STREAM among them. */
  maxOutboundControlFrames: number;
  maxEmptyFrames: number;
  maxPriorityFramesPerStream: number;
  maxWindowUpdatesPerDataFrame: number;
  /** RFC 8441. */
  allowConnect: boolean;
  /** Malformed messages end their stream only, not the connection. */
  streamErrorOnInvalidMessaging: boolean;
  keepalive: KeepaliveOptions | undefined;
  /** Bytes of names and values. */
  maxHeaderBytes: number;
  maxHeaders: number;
  /** After that many requests the connection drains; 0: never. */
  maxRequestsPerConnection: number;
  /** Limits of 0 are off: of time without a request, and of a connection's life before it drains. */
  connectionIdleMs: number;
  maxConnectionMs: number;
  /** A peer gets this long to read the GOAWAY; then its own bytes may turn the close into a reset. */
  delayedCloseMs: number;
  /** A draining client that doesn't answer a PING is not waited for longer. */
  drainTimeoutMs: number;
  /** Envoy's overload.premature_reset_total_stream_count and …min_stream_lifetime_seconds. */
  prematureResetStreams: number;
  prematureResetMs: number;
}

/** `connection_keepalive`. */
export interface KeepaliveOptions {
  /** Between PINGs; 0: only after idle time. */
  intervalMs: number;
  timeoutMs: number;
  /** Up to so many percent are added to the interval. */
  jitterPercent: number;
  /** Silence after which the next stream of a client is preceded by a PING; 0: off. */
  idleIntervalMs: number;
}

/**
 * A stream whose reader has stopped holds what its window allows at most. Envoy's default window is 16 MiB; here no window is opened further than this, so that
 * a stream holds less than 1 MiB, also when the last read before a stop (64 KiB) waits at its other end.
 */
export const maxHeldPerStream = 1024 * 1024 - 128 * 1024;

export const defaultOptions: Http2Options = {
  maxConcurrentStreams: 1024,
  initialStreamWindow: 16 * 1024 * 1024,
  initialConnectionWindow: 24 * 1024 * 1024,
  hpackTableSize: defaultTableSize,
  maxOutboundFrames: 10_000,
  maxOutboundControlFrames: 1000,
  maxEmptyFrames: 1,
  maxPriorityFramesPerStream: 100,
  maxWindowUpdatesPerDataFrame: 10,
  allowConnect: false,
  streamErrorOnInvalidMessaging: false,
  keepalive: undefined,
  maxHeaderBytes: 60 * 1024,
  maxHeaders: 100,
  maxRequestsPerConnection: 0,
  connectionIdleMs: 3_600_000,
  maxConnectionMs: 0,
  delayedCloseMs: 1000,
  drainTimeoutMs: 5000,
  prematureResetStreams: 500,
  prematureResetMs: 1000,
};
