import type { AccessLog } from "../../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import {
  HttpConnectionManager_CodecType as CodecType,
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
  type HttpConnectionManager,
  type HttpConnectionManager_Tracing,
  HttpConnectionManager_ServerHeaderTransformation as ServerHeader,
} from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { Timers } from "../../lib/timers.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { together } from "../config/problems.ts";
import { durationMs } from "../duration.ts";
import { toWire } from "../http/headers.ts";
import { defaultLimits } from "../http1/parser.ts";
import { compileHttp2Options } from "../http2/compile-options.ts";
import type { AccessLogger, ListenerPlace, Tracer } from "../record.ts";
import { compileClientCertificate } from "../request/client-certificate.ts";
import type { First, LocalProxy } from "../request/filter.ts";
import type { HttpManager, ManagerOptions } from "../request/manager.ts";
import { ManagerStats } from "../request/manager-stats.ts";
import type { RouteSource } from "../route/route-source.ts";
import type { Runtime } from "../runtime.ts";
import type { Stats } from "../stats.ts";
import type { WallClock } from "../wall-clock.ts";
import type { DiscoveredFilter, Extensions } from "./discovered-filter.ts";
import { compileFilters, type FilterChain } from "./http-filters.ts";
import { internalAddresses } from "./internal-address.ts";

export interface ManagerIo {
  readonly stats: Stats;
  readonly timers: Timers;
  readonly random: () => number;
  readonly wall: WallClock;
  readonly local: LocalProxy;
  readonly runtime: Runtime;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly extensions: Extensions;
  accessLogger(configs: AccessLog[], direction: "inbound" | "outbound"): AccessLogger;
  tracer(config: HttpConnectionManager_Tracing): Tracer | undefined;
}

/** A manager, and what in it comes by discovery. */
export interface ListenerManager extends HttpManager {
  readonly discovered: readonly DiscoveredFilter[];
  readonly firsts: readonly First[];
}

/** Throws an Error naming the field. */
export function compileManager(
  config: HttpConnectionManager,
  direction: "inbound" | "outbound",
  routes: RouteSource,
  place: ListenerPlace,
  io: ManagerIo,
): ListenerManager {
  const stats = new ManagerStats(io.stats, config.statPrefix);
  const firsts: First[] = [];
  const { chain, options, accessLoggers, tracer, codec } = together<
    Pick<HttpManager, "accessLoggers" | "tracer" | "codec"> & {
      chain: FilterChain;
      options: Omit<ManagerOptions, "envoyHeaders">;
    }
  >({
    chain: () => compileFilters(config, { ...io, statPrefix: stats.prefix, firsts }, io.extensions),
    options: () => compileOptions(config),
    codec: () => codecOf(config),
    accessLoggers: () => (config.accessLog.length === 0 ? [] : [io.accessLogger(config.accessLog, direction)]),
    tracer: () => config.tracing && io.tracer(config.tracing),
  });
  return {
    options,
    codec,
    http2: compileHttp2Options(config.http2ProtocolOptions, config.commonHttpProtocolOptions, {
      maxHeaderBytes: (config.maxRequestHeadersKb ?? defaultLimits.maxHeadBytes / 1024) * 1024,
      delayedCloseMs: options.delayedCloseMs,
      drainTimeoutMs: durationMs(config.drainTimeout) ?? 5000,
      streamErrorOnInvalidMessaging: streamErrors(config),
    }),
    limits: {
      maxHeadBytes: (config.maxRequestHeadersKb ?? defaultLimits.maxHeadBytes / 1024) * 1024,
      maxHeaders: config.commonHttpProtocolOptions?.maxHeadersCount ?? defaultLimits.maxHeaders,
    },
    get filters() {
      return chain.filters;
    },
    get wants() {
      return chain.wants;
    },
    terminal: chain.terminal,
    discovered: chain.discovered,
    firsts,
    routes,
    stats,
    accessLoggers,
    tracer,
    direction,
    place,
    clusters: io.clusters,
    timers: io.timers,
    random: io.random,
    runtime: io.runtime,
    wall: io.wall,
  };
}

/** The manager's own field is for both protocols; HTTP/2's overrides it. */
const streamErrors = ({ http2ProtocolOptions: http2, streamErrorOnInvalidHttpMessage: own }: HttpConnectionManager) =>
  http2?.overrideStreamErrorOnInvalidHttpMessage ?? (http2?.streamErrorOnInvalidHttpMessaging || own === true);

function codecOf({ codecType }: HttpConnectionManager): HttpManager["codec"] {
  switch (codecType) {
    case CodecType.AUTO:
      return "auto";
    case CodecType.HTTP1:
      return "http1";
    case CodecType.HTTP2:
      return "http2";
    default:
      throw new Error(`codec_type: ${CodecType[codecType]} is not supported`);
  }
}

function compileOptions(config: HttpConnectionManager): ManagerOptions {
  const common = config.commonHttpProtocolOptions;
  const http1 = config.httpProtocolOptions;
  return {
    streamIdleMs: durationMs(config.streamIdleTimeout) ?? 300_000,
    connectionIdleMs: durationMs(common?.idleTimeout) ?? 3_600_000,
    requestHeadersMs: durationMs(config.requestHeadersTimeout) ?? 0,
    maxStreamMs: durationMs(common?.maxStreamDuration) ?? 0,
    maxConnectionMs: durationMs(common?.maxConnectionDuration) ?? 0,
    maxRequestsPerConnection: common?.maxRequestsPerConnection ?? 0,
    delayedCloseMs: durationMs(config.delayedCloseTimeout) ?? 1000,
    useRemoteAddress: config.useRemoteAddress ?? false,
    skipXffAppend: config.skipXffAppend,
    clientCertificate: compileClientCertificate(config),
    isInternal: internalAddresses(config.internalAddressConfig),
    via: toWire(config.via),
    generateRequestId: config.generateRequestId ?? true,
    preserveRequestId: config.preserveExternalRequestId,
    requestIdInResponse: config.alwaysSetRequestIdInResponse,
    serverName: toWire(config.serverName || "envoy"),
    serverHeader: serverHeaders[config.serverHeaderTransformation],
    upgrades: new Set(
      config.upgradeConfigs
        .filter((upgrade) => upgrade.enabled ?? true)
        .map((upgrade) => upgrade.upgradeType.toLowerCase()),
    ),
    normalizePath: config.normalizePath ?? false,
    mergeSlashes: config.mergeSlashes,
    escapedSlashes: escapedSlashesActions[config.pathWithEscapedSlashesAction],
    stripTrailingHostDot: config.stripTrailingHostDot,
    stripPort: stripPortMode(config),
    acceptHttp10: http1?.acceptHttp10 ?? false,
    defaultHost: http1?.defaultHostForHttp10 ?? "",
    // Envoy's default of per_connection_buffer_limit_bytes.
    bufferLimit: 1024 * 1024,
  };
}

const escapedSlashesActions: Record<EscapedSlashes, ManagerOptions["escapedSlashes"]> = {
  [EscapedSlashes.IMPLEMENTATION_SPECIFIC_DEFAULT]: "keep",
  [EscapedSlashes.KEEP_UNCHANGED]: "keep",
  [EscapedSlashes.REJECT_REQUEST]: "reject",
  [EscapedSlashes.UNESCAPE_AND_FORWARD]: "unescape",
  [EscapedSlashes.UNESCAPE_AND_REDIRECT]: "redirect",
};

const serverHeaders: Record<ServerHeader, ManagerOptions["serverHeader"]> = {
  [ServerHeader.OVERWRITE]: "overwrite",
  [ServerHeader.APPEND_IF_ABSENT]: "append_if_absent",
  [ServerHeader.PASS_THROUGH]: "pass_through",
};

function stripPortMode(config: HttpConnectionManager): ManagerOptions["stripPort"] {
  if (config.stripPortMode.case === "stripAnyHostPort" && config.stripPortMode.value) return "any";
  return config.stripMatchingHostPort ? "matching" : "none";
}
