import type { Any } from "@bufbuild/protobuf/wkt";
import { each } from "../config/problems.ts";
import type { FilterFactory, LocalProxy, TerminalFilter } from "../request/filter.ts";
import type { PerFilterCompiler } from "../route/compile-route.ts";
import { bufferFilter } from "./buffer.ts";
import { compressorFilter } from "./compression/compressor.ts";
import { decompressorFilter } from "./compression/decompressor.ts";
import { corsFilter } from "./cors.ts";
import { dynamicForwardProxyFilter } from "./dynamic-forward-proxy.ts";
import { extAuthzFilter } from "./ext-authz/ext-authz-filter.ts";
import { faultFilter } from "./fault.ts";
import { grpcStatsFilter } from "./grpc/grpc-stats.ts";
import { grpcWebFilter } from "./grpc/grpc-web.ts";
import { headerMutationFilter } from "./header-mutation.ts";
import { headerToMetadataFilter } from "./header-to-metadata.ts";
import { healthCheckFilter } from "./health-check.ts";
import { jwtFilter } from "./jwt/jwt-filter.ts";
import { localRateLimitFilter } from "./rate-limit/local-rate-limit.ts";
import { rateLimitFilter } from "./rate-limit/rate-limit.ts";
import { rbacFilter } from "./rbac.ts";
import { routerFilter } from "./router/router-filter.ts";
import { setMetadataFilter } from "./set-metadata.ts";
import { statefulSessionFilter } from "./stateful-session/stateful-session.ts";

/** Every HTTP filter but the router, which is always the last. */
export const filterFactories: readonly FilterFactory[] = [
  bufferFilter,
  compressorFilter,
  corsFilter,
  decompressorFilter,
  extAuthzFilter,
  dynamicForwardProxyFilter,
  faultFilter,
  grpcStatsFilter,
  grpcWebFilter,
  headerMutationFilter,
  headerToMetadataFilter,
  healthCheckFilter,
  jwtFilter,
  localRateLimitFilter,
  rateLimitFilter,
  rbacFilter,
  setMetadataFilter,
  statefulSessionFilter,
];

/** Throws an Error naming the type. */
export function filterFactory(config: Any): FilterFactory {
  const factory = filterFactories.find(({ schema }) => schema.typeName === typeNameOf(config));
  if (factory === undefined) throw new Error(`${typeNameOf(config)} is not supported`);
  return factory;
}

/** The filter that may stand at the end of a chain, and only there; undefined: another one. */
export function compileTerminal(config: Any): TerminalFilter | undefined {
  return typeNameOf(config) === routerFilter.schema.typeName ? routerFilter.compile(config) : undefined;
}

/** Compiles `typed_per_filter_config` of routes, virtual hosts and tables; independent of where the filters stand. */
export const perFilterCompiler =
  (local: LocalProxy): PerFilterCompiler =>
  (config) => {
    const entries = Object.entries(config);
    if (entries.length === 0) return noPerFilter;
    return new Map(
      each(
        "typed_per_filter_config",
        entries,
        ([name, any]) => [name, compilePerRoute(any, local)] as const,
        ([name]) => JSON.stringify(name),
      ),
    );
  };

/** A proxy without a name that is well. */
export const nameless: LocalProxy = { cluster: "", healthCheckFails: () => false };

/** The same of no proxy in particular. */
export const compilePerFilter = perFilterCompiler(nameless);

const noPerFilter: ReadonlyMap<string, unknown> = new Map();

function compilePerRoute(any: Any, local: LocalProxy): unknown {
  const factory = filterFactories.find(({ perRouteSchema }) => perRouteSchema?.typeName === typeNameOf(any));
  if (factory?.compilePerRoute === undefined) {
    throw new Error(`${typeNameOf(any)} is not supported`);
  }
  return factory.compilePerRoute(any, local);
}

const typeNameOf = (any: Any): string => any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1);
