/** One that goes up. */
export interface Counter {
  readonly value: number;
  inc(by?: number): void;
}

/** Counters of Envoy's HTTP/2 codec: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/stats#http-2-codec-statistics */
export interface Http2CodecStats {
  readonly goAwaySent: Counter;
  readonly headerOverflow: Counter;
  readonly inboundEmptyFramesFlood: Counter;
  readonly inboundPriorityFramesFlood: Counter;
  readonly inboundWindowUpdateFramesFlood: Counter;
  readonly keepaliveTimeout: Counter;
  readonly outboundFlood: Counter;
  readonly rxMessagingError: Counter;
  readonly rxReset: Counter;
  readonly streamRefused: Counter;
  readonly trailers: Counter;
  readonly txReset: Counter;
}

/** The codec's, and those of the connection manager or cluster around it. */
export interface Http2Stats extends Http2CodecStats {
  readonly cxDrainClose: Counter;
  readonly cxIdleTimeout: Counter;
  readonly cxProtocolError: Counter;
  readonly prematureResets: Counter;
  readonly rxBytes: Counter;
  readonly txBytes: Counter;
}

/** @param counter of a name such as `rx_reset` */
export const http2CodecStats = (counter: (name: string) => Counter): Http2CodecStats => ({
  goAwaySent: counter("goaway_sent"),
  headerOverflow: counter("header_overflow"),
  inboundEmptyFramesFlood: counter("inbound_empty_frames_flood"),
  inboundPriorityFramesFlood: counter("inbound_priority_frames_flood"),
  inboundWindowUpdateFramesFlood: counter("inbound_window_update_frames_flood"),
  keepaliveTimeout: counter("keepalive_timeout"),
  outboundFlood: counter("outbound_flood"),
  rxMessagingError: counter("rx_messaging_error"),
  rxReset: counter("rx_reset"),
  streamRefused: counter("stream_refused_errors"),
  trailers: counter("trailers"),
  txReset: counter("tx_reset"),
});
