import type { DescFile } from "@bufbuild/protobuf";
import { file_envoy_config_cluster_v3_cluster } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { file_envoy_config_endpoint_v3_endpoint } from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { file_envoy_config_listener_v3_listener } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { file_envoy_config_route_v3_route_components } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { file_envoy_config_route_v3_route } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { file_envoy_config_trace_v3_opentelemetry } from "../gen/proto/envoy/config/trace/v3/opentelemetry_pb.js";
import { file_envoy_config_trace_v3_zipkin } from "../gen/proto/envoy/config/trace/v3/zipkin_pb.js";
import { file_envoy_extensions_access_loggers_file_v3_file } from "../gen/proto/envoy/extensions/access_loggers/file/v3/file_pb.js";
import { file_envoy_extensions_access_loggers_filters_cel_v3_cel } from "../gen/proto/envoy/extensions/access_loggers/filters/cel/v3/cel_pb.js";
import { file_envoy_extensions_access_loggers_grpc_v3_als } from "../gen/proto/envoy/extensions/access_loggers/grpc/v3/als_pb.js";
import { file_envoy_extensions_access_loggers_open_telemetry_v3_logs_service } from "../gen/proto/envoy/extensions/access_loggers/open_telemetry/v3/logs_service_pb.js";
import { file_envoy_extensions_access_loggers_stream_v3_stream } from "../gen/proto/envoy/extensions/access_loggers/stream/v3/stream_pb.js";
import { file_envoy_extensions_clusters_dynamic_forward_proxy_v3_cluster } from "../gen/proto/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.js";
import { file_envoy_extensions_compression_brotli_compressor_v3_brotli } from "../gen/proto/envoy/extensions/compression/brotli/compressor/v3/brotli_pb.js";
import { file_envoy_extensions_compression_brotli_decompressor_v3_brotli } from "../gen/proto/envoy/extensions/compression/brotli/decompressor/v3/brotli_pb.js";
import { file_envoy_extensions_compression_gzip_compressor_v3_gzip } from "../gen/proto/envoy/extensions/compression/gzip/compressor/v3/gzip_pb.js";
import { file_envoy_extensions_compression_gzip_decompressor_v3_gzip } from "../gen/proto/envoy/extensions/compression/gzip/decompressor/v3/gzip_pb.js";
import { file_envoy_extensions_compression_zstd_compressor_v3_zstd } from "../gen/proto/envoy/extensions/compression/zstd/compressor/v3/zstd_pb.js";
import { file_envoy_extensions_compression_zstd_decompressor_v3_zstd } from "../gen/proto/envoy/extensions/compression/zstd/decompressor/v3/zstd_pb.js";
import { file_envoy_extensions_filters_http_buffer_v3_buffer } from "../gen/proto/envoy/extensions/filters/http/buffer/v3/buffer_pb.js";
import { file_envoy_extensions_filters_http_compressor_v3_compressor } from "../gen/proto/envoy/extensions/filters/http/compressor/v3/compressor_pb.js";
import { file_envoy_extensions_filters_http_cors_v3_cors } from "../gen/proto/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { file_envoy_extensions_filters_http_decompressor_v3_decompressor } from "../gen/proto/envoy/extensions/filters/http/decompressor/v3/decompressor_pb.js";
import { file_envoy_extensions_filters_http_dynamic_forward_proxy_v3_dynamic_forward_proxy } from "../gen/proto/envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy_pb.js";
import { file_envoy_extensions_filters_http_ext_authz_v3_ext_authz } from "../gen/proto/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js";
import { file_envoy_extensions_filters_http_fault_v3_fault } from "../gen/proto/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { file_envoy_extensions_filters_http_grpc_stats_v3_config } from "../gen/proto/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js";
import { file_envoy_extensions_filters_http_grpc_web_v3_grpc_web } from "../gen/proto/envoy/extensions/filters/http/grpc_web/v3/grpc_web_pb.js";
import { file_envoy_extensions_filters_http_header_mutation_v3_header_mutation } from "../gen/proto/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.js";
import { file_envoy_extensions_filters_http_header_to_metadata_v3_header_to_metadata } from "../gen/proto/envoy/extensions/filters/http/header_to_metadata/v3/header_to_metadata_pb.js";
import { file_envoy_extensions_filters_http_health_check_v3_health_check } from "../gen/proto/envoy/extensions/filters/http/health_check/v3/health_check_pb.js";
import { file_envoy_extensions_filters_http_jwt_authn_v3_config } from "../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import { file_envoy_extensions_filters_http_local_ratelimit_v3_local_rate_limit } from "../gen/proto/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import { file_envoy_extensions_filters_http_ratelimit_v3_rate_limit } from "../gen/proto/envoy/extensions/filters/http/ratelimit/v3/rate_limit_pb.js";
import { file_envoy_extensions_filters_http_rbac_v3_rbac } from "../gen/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { file_envoy_extensions_filters_http_router_v3_router } from "../gen/proto/envoy/extensions/filters/http/router/v3/router_pb.js";
import { file_envoy_extensions_filters_http_set_metadata_v3_set_metadata } from "../gen/proto/envoy/extensions/filters/http/set_metadata/v3/set_metadata_pb.js";
import { file_envoy_extensions_filters_http_stateful_session_v3_stateful_session } from "../gen/proto/envoy/extensions/filters/http/stateful_session/v3/stateful_session_pb.js";
import { file_envoy_extensions_filters_listener_http_inspector_v3_http_inspector } from "../gen/proto/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { file_envoy_extensions_filters_listener_original_dst_v3_original_dst } from "../gen/proto/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js";
import { file_envoy_extensions_filters_listener_original_src_v3_original_src } from "../gen/proto/envoy/extensions/filters/listener/original_src/v3/original_src_pb.js";
import { file_envoy_extensions_filters_listener_proxy_protocol_v3_proxy_protocol } from "../gen/proto/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb.js";
import { file_envoy_extensions_filters_listener_tls_inspector_v3_tls_inspector } from "../gen/proto/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import { file_envoy_extensions_filters_network_connection_limit_v3_connection_limit } from "../gen/proto/envoy/extensions/filters/network/connection_limit/v3/connection_limit_pb.js";
import { file_envoy_extensions_filters_network_ext_authz_v3_ext_authz } from "../gen/proto/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js";
import { file_envoy_extensions_filters_network_http_connection_manager_v3_http_connection_manager } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { file_envoy_extensions_filters_network_local_ratelimit_v3_local_rate_limit } from "../gen/proto/envoy/extensions/filters/network/local_ratelimit/v3/local_rate_limit_pb.js";
import { file_envoy_extensions_filters_network_ratelimit_v3_rate_limit } from "../gen/proto/envoy/extensions/filters/network/ratelimit/v3/rate_limit_pb.js";
import { file_envoy_extensions_filters_network_rbac_v3_rbac } from "../gen/proto/envoy/extensions/filters/network/rbac/v3/rbac_pb.js";
import { file_envoy_extensions_filters_network_sni_dynamic_forward_proxy_v3_sni_dynamic_forward_proxy } from "../gen/proto/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy_pb.js";
import { file_envoy_extensions_filters_network_tcp_proxy_v3_tcp_proxy } from "../gen/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { file_envoy_extensions_formatter_metadata_v3_metadata } from "../gen/proto/envoy/extensions/formatter/metadata/v3/metadata_pb.js";
import { file_envoy_extensions_formatter_req_without_query_v3_req_without_query } from "../gen/proto/envoy/extensions/formatter/req_without_query/v3/req_without_query_pb.js";
import { file_envoy_extensions_health_check_event_sinks_file_v3_file } from "../gen/proto/envoy/extensions/health_check/event_sinks/file/v3/file_pb.js";
import { file_envoy_extensions_http_stateful_session_cookie_v3_cookie } from "../gen/proto/envoy/extensions/http/stateful_session/cookie/v3/cookie_pb.js";
import { file_envoy_extensions_http_stateful_session_header_v3_header } from "../gen/proto/envoy/extensions/http/stateful_session/header/v3/header_pb.js";
import { file_envoy_extensions_load_balancing_policies_least_request_v3_least_request } from "../gen/proto/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js";
import { file_envoy_extensions_load_balancing_policies_maglev_v3_maglev } from "../gen/proto/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.js";
import { file_envoy_extensions_load_balancing_policies_random_v3_random } from "../gen/proto/envoy/extensions/load_balancing_policies/random/v3/random_pb.js";
import { file_envoy_extensions_load_balancing_policies_ring_hash_v3_ring_hash } from "../gen/proto/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.js";
import { file_envoy_extensions_load_balancing_policies_round_robin_v3_round_robin } from "../gen/proto/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js";
import { file_envoy_extensions_load_balancing_policies_subset_v3_subset } from "../gen/proto/envoy/extensions/load_balancing_policies/subset/v3/subset_pb.js";
import { file_envoy_extensions_path_match_uri_template_v3_uri_template_match } from "../gen/proto/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js";
import { file_envoy_extensions_retry_host_omit_canary_hosts_v3_omit_canary_hosts } from "../gen/proto/envoy/extensions/retry/host/omit_canary_hosts/v3/omit_canary_hosts_pb.js";
import { file_envoy_extensions_retry_host_omit_host_metadata_v3_omit_host_metadata_config } from "../gen/proto/envoy/extensions/retry/host/omit_host_metadata/v3/omit_host_metadata_config_pb.js";
import { file_envoy_extensions_retry_host_previous_hosts_v3_previous_hosts } from "../gen/proto/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import { file_envoy_extensions_retry_priority_previous_priorities_v3_previous_priorities_config } from "../gen/proto/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
import { file_envoy_extensions_transport_sockets_proxy_protocol_v3_upstream_proxy_protocol } from "../gen/proto/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js";
import { file_envoy_extensions_transport_sockets_raw_buffer_v3_raw_buffer } from "../gen/proto/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js";
import { file_envoy_extensions_transport_sockets_tls_v3_secret } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { file_envoy_extensions_transport_sockets_tls_v3_tls } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { file_envoy_extensions_upstreams_http_v3_http_protocol_options } from "../gen/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";

/**
 * The files of every message that may stand in an `Any` of a proxy's configuration: the resources themselves, and what their `typed_config`s
 * hold. Known here means that it can be read and shown, not that anything supports it.
 */
export const resourceFiles: readonly DescFile[] = [
  file_envoy_config_cluster_v3_cluster,
  file_envoy_config_endpoint_v3_endpoint,
  file_envoy_config_listener_v3_listener,
  file_envoy_config_route_v3_route,
  file_envoy_config_route_v3_route_components,
  file_envoy_config_trace_v3_opentelemetry,
  file_envoy_config_trace_v3_zipkin,
  file_envoy_extensions_access_loggers_file_v3_file,
  file_envoy_extensions_access_loggers_filters_cel_v3_cel,
  file_envoy_extensions_access_loggers_grpc_v3_als,
  file_envoy_extensions_access_loggers_open_telemetry_v3_logs_service,
  file_envoy_extensions_access_loggers_stream_v3_stream,
  file_envoy_extensions_filters_http_cors_v3_cors,
  file_envoy_extensions_filters_http_fault_v3_fault,
  file_envoy_extensions_filters_http_grpc_stats_v3_config,
  file_envoy_extensions_filters_http_header_mutation_v3_header_mutation,
  file_envoy_extensions_filters_http_health_check_v3_health_check,
  file_envoy_extensions_filters_http_local_ratelimit_v3_local_rate_limit,
  file_envoy_extensions_filters_http_rbac_v3_rbac,
  file_envoy_extensions_path_match_uri_template_v3_uri_template_match,
  file_envoy_extensions_filters_network_ext_authz_v3_ext_authz,
  file_envoy_extensions_filters_http_jwt_authn_v3_config,
  file_envoy_extensions_filters_http_ext_authz_v3_ext_authz,
  file_envoy_extensions_filters_http_router_v3_router,
  file_envoy_extensions_filters_listener_http_inspector_v3_http_inspector,
  file_envoy_extensions_filters_listener_original_dst_v3_original_dst,
  file_envoy_extensions_filters_listener_original_src_v3_original_src,
  file_envoy_extensions_filters_listener_tls_inspector_v3_tls_inspector,
  file_envoy_extensions_filters_network_http_connection_manager_v3_http_connection_manager,
  file_envoy_extensions_filters_network_tcp_proxy_v3_tcp_proxy,
  file_envoy_extensions_load_balancing_policies_least_request_v3_least_request,
  file_envoy_extensions_load_balancing_policies_maglev_v3_maglev,
  file_envoy_extensions_load_balancing_policies_random_v3_random,
  file_envoy_extensions_load_balancing_policies_ring_hash_v3_ring_hash,
  file_envoy_extensions_load_balancing_policies_round_robin_v3_round_robin,
  file_envoy_extensions_load_balancing_policies_subset_v3_subset,
  file_envoy_extensions_retry_host_previous_hosts_v3_previous_hosts,
  file_envoy_extensions_transport_sockets_raw_buffer_v3_raw_buffer,
  file_envoy_extensions_transport_sockets_tls_v3_tls,
  file_envoy_extensions_transport_sockets_tls_v3_secret,
  file_envoy_extensions_upstreams_http_v3_http_protocol_options,
  file_envoy_extensions_clusters_dynamic_forward_proxy_v3_cluster,
  file_envoy_extensions_filters_network_rbac_v3_rbac,
  file_envoy_extensions_filters_network_sni_dynamic_forward_proxy_v3_sni_dynamic_forward_proxy,
  file_envoy_extensions_retry_priority_previous_priorities_v3_previous_priorities_config,
  file_envoy_extensions_transport_sockets_proxy_protocol_v3_upstream_proxy_protocol,
  file_envoy_extensions_compression_brotli_compressor_v3_brotli,
  file_envoy_extensions_compression_brotli_decompressor_v3_brotli,
  file_envoy_extensions_compression_gzip_compressor_v3_gzip,
  file_envoy_extensions_compression_gzip_decompressor_v3_gzip,
  file_envoy_extensions_compression_zstd_compressor_v3_zstd,
  file_envoy_extensions_compression_zstd_decompressor_v3_zstd,
  file_envoy_extensions_filters_http_buffer_v3_buffer,
  file_envoy_extensions_filters_http_compressor_v3_compressor,
  file_envoy_extensions_filters_http_decompressor_v3_decompressor,
  file_envoy_extensions_filters_http_grpc_web_v3_grpc_web,
  file_envoy_extensions_filters_http_header_to_metadata_v3_header_to_metadata,
  file_envoy_extensions_filters_http_set_metadata_v3_set_metadata,
  file_envoy_extensions_filters_http_stateful_session_v3_stateful_session,
  file_envoy_extensions_formatter_metadata_v3_metadata,
  file_envoy_extensions_formatter_req_without_query_v3_req_without_query,
  file_envoy_extensions_http_stateful_session_cookie_v3_cookie,
  file_envoy_extensions_http_stateful_session_header_v3_header,
  file_envoy_extensions_filters_http_dynamic_forward_proxy_v3_dynamic_forward_proxy,
  file_envoy_extensions_filters_http_ratelimit_v3_rate_limit,
  file_envoy_extensions_filters_network_connection_limit_v3_connection_limit,
  file_envoy_extensions_filters_network_local_ratelimit_v3_local_rate_limit,
  file_envoy_extensions_filters_network_ratelimit_v3_rate_limit,
  file_envoy_extensions_retry_host_omit_canary_hosts_v3_omit_canary_hosts,
  file_envoy_extensions_retry_host_omit_host_metadata_v3_omit_host_metadata_config,
  file_envoy_extensions_filters_listener_proxy_protocol_v3_proxy_protocol,
  file_envoy_extensions_health_check_event_sinks_file_v3_file,
];
