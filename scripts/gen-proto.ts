// Generates server/gen/proto from Envoy's API, which the npm package @grpc/grpc-js-xds carries whole, and from proto/.
// Copies nothing into the repository: the sources are staged in .build/proto and the output is ignored by git.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve, sep } from "node:path";

const root = resolve(import.meta.dirname, "..");
const stage = join(root, ".build/proto");
const out = join(root, "server/gen/proto");
const deps = join(root, "node_modules/@grpc/grpc-js-xds/deps");

/** What only passes through the control plane: EnvoyFilters may name it, and Envoys know it. */
const passing = [
  "envoy/extensions/filters/http/adaptive_concurrency/v3",
  "envoy/extensions/filters/http/admission_control/v3",
  "envoy/extensions/filters/http/alternate_protocols_cache/v3",
  "envoy/extensions/filters/http/bandwidth_limit/v3",
  "envoy/extensions/filters/http/basic_auth/v3",
  "envoy/extensions/filters/http/composite/v3",
  "envoy/extensions/filters/http/connect_grpc_bridge/v3",
  "envoy/extensions/filters/http/credential_injector/v3",
  "envoy/extensions/filters/http/csrf/v3",
  "envoy/extensions/filters/http/custom_response/v3",
  "envoy/extensions/filters/http/ext_proc/v3",
  "envoy/extensions/filters/http/file_system_buffer/v3",
  "envoy/extensions/filters/http/geoip/v3",
  "envoy/extensions/filters/http/grpc_field_extraction/v3",
  "envoy/extensions/filters/http/grpc_http1_bridge/v3",
  "envoy/extensions/filters/http/grpc_http1_reverse_bridge/v3",
  "envoy/extensions/filters/http/grpc_json_transcoder/v3",
  "envoy/extensions/filters/http/ip_tagging/v3",
  "envoy/extensions/filters/http/json_to_metadata/v3",
  "envoy/extensions/filters/http/kill_request/v3",
  "envoy/extensions/filters/http/lua/v3",
  "envoy/extensions/filters/http/oauth2/v3",
  "envoy/extensions/filters/http/on_demand/v3",
  "envoy/extensions/filters/http/original_src/v3",
  "envoy/extensions/filters/http/rate_limit_quota/v3",
  "envoy/extensions/filters/http/set_filter_state/v3",
  "envoy/extensions/filters/http/tap/v3",
  "envoy/extensions/filters/http/upstream_codec/v3",
  "envoy/extensions/filters/http/wasm/v3",
  "envoy/extensions/filters/network/direct_response/v3",
  "envoy/extensions/filters/network/echo/v3",
  "envoy/extensions/filters/network/mongo_proxy/v3",
  "envoy/extensions/filters/network/redis_proxy/v3",
  "envoy/extensions/filters/network/set_filter_state/v3",
  "envoy/extensions/filters/network/sni_cluster/v3",
  "envoy/extensions/filters/network/thrift_proxy/v3",
  "envoy/extensions/filters/network/wasm/v3",
  "envoy/extensions/filters/network/zookeeper_proxy/v3",
  "envoy/extensions/filters/listener/local_ratelimit/v3",
  "envoy/extensions/access_loggers/wasm/v3",
  "envoy/extensions/request_id/uuid/v3",
  "envoy/extensions/transport_sockets/alts/v3",
  "envoy/extensions/transport_sockets/http_11_proxy/v3",
  "envoy/extensions/transport_sockets/internal_upstream/v3",
  "envoy/extensions/transport_sockets/quic/v3",
  "envoy/extensions/transport_sockets/starttls/v3",
  "envoy/extensions/transport_sockets/tap/v3",
  "envoy/extensions/transport_sockets/tcp_stats/v3",
  "udpa/type/v1/typed_struct.proto",
  "xds/type/v3/typed_struct.proto",
];

/** Entry points; everything they import is generated with them. */
const entries = [
  ...passing,
  "envoy/service/discovery/v3",
  "envoy/service/listener/v3",
  "envoy/service/route/v3",
  "envoy/service/cluster/v3",
  "envoy/service/endpoint/v3",
  "envoy/service/secret/v3",
  "envoy/service/extension/v3",
  "envoy/service/runtime/v3",
  "envoy/service/health/v3",
  "envoy/service/load_stats/v3",
  "envoy/service/status/v3",
  "envoy/service/accesslog/v3",
  "envoy/service/auth/v3",
  "envoy/service/metrics/v3",
  "envoy/service/ratelimit/v3",
  "envoy/service/auth/v3",
  "envoy/admin/v3/certs.proto",
  "envoy/admin/v3/config_dump.proto",
  "envoy/admin/v3/clusters.proto",
  "envoy/admin/v3/server_info.proto",
  "envoy/config/bootstrap/v3/bootstrap.proto",
  "envoy/config/metrics/v3/metrics_service.proto",
  "envoy/config/trace/v3/opentelemetry.proto",
  "envoy/config/trace/v3/zipkin.proto",
  "envoy/extensions/access_loggers/filters/cel/v3",
  "envoy/extensions/access_loggers/grpc/v3",
  "envoy/extensions/access_loggers/open_telemetry/v3",
  "envoy/extensions/access_loggers/stream/v3",
  "envoy/extensions/access_loggers/file/v3",
  "envoy/extensions/clusters/dynamic_forward_proxy/v3",
  "envoy/extensions/compression/brotli/compressor/v3",
  "envoy/extensions/compression/brotli/decompressor/v3",
  "envoy/extensions/compression/gzip/compressor/v3",
  "envoy/extensions/compression/gzip/decompressor/v3",
  "envoy/extensions/compression/zstd/compressor/v3",
  "envoy/extensions/compression/zstd/decompressor/v3",
  "envoy/extensions/filters/http/dynamic_forward_proxy/v3",
  "envoy/extensions/filters/http/router/v3",
  "envoy/extensions/filters/http/fault/v3",
  "envoy/extensions/filters/http/cors/v3",
  "envoy/extensions/filters/http/rbac/v3",
  "envoy/extensions/filters/http/ext_authz/v3",
  "envoy/extensions/filters/http/jwt_authn/v3",
  "envoy/extensions/filters/http/header_mutation/v3",
  "envoy/extensions/filters/http/health_check/v3",
  "envoy/extensions/filters/http/grpc_stats/v3",
  "envoy/extensions/filters/http/buffer/v3",
  "envoy/extensions/filters/http/compressor/v3",
  "envoy/extensions/filters/http/decompressor/v3",
  "envoy/extensions/filters/http/grpc_web/v3",
  "envoy/extensions/filters/http/header_to_metadata/v3",
  "envoy/extensions/filters/http/set_metadata/v3",
  "envoy/extensions/filters/http/stateful_session/v3",
  "envoy/extensions/filters/http/local_ratelimit/v3",
  "envoy/extensions/filters/http/jwt_authn/v3",
  "envoy/extensions/filters/http/ext_authz/v3",
  "envoy/extensions/filters/http/ratelimit/v3",
  "envoy/extensions/filters/network/connection_limit/v3",
  "envoy/extensions/filters/network/ext_authz/v3",
  "envoy/extensions/filters/network/local_ratelimit/v3",
  "envoy/extensions/filters/network/ratelimit/v3",
  "envoy/extensions/filters/listener/http_inspector/v3",
  "envoy/extensions/filters/listener/original_dst/v3",
  "envoy/extensions/filters/listener/original_src/v3",
  "envoy/extensions/filters/listener/proxy_protocol/v3",
  "envoy/extensions/filters/listener/tls_inspector/v3",
  "envoy/extensions/filters/network/http_connection_manager/v3",
  "envoy/extensions/filters/network/rbac/v3",
  "envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3",
  "envoy/extensions/filters/network/tcp_proxy/v3",
  "envoy/extensions/health_check/event_sinks/file/v3",
  "envoy/extensions/path/match/uri_template/v3",
  "envoy/extensions/formatter/metadata/v3",
  "envoy/extensions/formatter/req_without_query/v3",
  "envoy/extensions/http/stateful_session/cookie/v3",
  "envoy/extensions/http/stateful_session/header/v3",
  "envoy/extensions/load_balancing_policies/round_robin/v3",
  "envoy/extensions/load_balancing_policies/least_request/v3",
  "envoy/extensions/load_balancing_policies/random/v3",
  "envoy/extensions/load_balancing_policies/ring_hash/v3",
  "envoy/extensions/load_balancing_policies/maglev/v3",
  "envoy/extensions/load_balancing_policies/subset/v3",
  "envoy/extensions/retry/host/omit_canary_hosts/v3",
  "envoy/extensions/retry/host/omit_host_metadata/v3",
  "envoy/extensions/retry/host/previous_hosts/v3",
  "envoy/extensions/retry/priority/previous_priorities/v3",
  "envoy/extensions/resource_monitors/downstream_connections/v3",
  "envoy/extensions/transport_sockets/proxy_protocol/v3",
  "envoy/extensions/transport_sockets/raw_buffer/v3",
  "envoy/extensions/transport_sockets/tls/v3",
  "envoy/extensions/upstreams/http/v3",
  "grpc/health/v1",
  "grpc/reflection/v1",
  "grpc/reflection/v1alpha",
  "io/prometheus/client/metrics.proto",
  "istio/security/v1alpha1/ca.proto",
  "limpid/join/v1/workload.proto",
  "opentelemetry/proto/collector/logs/v1/logs_service.proto",
  "opentelemetry/proto/collector/metrics/v1/metrics_service.proto",
  "opentelemetry/proto/collector/trace/v1/trace_service.proto",
  "zipkin/zipkin.proto",
];

/** What Envoy's API says by now and the package's files don't yet: file, a text that stands in it once, and what stands there now. */
const newer: readonly (readonly [string, string, string])[] = [
  ...after("type/tracing/v3/custom_tag", "Metadata metadata = 5;", "string value = 6;"),
  ...after(
    "extensions/filters/http/jwt_authn/v3/config",
    "bool strip_failure_response = 6;",
    "string stat_prefix = 7;",
  ),
  ...after(
    "extensions/filters/http/jwt_authn/v3/config",
    "uint32 jwt_cache_size = 1;",
    "uint32 jwt_max_token_size = 2;",
  ),
  ...after(
    "config/rbac/v3/rbac",
    "option (udpa.annotations.file_status).package_version_status = ACTIVE;",
    `enum MetadataSource { DYNAMIC = 0; ROUTE = 1; }
    message SourcedMetadata { type.matcher.v3.MetadataMatcher metadata_matcher = 1; MetadataSource metadata_source = 2; }`,
  ),
  ...after("config/rbac/v3/rbac", "uri_template = 13;", "SourcedMetadata sourced_metadata = 14;"),
  ...after("config/rbac/v3/rbac", "FilterStateMatcher filter_state = 12;", "SourcedMetadata sourced_metadata = 13;"),
  ...after(
    "extensions/filters/http/ext_authz/v3/ext_authz",
    "AuthorizationResponse authorization_response = 8;",
    "config.core.v3.RetryPolicy retry_policy = 9;",
  ),
  ...after(
    "extensions/filters/http/ext_authz/v3/ext_authz",
    "BufferSettings with_request_body = 3;",
    "oneof service_override { config.core.v3.GrpcService grpc_service = 4; HttpService http_service = 5; }",
  ),
  ...after(
    "extensions/filters/http/ext_authz/v3/ext_authz",
    "google.protobuf.BoolValue enable_dynamic_metadata_ingestion = 27;",
    "uint32 max_denied_response_body_bytes = 30;",
  ),
  ...after(
    "service/auth/v3/external_auth",
    "OkHttpResponse ok_response = 3;",
    "DeniedHttpResponse error_response = 5;",
  ),
  ...after(
    "extensions/filters/http/local_ratelimit/v3/local_rate_limit",
    'import "envoy/config/core/v3/base.proto";',
    'import "envoy/config/route/v3/route_components.proto";',
  ),
  ...after(
    "extensions/filters/http/local_ratelimit/v3/local_rate_limit",
    "bool local_rate_limit_per_downstream_connection = 11;",
    "repeated config.route.v3.RateLimit rate_limits = 17; google.protobuf.UInt32Value max_dynamic_descriptors = 18;",
  ),
  ...after(
    "extensions/filters/http/ratelimit/v3/rate_limit",
    "bool disable_x_envoy_ratelimited_header = 9;",
    "repeated config.route.v3.RateLimit rate_limits = 17;",
  ),
  [
    "extensions/filters/http/ratelimit/v3/rate_limit",
    "repeated RateLimitConfig rate_limits = 3;",
    "repeated config.route.v3.RateLimit rate_limits = 3;",
  ],
  ...after(
    "config/route/v3/route_components",
    "HeaderValueMatch header_value_match = 6;",
    "QueryParameters query_parameters = 12;",
  ),
  [
    "config/route/v3/route_components",
    "message QueryParameterValueMatch {",
    `message QueryParameters { string query_parameter_name = 1; string descriptor_key = 2; bool skip_if_absent = 3; }
    message QueryParameterValueMatch {`,
  ],
  [
    "config/route/v3/route_components",
    "message Override {",
    `message HitsAddend { google.protobuf.UInt64Value number = 1; string format = 2; }
    message Override {`,
  ],
  ...after("config/route/v3/route_components", "Override limit = 4;", "HitsAddend hits_addend = 5;"),
  ...after(
    "extensions/common/ratelimit/v3/ratelimit",
    "RateLimitOverride limit = 2;",
    "google.protobuf.UInt64Value hits_addend = 3;",
  ),
  ...after(
    "extensions/upstreams/http/v3/http_protocol_options",
    'import "envoy/config/core/v3/protocol.proto";',
    'import "envoy/config/common/matcher/v3/matcher.proto";',
  ),
  ...after(
    "extensions/upstreams/http/v3/http_protocol_options",
    "repeated filters.network.http_connection_manager.v3.HttpFilter http_filters = 6;",
    `message OutlierDetection { config.common.matcher.v3.MatchPredicate error_matcher = 1; }
    OutlierDetection outlier_detection = 8;`,
  ),
  ...after(
    "extensions/common/ratelimit/v3/ratelimit",
    'import "envoy/type/v3/token_bucket.proto";',
    'import "google/protobuf/wrappers.proto";',
  ),
];

function after(file: string, anchor: string, added: string): [[string, string, string]] {
  return [[file, anchor, `${anchor}\n${added}`]];
}

/** Packages of options: validation rules, versioning and deprecation notes. */
const annotations = ["validate", "udpa.annotations", "xds.annotations.v3", "envoy.annotations", "google.api.http"];

stageSources();
generate();
hydrateOnce();

function stageSources(): void {
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  for (const [from, to] of [
    [join(deps, "envoy-api/envoy"), "envoy"],
    [join(deps, "googleapis/google"), "google"],
    [join(deps, "xds/xds"), "xds"],
    [join(deps, "xds/udpa"), "udpa"],
    [join(root, "proto/grpc"), "grpc"],
    [join(root, "proto/io"), "io"],
    [join(root, "proto/istio"), "istio"],
    [join(root, "proto/limpid"), "limpid"],
    [join(root, "proto/opentelemetry"), "opentelemetry"],
    [join(root, "proto/zipkin"), "zipkin"],
  ] as const) {
    cpSync(from, join(stage, to), { recursive: true });
  }
  // Envoy's files use `ignore_empty`, which the validate.proto in the package is too old to know.
  const validate = readFileSync(join(deps, "protoc-gen-validate/validate/validate.proto"), "utf8");
  mkdirSync(join(stage, "validate"));
  writeFileSync(
    join(stage, "validate/validate.proto"),
    validate.replace(/^message \w+Rules \{$/gm, (head) => `${head}\n  optional bool ignore_empty = 100;`),
  );
  for (const [file, before, now] of newer) amend(file, before, now);
  writeFileSync(join(stage, "buf.yaml"), "version: v2\n");
  writeFileSync(
    join(stage, "buf.gen.yaml"),
    [
      "version: v2",
      "plugins:",
      `  - local: ${JSON.stringify(join(root, "node_modules/.bin/protoc-gen-es"))}`,
      `    out: ${JSON.stringify(out)}`,
      "    opt: [target=js+dts, import_extension=js]",
      "    include_imports: true",
      // One run of the plugin for everything, and not one for each of a hundred folders.
      "    strategy: all",
      "inputs:",
      "  - directory: .",
      `    paths: ${JSON.stringify(entries)}`,
      // Options that nothing reads at run time; every process would decode them at its start and keep them.
      `    exclude_types: ${JSON.stringify(annotations)}`,
      "",
    ].join("\n"),
  );
}

function amend(file: string, before: string, now: string): void {
  const path = join(stage, `envoy/${file}.proto`);
  const text = readFileSync(path, "utf8");
  if (text.split(before).length !== 2) throw new Error(`${file}: ${JSON.stringify(before)} does not stand there once`);
  writeFileSync(path, text.replace(before, now));
}

function generate(): void {
  rmSync(out, { recursive: true, force: true });
  execFileSync(join(root, "node_modules/.bin/buf"), ["generate", "--template", "buf.gen.yaml"], {
    cwd: stage,
    stdio: "inherit",
  });
}

/**
 * protobuf-es hydrates each file with everything that it imports, directly or not, so a process that uses 90 files of Envoy's API walks
 * thousands of them at its start (0.25 s). What a file imports directly has all the types that it can name: no file imports one that
 * imports publicly.
 */
function hydrateOnce(): void {
  writeFileSync(
    join(out, "file-desc.js"),
    `import { fileDesc as hydrate } from "@bufbuild/protobuf/codegenv2";

/** As protobuf-es' fileDesc, which sees no further than the direct imports here. See scripts/gen-proto.ts. */
export function fileDesc(b64, imports = []) {
  const file = hydrate(b64, imports.map((direct) => ({ ...direct, dependencies: [] })));
  file.dependencies = imports;
  return file;
}
`,
  );
  for (const name of readdirSync(out, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith("_pb.js")) continue;
    const path = join(out, name);
    const toRoot = "../".repeat(name.split(sep).length - 1);
    const text = readFileSync(path, "utf8").replace(
      /^import \{ (.*?\b)fileDesc\b(?:, )?(.*) \} from "@bufbuild\/protobuf\/codegenv2";$/m,
      (_, before: string, after: string) =>
        `import { fileDesc } from "${toRoot}file-desc.js";\nimport { ${before}${after} } from "@bufbuild/protobuf/codegenv2";`,
    );
    writeFileSync(path, text);
  }
}
