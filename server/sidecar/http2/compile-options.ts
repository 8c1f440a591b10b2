import type { Http2ProtocolOptions, HttpProtocolOptions } from "../../gen/proto/envoy/config/core/v3/protocol_pb.js";
import { type Http2CodecStats, type Http2Stats, http2CodecStats } from "../../http2/http2-stats.ts";
import { defaultOptions, type Http2Options } from "../../http2/options.ts";
import { durationMs } from "../duration.ts";
import type { Stats } from "../stats.ts";

/**
 * `http2_protocol_options` with the limits that stand beside them, in Envoy's defaults where nothing is said.
 * @param beside what the connection manager says itself
 */
export function compileHttp2Options(
  config: Http2ProtocolOptions | undefined,
  common: HttpProtocolOptions | undefined,
  beside: Partial<Http2Options> = {},
): Http2Options {
  const keepalive = config?.connectionKeepalive;
  return {
    ...defaultOptions,
    maxConcurrentStreams: config?.maxConcurrentStreams ?? defaultOptions.maxConcurrentStreams,
    initialStreamWindow: config?.initialStreamWindowSize ?? defaultOptions.initialStreamWindow,
    initialConnectionWindow: config?.initialConnectionWindowSize ?? defaultOptions.initialConnectionWindow,
    hpackTableSize: config?.hpackTableSize ?? defaultOptions.hpackTableSize,
    maxOutboundFrames: config?.maxOutboundFrames ?? defaultOptions.maxOutboundFrames,
    maxOutboundControlFrames: config?.maxOutboundControlFrames ?? defaultOptions.maxOutboundControlFrames,
    maxEmptyFrames: config?.maxConsecutiveInboundFramesWithEmptyPayload ?? defaultOptions.maxEmptyFrames,
    maxPriorityFramesPerStream: config?.maxInboundPriorityFramesPerStream ?? defaultOptions.maxPriorityFramesPerStream,
    maxWindowUpdatesPerDataFrame:
      config?.maxInboundWindowUpdateFramesPerDataFrameSent ?? defaultOptions.maxWindowUpdatesPerDataFrame,
    allowConnect: config?.allowConnect ?? defaultOptions.allowConnect,
    streamErrorOnInvalidMessaging:
      config?.overrideStreamErrorOnInvalidHttpMessage ?? config?.streamErrorOnInvalidHttpMessaging ?? false,
    keepalive: keepalive && {
      intervalMs: durationMs(keepalive.interval) ?? 0,
      timeoutMs: durationMs(keepalive.timeout) ?? 0,
      jitterPercent: keepalive.intervalJitter?.value ?? 15,
      idleIntervalMs: durationMs(keepalive.connectionIdleInterval) ?? 0,
    },
    maxHeaders: common?.maxHeadersCount ?? defaultOptions.maxHeaders,
    maxRequestsPerConnection: common?.maxRequestsPerConnection ?? 0,
    connectionIdleMs: durationMs(common?.idleTimeout) ?? defaultOptions.connectionIdleMs,
    maxConnectionMs: durationMs(common?.maxConnectionDuration) ?? 0,
    ...beside,
  };
}

/** @param around counters of the connection manager or cluster that the codec counts, too */
export const http2StatsIn = (
  stats: Stats,
  prefix: string,
  around: Omit<Http2Stats, keyof Http2CodecStats>,
): Http2Stats => ({ ...http2CodecStats((name) => stats.counter(`${prefix}http2.${name}`)), ...around });
