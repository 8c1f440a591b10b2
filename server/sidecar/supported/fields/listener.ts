import type { SupportedFields } from "../../request/filter.ts";

/** Of listeners, their filter chains and what serves TCP. */
export const listenerFields: SupportedFields = {
  "envoy.config.listener.v3.Listener": [
    "name",
    "address",
    "filter_chains",
    "default_filter_chain",
    "traffic_direction",
    "tcp_backlog_size",
    "listener_filters",
    "access_log",
    // harmless: carried for people
    "metadata",
    "stat_prefix",
    // harmless: our buffers are bounded more tightly
    "per_connection_buffer_limit_bytes",
    // harmless: the kernel balances between the processes of a proxy that has several
    "enable_reuse_port",
    "connection_balance_config",
    "listener_filters_timeout",
    "continue_on_listener_filters_timeout",
    // harmless: removal and update drain alike
    "drain_type",
    "ignore_global_conn_limit",
    "max_connections_to_accept_per_socket_event",
  ],
  "envoy.config.listener.v3.Listener.ConnectionBalanceConfig": "opaque",
  "envoy.config.listener.v3.ListenerFilter": ["name", "typed_config", "config_discovery"],
  "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector": [],
  "envoy.config.listener.v3.FilterChain": [
    "name",
    "filters",
    "metadata",
    "filter_chain_match",
    "transport_socket",
    "transport_socket_connect_timeout",
  ],
  // harmless: how much is read at once
  "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector": ["initial_read_buffer_size"],
  "envoy.config.listener.v3.FilterChainMatch": [
    "destination_port",
    "prefix_ranges",
    "server_names",
    "transport_protocol",
    "application_protocols",
  ],
  "envoy.config.listener.v3.Filter": ["name", "typed_config", "config_discovery"],
  "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol": [
    "allow_requests_without_proxy_protocol",
    "pass_through_tlvs",
    "disallowed_versions",
    "stat_prefix",
  ],
  "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy": [
    "metadata_match",
    "stat_prefix",
    "cluster",
    "weighted_clusters",
    "idle_timeout",
    "access_log",
    "max_connect_attempts",
    "max_downstream_connection_duration",
    "hash_policy",
    "tunneling_config",
  ],
  "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.TunnelingConfig": [
    "hostname",
    "use_post",
    "headers_to_add",
    "post_path",
  ],
  "envoy.type.v3.HashPolicy": ["source_ip"],
  "envoy.type.v3.HashPolicy.SourceIp": [],
  "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster": ["clusters"],
  "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight": [
    "name",
    "weight",
    "metadata_match",
  ],
};
