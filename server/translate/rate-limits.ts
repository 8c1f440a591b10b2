import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ApiVersion } from "../gen/proto/envoy/config/core/v3/config_source_pb.js";
import {
  type TypedExtensionConfig,
  TypedExtensionConfigSchema,
} from "../gen/proto/envoy/config/core/v3/extension_pb.js";
import type { RateLimit_ActionSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { XRateLimitHeadersRFCVersion } from "../gen/proto/envoy/extensions/common/ratelimit/v3/ratelimit_pb.js";
import { LocalRateLimitSchema } from "../gen/proto/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import {
  RateLimit_XRateLimitHeadersRFCVersion as GlobalHeaders,
  RateLimitSchema,
} from "../gen/proto/envoy/extensions/filters/http/ratelimit/v3/rate_limit_pb.js";
import type { HttpFilterSchema } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { memo } from "../lib/memo.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { entryOf, type PortLimits, serviceDomain, serviceEntry } from "../model/rate-limits.ts";
import { configWay } from "./config-source.ts";
import { duration, milliseconds } from "./duration.ts";

type ActionInit = MessageInitShape<typeof RateLimit_ActionSchema>;
type HttpFilterInit = MessageInitShape<typeof HttpFilterSchema>;

const full = { defaultValue: { numerator: 100 } };

/**
 * Where a limit is set there is a filter whose configuration is discovered (ECDS): the numbers change, and no listener with them.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/overview/extension
 */
export const rateLimitSlots = (limits: PortLimits | undefined, proxy: MeshProxy): HttpFilterInit[] =>
  filtersOf(limits).map(({ name, schema, config: { typedConfig } }): HttpFilterInit => {
    if (isInline(proxy) && typedConfig) return { name, configType: { case: "typedConfig", value: typedConfig } };
    const typeUrls = [`type.googleapis.com/${schema.typeName}`];
    return {
      name,
      configType: { case: "configDiscovery", value: { configSource: configWay(proxy).source, typeUrls } },
    };
  });

/** What stands in the slots, by name. */
export const rateLimitConfigs = (limits: PortLimits | undefined, proxy: MeshProxy): TypedExtensionConfig[] =>
  isInline(proxy) ? [] : filtersOf(limits).map(({ config }) => config);

/** What of the limits stands in the listener itself. */
export const limitFacts = (limits: PortLimits | undefined, proxy: MeshProxy): unknown[] =>
  isInline(proxy) ? [limits] : [limits?.spec.local !== undefined, limits?.spec.global !== undefined];

/** The bundled sidecar has no filters that are discovered; it puts a changed chain in the place of the one before, and no connection ends. */
const isInline = (proxy: MeshProxy): boolean => proxy.bundled;

interface Filter {
  name: string;
  schema: typeof LocalRateLimitSchema | typeof RateLimitSchema;
  config: TypedExtensionConfig;
}

const filtersOf = (limits: PortLimits | undefined): readonly Filter[] =>
  limits === undefined ? [] : memo(limits, "filters", [], () => [...localFilter(limits), ...globalFilter(limits)]);

/** Each proxy counts for itself. https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/local_rate_limit_filter */
function localFilter({ hostname, port, spec: { local } }: PortLimits): Filter[] {
  if (!local) return [];
  const name = `limpid.local-rate-limit|${port}|${hostname}`;
  const config = create(LocalRateLimitSchema, {
    statPrefix: "limpid",
    tokenBucket: {
      maxTokens: Math.max(1, local.burst ?? local.requests),
      tokensPerFill: Math.max(1, local.requests),
      fillInterval: duration(local.per),
    },
    filterEnabled: full,
    filterEnforced: full,
    enableXRatelimitHeaders: XRateLimitHeadersRFCVersion.DRAFT_VERSION_03,
  });
  return [
    {
      name,
      schema: LocalRateLimitSchema,
      config: create(TypedExtensionConfigSchema, { name, typedConfig: anyPack(LocalRateLimitSchema, config) }),
    },
  ];
}

/** The control plane counts for all. Whom it does not answer in time is let in. */
function globalFilter({ hostname, port, spec: { global } }: PortLimits): Filter[] {
  if (!global) return [];
  const name = `limpid.global-rate-limit|${port}|${hostname}`;
  const keys = (global.by ?? []).map(
    (key): ActionInit => ({
      actionSpecifier:
        key.header === undefined
          ? ({ case: "remoteAddress", value: {} } as const)
          : ({ case: "requestHeaders", value: { headerName: key.header, descriptorKey: entryOf(key) } } as const),
    }),
  );
  const service: ActionInit = {
    actionSpecifier: {
      case: "genericKey",
      value: { descriptorKey: serviceEntry, descriptorValue: `${hostname}:${port}` },
    },
  };
  const config = create(RateLimitSchema, {
    domain: serviceDomain,
    statPrefix: "limpid",
    timeout: milliseconds(250),
    rateLimits: [{ actions: [service, ...keys] }],
    enableXRatelimitHeaders: GlobalHeaders.DRAFT_VERSION_03,
    rateLimitService: {
      transportApiVersion: ApiVersion.V3,
      grpcService: { targetSpecifier: { case: "envoyGrpc", value: { clusterName: controlPlaneCluster } } },
    },
  });
  return [
    {
      name,
      schema: RateLimitSchema,
      config: create(TypedExtensionConfigSchema, { name, typedConfig: anyPack(RateLimitSchema, config) }),
    },
  ];
}

/** By which bootstraps, Istio's and ours, reach the control plane. */
const controlPlaneCluster = "xds-grpc";
