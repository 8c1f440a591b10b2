import type { ServerState } from "./admin/views.ts";
import type { DataPlane } from "./data-plane.ts";
import type { Stats } from "./stats.ts";

const stateNumbers: Record<ServerState, number> = { LIVE: 0, DRAINING: 1, PRE_INITIALIZING: 2, INITIALIZING: 3 };

/** Brings the gauges of the process up to date; done when somebody looks. https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/statistics */
export function refreshServerStats(stats: Stats, plane: DataPlane, state: ServerState): void {
  const { heapUsed, heapTotal, rss, external } = process.memoryUsage();
  stats.gauge("server.live").set(state === "LIVE" ? 1 : 0);
  stats.gauge("server.state").set(stateNumbers[state]);
  stats.gauge("server.uptime").set(Math.floor(process.uptime()));
  stats.gauge("server.concurrency").set(1);
  stats.gauge("server.memory_allocated").set(heapUsed + external);
  stats.gauge("server.memory_heap_size").set(heapTotal);
  stats.gauge("server.memory_physical_size").set(rss);
  stats.gauge("cluster_manager.active_clusters").set(plane.clusterMap.size);
  stats
    .gauge("cluster_manager.warming_clusters")
    .set([...plane.clusterMap.values()].filter(({ warm }) => !warm).length);
  stats.gauge("listener_manager.total_listeners_active").set(plane.boundListeners().length);
}
