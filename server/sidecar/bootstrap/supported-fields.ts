import { type DescMessage, isFieldSet, type Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import {
  AdminSchema,
  type Bootstrap,
  Bootstrap_DynamicResourcesSchema,
  Bootstrap_StaticResourcesSchema,
  BootstrapSchema,
} from "../../gen/proto/envoy/config/bootstrap/v3/bootstrap_pb.js";
import {
  type ApiConfigSource,
  ApiConfigSource_ApiType,
  ApiConfigSourceSchema,
  type ConfigSource,
  ConfigSourceSchema,
} from "../../gen/proto/envoy/config/core/v3/config_source_pb.js";
import type { FieldError } from "../../lib/result.ts";

type Names = readonly string[];

/** What the sidecar acts on. */
const used: { desc: DescMessage; fields: Names }[] = [
  {
    desc: BootstrapSchema,
    fields: [
      "node",
      "static_resources",
      "dynamic_resources",
      "admin",
      "layered_runtime",
      "hds_config",
      "stats_sinks",
      "stats_flush_interval",
    ],
  },
  { desc: Bootstrap_StaticResourcesSchema, fields: ["listeners", "clusters"] },
  { desc: Bootstrap_DynamicResourcesSchema, fields: ["lds_config", "cds_config", "ads_config"] },
  { desc: AdminSchema, fields: ["address"] },
  { desc: ApiConfigSourceSchema, fields: ["api_type", "grpc_services", "transport_api_version"] },
  { desc: ConfigSourceSchema, fields: ["ads", "resource_api_version", "initial_fetch_timeout"] },
];

/**
 * What is accepted without effect, because leaving it out changes nothing that a request or an operator of this process could see:
 * thread watchdogs and dispatcher statistics (there is one event loop), allocator and hot-restart settings, statistics tag rules (our
 * Prometheus page always tells cluster, listener and code apart), the admin's own access log.
 */
const harmless: { desc: DescMessage; fields: Names }[] = [
  {
    desc: BootstrapSchema,
    fields: [
      "watchdog",
      "watchdogs",
      "enable_dispatcher_stats",
      "stats_config",
      "stats_flush_on_admin",
      "stats_server_version_override",
      "memory_allocator_manager",
      "deferred_stat_options",
      "cluster_manager",
      "flags_path",
      "overload_manager",
      "use_tcp_for_dns_lookups",
      "typed_dns_resolver_config",
      "dns_resolution_config",
      "application_log_config",
    ],
  },
  { desc: AdminSchema, fields: ["access_log", "access_log_path", "profile_path", "ignore_global_conn_limit"] },
  { desc: ApiConfigSourceSchema, fields: ["set_node_on_first_message_only", "request_timeout"] },
];

/** The fields of a bootstrap that the sidecar would have to ignore although they change behaviour, each by its path. */
export function unsupportedFields(bootstrap: Bootstrap): FieldError[] {
  const { staticResources, dynamicResources: dynamic, admin } = bootstrap;
  return [
    ...unsupported(BootstrapSchema, bootstrap, ""),
    ...(staticResources ? unsupported(Bootstrap_StaticResourcesSchema, staticResources, "static_resources.") : []),
    ...(dynamic ? unsupported(Bootstrap_DynamicResourcesSchema, dynamic, "dynamic_resources.") : []),
    ...(dynamic?.adsConfig ? adsErrors(dynamic.adsConfig, "dynamic_resources.ads_config") : []),
    ...(dynamic?.ldsConfig ? sourceErrors(dynamic.ldsConfig, "dynamic_resources.lds_config") : []),
    ...(dynamic?.cdsConfig ? sourceErrors(dynamic.cdsConfig, "dynamic_resources.cds_config") : []),
    ...(admin ? unsupported(AdminSchema, admin, "admin.") : []),
  ];
}

function adsErrors(ads: ApiConfigSource, path: string): FieldError[] {
  const errors = unsupported(ApiConfigSourceSchema, ads, `${path}.`);
  const delta = [ApiConfigSource_ApiType.DELTA_GRPC, ApiConfigSource_ApiType.AGGREGATED_DELTA_GRPC];
  if (!delta.includes(ads.apiType)) {
    const name = ApiConfigSource_ApiType[ads.apiType] ?? String(ads.apiType);
    errors.push({ path: `${path}.api_type`, message: `${name} is not supported; use DELTA_GRPC` });
  }
  return errors;
}

function sourceErrors(source: ConfigSource, path: string): FieldError[] {
  const errors = unsupported(ConfigSourceSchema, source, `${path}.`);
  if (source.configSourceSpecifier.case !== "ads" && errors.length === 0) {
    errors.push({ path, message: "only ads: {} is supported" });
  }
  return errors;
}

function unsupported<D extends DescMessage>(desc: D, message: Message, prefix: string): FieldError[] {
  const known = new Set([...used, ...harmless].flatMap((entry) => (entry.desc === desc ? entry.fields : [])));
  return reflect(desc, message as never)
    .fields.filter((field) => isFieldSet(message as never, field) && !known.has(field.name))
    .map((field) => ({ path: `${prefix}${field.name}`, message: "is not supported by the limpid sidecar" }));
}
