import type { Http2ProtocolOptions, HttpProtocolOptions } from "../../gen/proto/envoy/config/core/v3/protocol_pb.js";
import { durationMs } from "../duration.ts";
import type { Counter, Stats } from "../stats.ts";
import { type Http2Stats, newHttp2Stats } from "./http2-stats.ts";
import { defaultOptions, type Http2Options } from "./options.ts";

/** `http2_protocol_options` with the limits that stand beside them, in Envoy's defaults where nothing is said. */
export function compileHttp2Options(
  config: Http2ProtocolOptions | undefined,
  common: HttpProtocolOptions | undefined,
  maxHeaderBytes = defaultOptions.maxHeaderBytes,
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
      config?.overrideStreamErrorOnInvalidHttpMessage ?? defaultOptions.streamErrorOnInvalidMessaging,
    keepalive: keepalive && {
      intervalMs: durationMs(keepalive.interval) ?? 0,
      timeoutMs: durationMs(keepalive.timeout) ?? 0,
      jitterPercent: keepalive.intervalJitter?.value ?? 15,
      idleIntervalMs: durationMs(keepalive.connectionIdleInterval) ?? 0,
    },
    maxHeaderBytes,
    maxHeaders: common?.maxHeadersCount ?? defaultOptions.maxHeaders,
    maxRequestsPerConnection: common?.maxRequestsPerConnection ?? 0,
  };
}

/** The codec's numbers as counters under Envoy's names, `<prefix>http2.rx_reset`. */
export function http2StatsIn(stats: Stats, prefix: string): Http2Stats {
  const made = newHttp2Stats();
  for (const name of Object.keys(made) as (keyof Http2Stats)[]) {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    let counter: Counter | undefined;
    const own = (): Counter => {
      counter ??= stats.counter(`${prefix}http2.${snake}`);
      return counter;
    };
    Object.defineProperty(made, name, {
      get: () => own().value,
      set: (value: number) => {
        own().value = value;
      },
    });
  }
  return made;
}
