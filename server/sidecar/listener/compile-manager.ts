import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { AccessLog } from "../../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import { type Router, RouterSchema } from "../../gen/proto/envoy/extensions/filters/http/router/v3/router_pb.js";
import {
  HttpConnectionManager_CodecType as CodecType,
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
  type HttpConnectionManager,
  type HttpConnectionManager_Tracing,
  HttpConnectionManager_ServerHeaderTransformation as ServerHeader,
} from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { Cluster } from "../cluster/cluster.ts";
import { at, each, together } from "../config/problems.ts";
import { durationMs } from "../duration.ts";
import { compileClientCertificate } from "../exchange/client-certificate.ts";
import type { HttpFilter } from "../filters/filter.ts";
import { filterFactory } from "../filters/registry.ts";
import { toWire } from "../http1/headers.ts";
import { defaultLimits } from "../http1/parser.ts";
import type { AccessLogger, Tracer } from "../record.ts";
import type { Stats } from "../stats.ts";
import type { Timers } from "../timers.ts";
import type { WallClock } from "../wall-clock.ts";
import { internalAddresses } from "./internal-address.ts";
import type { HttpManager, ManagerOptions, RouteSource } from "./manager.ts";
import { ManagerStats } from "./manager-stats.ts";

export interface ManagerIo {
  readonly stats: Stats;
  readonly timers: Timers;
  readonly random: () => number;
  readonly wall: WallClock;
  readonly clusters: ReadonlyMap<string, Cluster>;
  accessLogger(configs: AccessLog[], direction: "inbound" | "outbound"): AccessLogger;
  tracer(config: HttpConnectionManager_Tracing): Tracer | undefined;
}

/** Throws an Error naming the field. */
export function compileManager(
  config: HttpConnectionManager,
  direction: "inbound" | "outbound",
  routes: RouteSource,
  io: ManagerIo,
): HttpManager {
  const stats = new ManagerStats(io.stats, config.statPrefix);
  const { chain, options, accessLoggers, tracer } = together<
    Pick<HttpManager, "accessLoggers" | "tracer"> & {
      chain: FilterChain;
      options: Omit<ManagerOptions, "envoyHeaders">;
    }
  >({
    chain: () => compileFilters(config, io, stats.prefix),
    options: () => compileOptions(config),
    accessLoggers: () => (config.accessLog.length === 0 ? [] : [io.accessLogger(config.accessLog, direction)]),
    tracer: () => config.tracing && io.tracer(config.tracing),
  });
  return {
    options: { ...options, envoyHeaders: !chain.router.suppressEnvoyHeaders },
    limits: {
      maxHeadBytes: (config.maxRequestHeadersKb ?? defaultLimits.maxHeadBytes / 1024) * 1024,
      maxHeaders: config.commonHttpProtocolOptions?.maxHeadersCount ?? defaultLimits.maxHeaders,
    },
    filters: chain.filters,
    routes,
    stats,
    accessLoggers,
    tracer,
    direction,
    clusters: io.clusters,
    timers: io.timers,
    random: io.random,
    wall: io.wall,
  };
}

interface FilterChain {
  readonly filters: readonly HttpFilter[];
  readonly router: Router;
}

function compileFilters(config: HttpConnectionManager, io: ManagerIo, statPrefix: string): FilterChain {
  const last = config.httpFilters.length - 1;
  let router: Router | undefined;
  const filters = each("http_filters", config.httpFilters, (entry, index): HttpFilter | undefined => {
    const any = entry.configType.case === "typedConfig" ? entry.configType.value : undefined;
    if (any === undefined) throw new Error("typed_config: required");
    const found = anyUnpack(any, RouterSchema);
    if (found !== undefined) {
      if (index !== last) throw new Error("the router must come last");
      router = found;
      return undefined;
    }
    if (entry.disabled) return undefined;
    return at("typed_config", () =>
      filterFactory(any).compile(entry.name, any, { stats: io.stats, statPrefix, random: io.random }),
    );
  });
  if (router === undefined) throw new Error("http_filters: the last filter must be the router");
  return { filters: filters.filter((filter) => filter !== undefined), router };
}

function compileOptions(config: HttpConnectionManager): Omit<ManagerOptions, "envoyHeaders"> {
  if (config.codecType !== CodecType.AUTO && config.codecType !== CodecType.HTTP1) {
    throw new Error(`codec_type: ${CodecType[config.codecType]} is not supported`);
  }
  const common = config.commonHttpProtocolOptions;
  const http1 = config.httpProtocolOptions;
  if (config.pathWithEscapedSlashesAction > EscapedSlashes.KEEP_UNCHANGED) {
    throw new Error("path_with_escaped_slashes_action: only KEEP_UNCHANGED is supported");
  }
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
    stripPort: stripPortMode(config),
    acceptHttp10: http1?.acceptHttp10 ?? false,
    defaultHost: http1?.defaultHostForHttp10 ?? "",
    // Envoy's default of per_connection_buffer_limit_bytes.
    bufferLimit: 1024 * 1024,
  };
}

const serverHeaders: Record<ServerHeader, ManagerOptions["serverHeader"]> = {
  [ServerHeader.OVERWRITE]: "overwrite",
  [ServerHeader.APPEND_IF_ABSENT]: "append_if_absent",
  [ServerHeader.PASS_THROUGH]: "pass_through",
};

function stripPortMode(config: HttpConnectionManager): ManagerOptions["stripPort"] {
  if (config.stripPortMode.case === "stripAnyHostPort" && config.stripPortMode.value) return "any";
  return config.stripMatchingHostPort ? "matching" : "none";
}
