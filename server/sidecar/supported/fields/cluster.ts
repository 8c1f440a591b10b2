import type { SupportedFields } from "../../request/filter.ts";

/** Of clusters, apart from balancing and health. */
export const clusterFields: SupportedFields = {
  "envoy.config.cluster.v3.Cluster": [
    "name",
    "type",
    "eds_cluster_config",
    "connect_timeout",
    "lb_policy",
    "lb_subset_config",
    "load_assignment",
    "max_requests_per_connection",
    "circuit_breakers",
    "common_http_protocol_options",
    "typed_extension_protocol_options",
    "dns_refresh_rate",
    "dns_lookup_family",
    "outlier_detection",
    "health_checks",
    "upstream_bind_config",
    "least_request_lb_config",
    "round_robin_lb_config",
    "ring_hash_lb_config",
    "maglev_lb_config",
    "original_dst_lb_config",
    "cluster_type",
    "common_lb_config",
    "transport_socket",
    "transport_socket_matches",
    "metadata",
    "load_balancing_policy",
    "alt_stat_name",
    // harmless: only more stats
    "track_cluster_stats",
    // harmless: our buffers are bounded more tightly
    "per_connection_buffer_limit_bytes",
    // harmless: dns.lookup answers without a TTL
    "respect_dns_ttl",
    "http_protocol_options",
    "wait_for_warm_on_init",
    // harmless: lives of idle connections are bounded by idle_timeout
    "upstream_connection_options",
    "cleanup_interval",
    "ignore_health_on_host_removal",
  ],
  "envoy.config.cluster.v3.Cluster.TransportSocketMatch": ["name", "match", "transport_socket"],
  "envoy.config.cluster.v3.Cluster.CustomClusterType": ["name", "typed_config"],
  "envoy.config.cluster.v3.Cluster.OriginalDstLbConfig": [
    "use_http_header",
    "http_header_name",
    "upstream_port_override",
  ],
  "envoy.config.cluster.v3.Cluster.RefreshRate": ["base_interval", "max_interval"],
  "envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig": [
    "dns_cache_config",
    // harmless: TLS asks for the host of each call and checks it, whatever the options say
    "allow_insecure_cluster_options",
    // harmless: a connection is only shared by calls of one host
    "allow_coalesced_connections",
  ],
  "envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig": [
    "name",
    "dns_lookup_family",
    "dns_refresh_rate",
    // harmless: the system's resolver tells no time to live, by which it could be shorter
    "dns_min_refresh_rate",
    "host_ttl",
    "max_hosts",
    "dns_failure_refresh_rate",
    "dns_cache_circuit_breaker",
    "dns_query_timeout",
  ],
  "envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheCircuitBreakers": ["max_pending_requests"],
  "envoy.config.cluster.v3.TrackClusterStats": "opaque",
  "envoy.config.cluster.v3.UpstreamConnectionOptions": "opaque",
  "envoy.config.cluster.v3.Cluster.EdsClusterConfig": ["eds_config", "service_name"],
  "envoy.config.core.v3.BindConfig": ["source_address"],
  "envoy.config.cluster.v3.CircuitBreakers": ["thresholds"],
  "envoy.config.cluster.v3.CircuitBreakers.Thresholds": [
    "priority",
    "max_connections",
    "max_pending_requests",
    "max_requests",
    "max_retries",
    "retry_budget",
    // harmless: only stats
    "track_remaining",
  ],
  "envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget": ["budget_percent", "min_retry_concurrency"],
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": [
    "common_http_protocol_options",
    "explicit_http_config",
    "use_downstream_protocol_config",
    "auto_config",
    "upstream_http_protocol_options",
    "outlier_detection",
  ],
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions.OutlierDetection": ["error_matcher"],
  "envoy.config.common.matcher.v3.MatchPredicate": [
    "or_match",
    "and_match",
    "not_match",
    "any_match",
    "http_response_headers_match",
  ],
  "envoy.config.common.matcher.v3.MatchPredicate.MatchSet": ["rules"],
  "envoy.config.common.matcher.v3.HttpHeadersMatch": ["headers"],
  // only for clusters that find the host of each call
  "envoy.config.core.v3.UpstreamHttpProtocolOptions": ["auto_sni", "auto_san_validation"],
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions.AutoHttpConfig": [
    "http_protocol_options",
    "http2_protocol_options",
  ],
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig": [
    "http_protocol_options",
    "http2_protocol_options",
  ],
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions.UseDownstreamHttpConfig": [
    "http_protocol_options",
    "http2_protocol_options",
  ],
};
