/** Counters of Envoy's HTTP/2 codec: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/stats#http-2-codec-statistics */
export interface Http2Stats {
  goAwaySent: number;
  headerOverflow: number;
  inboundEmptyFramesFlood: number;
  inboundPriorityFramesFlood: number;
  inboundWindowUpdateFramesFlood: number;
  outboundFlood: number;
  keepaliveTimeout: number;
  prematureResets: number;
  protocolError: number;
  rxMessagingError: number;
  rxReset: number;
  streamRefused: number;
  trailers: number;
  txReset: number;
}

export const newHttp2Stats = (): Http2Stats => ({
  goAwaySent: 0,
  headerOverflow: 0,
  inboundEmptyFramesFlood: 0,
  inboundPriorityFramesFlood: 0,
  inboundWindowUpdateFramesFlood: 0,
  outboundFlood: 0,
  keepaliveTimeout: 0,
  prematureResets: 0,
  protocolError: 0,
  rxMessagingError: 0,
  rxReset: 0,
  streamRefused: 0,
  trailers: 0,
  txReset: 0,
});
