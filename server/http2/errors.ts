/** Error codes of RFC 9113, 7. */
export const ErrorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
} as const;

/**
 * Why a stream or a connection was broken off, as it stands in access logs: Envoy's response code details where Envoy has one.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/response_code_details
 */
export const Detail = {
  invalidHeader: "http2.invalid.header.field",
  messaging: "http2.violation.of.messaging.rule",
  protocol: "http2.unknown.nghttp2.error",
  tooManyHeaders: "http2.too_many_headers",
  fragment: "path_normalization_failed",
  emptyFramesFlood: "http2.inbound_empty_frames_flood",
  inboundFlood: "http2.inbound_frames_flood",
  outboundFlood: "http2.outbound_frames_flood",
  remoteReset: "http2.remote_reset",
  remoteRefused: "http2.remote_refuse",
  prematureResets: "http2.too_many_premature_resets",
  pingTimeout: "http2.ping_timeout",
} as const;
