import type { MetricPoint } from "./metric-record.ts";

/**
 * A proxy has a thousand stats, of which access logs tell most better. Kept is what no log says: how full it is (connections and requests at work and waiting,
 * circuit breakers, lost hosts), what its process takes, and connections that it turned away before they could ask anything.
 */
const kept = [
  /^envoy_server_(memory_|live$|uptime$|concurrency$|total_connections$|.*poll_delay_us$|watchdog_)/,
  /^envoy_listener_manager_.*poll_delay_us$/,
  /^envoy_(http|listener)_downstream_(cx|rq)_(active|total)$/,
  /^envoy_listener_no_filter_chain_match$/,
  /^envoy_(http|listener)_downstream_(cx_overflow|cx_overload_reject|global_cx_overflow|rq_overload_close)$/,
  /^envoy_cluster_upstream_(cx|rq)_(active|total|connect_fail|overflow|timeout|pending_active|pending_overflow|pending_total|retry|retry_overflow|rx_reset|tx_reset)$/,
  /^envoy_cluster_(membership_(healthy|total)|outlier_detection_ejections_active|lb_healthy_panic)$/,
  /^envoy_cluster_circuit_breakers_/,
  /^envoy_(control_plane_connected_state|cluster_manager_(active|warming)_clusters|overload_.*)$/,
];

/** What stands for "no limit" in a circuit breaker: there is nothing to watch. */
const unlimited = 2 ** 31;

export const saysHowFull = ({ series: { name }, value }: MetricPoint): boolean =>
  kept.some((pattern) => pattern.test(name)) && !(name.includes("_remaining_") && value >= unlimited);
