import type { DescFile } from "@bufbuild/protobuf";
import { file_envoy_extensions_access_loggers_wasm_v3_wasm } from "../gen/proto/envoy/extensions/access_loggers/wasm/v3/wasm_pb.js";
import { file_envoy_extensions_filters_http_adaptive_concurrency_v3_adaptive_concurrency } from "../gen/proto/envoy/extensions/filters/http/adaptive_concurrency/v3/adaptive_concurrency_pb.js";
import { file_envoy_extensions_filters_http_admission_control_v3_admission_control } from "../gen/proto/envoy/extensions/filters/http/admission_control/v3/admission_control_pb.js";
import { file_envoy_extensions_filters_http_alternate_protocols_cache_v3_alternate_protocols_cache } from "../gen/proto/envoy/extensions/filters/http/alternate_protocols_cache/v3/alternate_protocols_cache_pb.js";
import { file_envoy_extensions_filters_http_bandwidth_limit_v3_bandwidth_limit } from "../gen/proto/envoy/extensions/filters/http/bandwidth_limit/v3/bandwidth_limit_pb.js";
import { file_envoy_extensions_filters_http_basic_auth_v3_basic_auth } from "../gen/proto/envoy/extensions/filters/http/basic_auth/v3/basic_auth_pb.js";
import { file_envoy_extensions_filters_http_composite_v3_composite } from "../gen/proto/envoy/extensions/filters/http/composite/v3/composite_pb.js";
import { file_envoy_extensions_filters_http_connect_grpc_bridge_v3_config } from "../gen/proto/envoy/extensions/filters/http/connect_grpc_bridge/v3/config_pb.js";
import { file_envoy_extensions_filters_http_credential_injector_v3_credential_injector } from "../gen/proto/envoy/extensions/filters/http/credential_injector/v3/credential_injector_pb.js";
import { file_envoy_extensions_filters_http_csrf_v3_csrf } from "../gen/proto/envoy/extensions/filters/http/csrf/v3/csrf_pb.js";
import { file_envoy_extensions_filters_http_custom_response_v3_custom_response } from "../gen/proto/envoy/extensions/filters/http/custom_response/v3/custom_response_pb.js";
import { file_envoy_extensions_filters_http_ext_proc_v3_ext_proc } from "../gen/proto/envoy/extensions/filters/http/ext_proc/v3/ext_proc_pb.js";
import { file_envoy_extensions_filters_http_ext_proc_v3_processing_mode } from "../gen/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode_pb.js";
import { file_envoy_extensions_filters_http_file_system_buffer_v3_file_system_buffer } from "../gen/proto/envoy/extensions/filters/http/file_system_buffer/v3/file_system_buffer_pb.js";
import { file_envoy_extensions_filters_http_geoip_v3_geoip } from "../gen/proto/envoy/extensions/filters/http/geoip/v3/geoip_pb.js";
import { file_envoy_extensions_filters_http_grpc_field_extraction_v3_config } from "../gen/proto/envoy/extensions/filters/http/grpc_field_extraction/v3/config_pb.js";
import { file_envoy_extensions_filters_http_grpc_http1_bridge_v3_config } from "../gen/proto/envoy/extensions/filters/http/grpc_http1_bridge/v3/config_pb.js";
import { file_envoy_extensions_filters_http_grpc_http1_reverse_bridge_v3_config } from "../gen/proto/envoy/extensions/filters/http/grpc_http1_reverse_bridge/v3/config_pb.js";
import { file_envoy_extensions_filters_http_grpc_json_transcoder_v3_transcoder } from "../gen/proto/envoy/extensions/filters/http/grpc_json_transcoder/v3/transcoder_pb.js";
import { file_envoy_extensions_filters_http_ip_tagging_v3_ip_tagging } from "../gen/proto/envoy/extensions/filters/http/ip_tagging/v3/ip_tagging_pb.js";
import { file_envoy_extensions_filters_http_json_to_metadata_v3_json_to_metadata } from "../gen/proto/envoy/extensions/filters/http/json_to_metadata/v3/json_to_metadata_pb.js";
import { file_envoy_extensions_filters_http_kill_request_v3_kill_request } from "../gen/proto/envoy/extensions/filters/http/kill_request/v3/kill_request_pb.js";
import { file_envoy_extensions_filters_http_lua_v3_lua } from "../gen/proto/envoy/extensions/filters/http/lua/v3/lua_pb.js";
import { file_envoy_extensions_filters_http_oauth2_v3_oauth } from "../gen/proto/envoy/extensions/filters/http/oauth2/v3/oauth_pb.js";
import { file_envoy_extensions_filters_http_on_demand_v3_on_demand } from "../gen/proto/envoy/extensions/filters/http/on_demand/v3/on_demand_pb.js";
import { file_envoy_extensions_filters_http_original_src_v3_original_src } from "../gen/proto/envoy/extensions/filters/http/original_src/v3/original_src_pb.js";
import { file_envoy_extensions_filters_http_rate_limit_quota_v3_rate_limit_quota } from "../gen/proto/envoy/extensions/filters/http/rate_limit_quota/v3/rate_limit_quota_pb.js";
import { file_envoy_extensions_filters_http_set_filter_state_v3_set_filter_state } from "../gen/proto/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb.js";
import { file_envoy_extensions_filters_http_tap_v3_tap } from "../gen/proto/envoy/extensions/filters/http/tap/v3/tap_pb.js";
import { file_envoy_extensions_filters_http_upstream_codec_v3_upstream_codec } from "../gen/proto/envoy/extensions/filters/http/upstream_codec/v3/upstream_codec_pb.js";
import { file_envoy_extensions_filters_http_wasm_v3_wasm } from "../gen/proto/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import { file_envoy_extensions_filters_listener_local_ratelimit_v3_local_ratelimit } from "../gen/proto/envoy/extensions/filters/listener/local_ratelimit/v3/local_ratelimit_pb.js";
import { file_envoy_extensions_filters_network_direct_response_v3_config } from "../gen/proto/envoy/extensions/filters/network/direct_response/v3/config_pb.js";
import { file_envoy_extensions_filters_network_echo_v3_echo } from "../gen/proto/envoy/extensions/filters/network/echo/v3/echo_pb.js";
import { file_envoy_extensions_filters_network_mongo_proxy_v3_mongo_proxy } from "../gen/proto/envoy/extensions/filters/network/mongo_proxy/v3/mongo_proxy_pb.js";
import { file_envoy_extensions_filters_network_redis_proxy_v3_redis_proxy } from "../gen/proto/envoy/extensions/filters/network/redis_proxy/v3/redis_proxy_pb.js";
import { file_envoy_extensions_filters_network_set_filter_state_v3_set_filter_state } from "../gen/proto/envoy/extensions/filters/network/set_filter_state/v3/set_filter_state_pb.js";
import { file_envoy_extensions_filters_network_sni_cluster_v3_sni_cluster } from "../gen/proto/envoy/extensions/filters/network/sni_cluster/v3/sni_cluster_pb.js";
import { file_envoy_extensions_filters_network_thrift_proxy_v3_route } from "../gen/proto/envoy/extensions/filters/network/thrift_proxy/v3/route_pb.js";
import { file_envoy_extensions_filters_network_thrift_proxy_v3_thrift_proxy } from "../gen/proto/envoy/extensions/filters/network/thrift_proxy/v3/thrift_proxy_pb.js";
import { file_envoy_extensions_filters_network_wasm_v3_wasm } from "../gen/proto/envoy/extensions/filters/network/wasm/v3/wasm_pb.js";
import { file_envoy_extensions_filters_network_zookeeper_proxy_v3_zookeeper_proxy } from "../gen/proto/envoy/extensions/filters/network/zookeeper_proxy/v3/zookeeper_proxy_pb.js";
import { file_envoy_extensions_request_id_uuid_v3_uuid } from "../gen/proto/envoy/extensions/request_id/uuid/v3/uuid_pb.js";
import { file_envoy_extensions_transport_sockets_alts_v3_alts } from "../gen/proto/envoy/extensions/transport_sockets/alts/v3/alts_pb.js";
import { file_envoy_extensions_transport_sockets_http_11_proxy_v3_upstream_http_11_connect } from "../gen/proto/envoy/extensions/transport_sockets/http_11_proxy/v3/upstream_http_11_connect_pb.js";
import { file_envoy_extensions_transport_sockets_internal_upstream_v3_internal_upstream } from "../gen/proto/envoy/extensions/transport_sockets/internal_upstream/v3/internal_upstream_pb.js";
import { file_envoy_extensions_transport_sockets_quic_v3_quic_transport } from "../gen/proto/envoy/extensions/transport_sockets/quic/v3/quic_transport_pb.js";
import { file_envoy_extensions_transport_sockets_starttls_v3_starttls } from "../gen/proto/envoy/extensions/transport_sockets/starttls/v3/starttls_pb.js";
import { file_envoy_extensions_transport_sockets_tap_v3_tap } from "../gen/proto/envoy/extensions/transport_sockets/tap/v3/tap_pb.js";
import { file_envoy_extensions_transport_sockets_tcp_stats_v3_tcp_stats } from "../gen/proto/envoy/extensions/transport_sockets/tcp_stats/v3/tcp_stats_pb.js";
import { file_udpa_type_v1_typed_struct } from "../gen/proto/udpa/type/v1/typed_struct_pb.js";
import { file_xds_type_v3_typed_struct } from "../gen/proto/xds/type/v3/typed_struct_pb.js";

/** Filters, access logs and transport sockets that Envoys have and the bundled sidecar has not: an EnvoyFilter may bring them. */
export const passingFiles: readonly DescFile[] = [
  file_envoy_extensions_access_loggers_wasm_v3_wasm,
  file_envoy_extensions_filters_http_adaptive_concurrency_v3_adaptive_concurrency,
  file_envoy_extensions_filters_http_admission_control_v3_admission_control,
  file_envoy_extensions_filters_http_alternate_protocols_cache_v3_alternate_protocols_cache,
  file_envoy_extensions_filters_http_bandwidth_limit_v3_bandwidth_limit,
  file_envoy_extensions_filters_http_basic_auth_v3_basic_auth,
  file_envoy_extensions_filters_http_composite_v3_composite,
  file_envoy_extensions_filters_http_connect_grpc_bridge_v3_config,
  file_envoy_extensions_filters_http_credential_injector_v3_credential_injector,
  file_envoy_extensions_filters_http_csrf_v3_csrf,
  file_envoy_extensions_filters_http_custom_response_v3_custom_response,
  file_envoy_extensions_filters_http_ext_proc_v3_ext_proc,
  file_envoy_extensions_filters_http_ext_proc_v3_processing_mode,
  file_envoy_extensions_filters_http_file_system_buffer_v3_file_system_buffer,
  file_envoy_extensions_filters_http_geoip_v3_geoip,
  file_envoy_extensions_filters_http_grpc_field_extraction_v3_config,
  file_envoy_extensions_filters_http_grpc_http1_bridge_v3_config,
  file_envoy_extensions_filters_http_grpc_http1_reverse_bridge_v3_config,
  file_envoy_extensions_filters_http_grpc_json_transcoder_v3_transcoder,
  file_envoy_extensions_filters_http_ip_tagging_v3_ip_tagging,
  file_envoy_extensions_filters_http_json_to_metadata_v3_json_to_metadata,
  file_envoy_extensions_filters_http_kill_request_v3_kill_request,
  file_envoy_extensions_filters_http_lua_v3_lua,
  file_envoy_extensions_filters_http_oauth2_v3_oauth,
  file_envoy_extensions_filters_http_on_demand_v3_on_demand,
  file_envoy_extensions_filters_http_original_src_v3_original_src,
  file_envoy_extensions_filters_http_rate_limit_quota_v3_rate_limit_quota,
  file_envoy_extensions_filters_http_set_filter_state_v3_set_filter_state,
  file_envoy_extensions_filters_http_tap_v3_tap,
  file_envoy_extensions_filters_http_upstream_codec_v3_upstream_codec,
  file_envoy_extensions_filters_http_wasm_v3_wasm,
  file_envoy_extensions_filters_listener_local_ratelimit_v3_local_ratelimit,
  file_envoy_extensions_filters_network_direct_response_v3_config,
  file_envoy_extensions_filters_network_echo_v3_echo,
  file_envoy_extensions_filters_network_mongo_proxy_v3_mongo_proxy,
  file_envoy_extensions_filters_network_redis_proxy_v3_redis_proxy,
  file_envoy_extensions_filters_network_set_filter_state_v3_set_filter_state,
  file_envoy_extensions_filters_network_sni_cluster_v3_sni_cluster,
  file_envoy_extensions_filters_network_thrift_proxy_v3_route,
  file_envoy_extensions_filters_network_thrift_proxy_v3_thrift_proxy,
  file_envoy_extensions_filters_network_wasm_v3_wasm,
  file_envoy_extensions_filters_network_zookeeper_proxy_v3_zookeeper_proxy,
  file_envoy_extensions_request_id_uuid_v3_uuid,
  file_envoy_extensions_transport_sockets_alts_v3_alts,
  file_envoy_extensions_transport_sockets_http_11_proxy_v3_upstream_http_11_connect,
  file_envoy_extensions_transport_sockets_internal_upstream_v3_internal_upstream,
  file_envoy_extensions_transport_sockets_quic_v3_quic_transport,
  file_envoy_extensions_transport_sockets_starttls_v3_starttls,
  file_envoy_extensions_transport_sockets_tap_v3_tap,
  file_envoy_extensions_transport_sockets_tcp_stats_v3_tcp_stats,
  file_udpa_type_v1_typed_struct,
  file_xds_type_v3_typed_struct,
];
