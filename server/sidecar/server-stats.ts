import { processMemory } from "../lib/process-memory.ts";
import type { Cluster } from "./cluster/cluster.ts";
import type { DataPlane } from "./data-plane.ts";
import type { Stats } from "./stats.ts";
import type { ServerState } from "./xds/initialization.ts";

const stateNumbers: Record<ServerState, number> = { LIVE: 0, DRAINING: 1, PRE_INITIALIZING: 2, INITIALIZING: 3 };

/** Brings the gauges of the process up to date; done when somebody looks. https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/statistics */
export function refreshServerStats(stats: Stats, plane: DataPlane, state: ServerState, concurrency = 1): void {
  const { used, heap, resident } = processMemory();
  stats.gauge("server.live").set(state === "LIVE" ? 1 : 0);
  stats.gauge("server.state").set(stateNumbers[state]);
  stats.gauge("server.uptime").set(Math.floor(process.uptime()));
  stats.gauge("server.concurrency").set(concurrency);
  stats.gauge("server.memory_allocated").set(used);
  stats.gauge("server.memory_heap_size").set(heap);
  stats.gauge("server.memory_physical_size").set(resident);
  stats.gauge("cluster_manager.active_clusters").set(plane.clusterMap.size);
  stats.gauge("cluster_manager.warming_clusters").set(plane.warmingClusters);
  stats.gauge("listener_manager.total_listeners_active").set(plane.boundListeners().length);
  for (const cluster of plane.clusterMap.values()) refreshClusterStats(stats, cluster);
  for (const [name, { value }] of stats.counters) {
    // Those of HTTP/2 are counted where they are made; the rest is HTTP/1.
    if (name.endsWith(".downstream_cx_total") && name.startsWith("http."))
      copy(stats, name, "cx_total", "cx_http1_total", value);
    if (name.endsWith(".downstream_rq_total")) copy(stats, name, "rq_total", "rq_http1_total", value);
    if (name.endsWith(".upstream_cx_total")) copy(stats, name, "cx_total", "cx_http1_total", value);
  }
  for (const [name, { value }] of stats.gauges) {
    if (!name.startsWith("http.") || !name.endsWith(".downstream_cx_active")) continue;
    stats.gauge(name.replace(/cx_active$/, "cx_http1_active")).set(value);
  }
}

function copy(stats: Stats, name: string, from: string, to: string, value: number): void {
  const prefix = name.slice(0, -from.length);
  const http2 = stats.counters.get(prefix + to.replace("http1", "http2"))?.value ?? 0;
  stats.counter(prefix + to).value = value - http2;
}

/** Which circuit breakers are open: 1 where the next request would be refused or would wait. */
function refreshClusterStats(stats: Stats, { config, stats: own, activeRequests, activeRetries }: Cluster): void {
  const breaker = (name: string, open: boolean) =>
    stats.gauge(`${own.prefix}circuit_breakers.default.${name}_open`).set(open ? 1 : 0);
  const left = (name: string, limit: number, taken: number) =>
    stats.gauge(`${own.prefix}circuit_breakers.default.remaining_${name}`).set(Math.max(0, limit - taken));
  // Envoy has these where `track_remaining` is set, which it is in what our control plane sends.
  left("cx", config.maxConnections, own.cxActive.value);
  left("rq", config.maxRequests, activeRequests);
  left("pending", config.maxPendingRequests, own.rqPendingActive.value);
  left("retries", config.maxRetries, activeRetries);
  breaker("cx", own.cxActive.value >= config.maxConnections);
  breaker("rq", activeRequests >= config.maxRequests);
  breaker("rq_pending", own.rqPendingActive.value >= config.maxPendingRequests);
  breaker("rq_retry", activeRetries >= config.maxRetries);
  // Health checks know no degraded endpoints, and none are left out until the first check.
  stats.gauge(`${own.prefix}membership_degraded`).set(0);
  stats.gauge(`${own.prefix}membership_excluded`).set(0);
}
