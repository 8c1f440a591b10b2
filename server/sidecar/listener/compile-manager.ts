import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { AccessLog } from "../../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import { RouterSchema } from "../../gen/proto/envoy/extensions/filters/http/router/v3/router_pb.js";
import {
  HttpConnectionManager_CodecType as CodecType,
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
  type HttpConnectionManager,
  type HttpConnectionManager_Tracing,
  HttpConnectionManager_ServerHeaderTransformation as ServerHeader,
} from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { Cluster } from "../cluster/cluster.ts";
import { durationMs } from "../config/duration.ts";
import { compileClientCertificate } from "../exchange/client-certificate.ts";
import { corsFilter } from "../filters/cors.ts";
import { faultFilter } from "../filters/fault.ts";
import type { FilterFactory, HttpFilter } from "../filters/filter.ts";
import { headerMutationFilter } from "../filters/header-mutation.ts";
import { toWire } from "../http1/headers.ts";
import { defaultLimits } from "../http1/parser.ts";
import type { AccessLogger, Tracer } from "../record.ts";
import type { PerFilterCompiler } from "../route/compile-route.ts";
import type { Stats } from "../stats.ts";
import type { Timers } from "../timers.ts";
import { internalAddresses } from "./internal-address.ts";
import type { HttpManager, ManagerOptions, RouteSource } from "./manager.ts";
import { ManagerStats } from "./manager-stats.ts";

export interface ManagerIo {
  readonly stats: Stats;
  readonly timers: Timers;
  readonly random: () => number;
  readonly clusters: ReadonlyMap<string, Cluster>;
  accessLogger(configs: AccessLog[], direction: "inbound" | "outbound"): AccessLogger;
  tracer(config: HttpConnectionManager_Tracing): Tracer | undefined;
}

/** Filters by the type inside their `typed_config`. */
const factories: readonly FilterFactory[] = [headerMutationFilter, corsFilter, faultFilter];

/** Throws an Error naming the field. */
export function compileManager(
  config: HttpConnectionManager,
  direction: "inbound" | "outbound",
  routes: RouteSource,
  io: ManagerIo,
): HttpManager {
  if (config.codecType !== CodecType.AUTO && config.codecType !== CodecType.HTTP1) {
    throw new Error(`codec_type: ${CodecType[config.codecType]} is not supported`);
  }
  const stats = new ManagerStats(io.stats, config.statPrefix);
  const { filters, router } = compileFilters(config, io, stats.prefix);
  return {
    options: compileOptions(config, router?.suppressEnvoyHeaders !== true),
    limits: {
      maxHeadBytes: (config.maxRequestHeadersKb ?? defaultLimits.maxHeadBytes / 1024) * 1024,
      maxHeaders: config.commonHttpProtocolOptions?.maxHeadersCount ?? defaultLimits.maxHeaders,
    },
    filters,
    routes,
    stats,
    accessLoggers: config.accessLog.length === 0 ? [] : [io.accessLogger(config.accessLog, direction)],
    tracer: config.tracing === undefined ? undefined : io.tracer(config.tracing),
    direction,
    clusters: io.clusters,
    timers: io.timers,
    random: io.random,
  };
}

/** Compiles `typed_per_filter_config` of routes, virtual hosts and tables; independent of where the filters stand. */
export const compilePerFilter: PerFilterCompiler = (config) => {
  const names = Object.keys(config);
  if (names.length === 0) return noPerFilter;
  return new Map(names.map((name) => [name, compilePerRoute(name, config[name])]));
};

const noPerFilter: ReadonlyMap<string, unknown> = new Map();

function compilePerRoute(name: string, any: Any | undefined): unknown {
  const typeName = any === undefined ? "" : typeNameOf(any);
  const factory = factories.find((candidate) => candidate.perRouteTypeName === typeName);
  if (any === undefined || factory === undefined) {
    throw new Error(`typed_per_filter_config[${JSON.stringify(name)}]: ${typeName} is not supported`);
  }
  return factory.compilePerRoute(any);
}

function compileFilters(config: HttpConnectionManager, io: ManagerIo, statPrefix: string) {
  const filters: HttpFilter[] = [];
  const last = config.httpFilters.length - 1;
  for (const [index, entry] of config.httpFilters.entries()) {
    const path = `http_filters[${index}]`;
    const any = entry.configType.case === "typedConfig" ? entry.configType.value : undefined;
    if (any === undefined) throw new Error(`${path}.typed_config: required`);
    const router = anyUnpack(any, RouterSchema);
    if (router !== undefined) {
      if (index !== last) throw new Error(`${path}: the router must come last`);
      return { filters, router };
    }
    if (entry.disabled) continue;
    const factory = factories.find((candidate) => candidate.typeName === typeNameOf(any));
    if (factory === undefined) throw new Error(`${path}.typed_config: ${typeNameOf(any)} is not supported`);
    filters.push(factory.compile(entry.name, any, { stats: io.stats, statPrefix, random: io.random }));
  }
  throw new Error("http_filters: the last filter must be the router");
}

const typeNameOf = (any: Any): string => any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1);

function compileOptions(config: HttpConnectionManager, envoyHeaders: boolean): ManagerOptions {
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
    envoyHeaders,
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
