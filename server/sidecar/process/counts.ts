import { carryCounts, type ProxyCounts, proxyCounts } from "../access-log/proxy-counts.ts";
import { clusterViews } from "../admin/data-plane-views.ts";
import type { ClusterView } from "../admin/views.ts";
import { refreshServerStats } from "../server-stats.ts";
import { statsSnapshot } from "../stats-snapshot.ts";
import type { WorkerReport } from "../workers/messages.ts";
import { type Parts, staticClusters } from "./parts.ts";

/** What the proxy has counted, or its workers have. */
export const countsOf = ({ fleet, stats, telemetry }: Parts): ProxyCounts =>
  fleet?.counts() ?? proxyCounts(stats, telemetry.istio);

/** Adds what a predecessor has counted. */
export function carry({ fleet, stats, telemetry }: Parts, counts: unknown): void {
  if (fleet === undefined) carryCounts(counts, stats, telemetry.istio);
  else fleet.carry(counts);
}

export function resetCounters({ fleet, stats, telemetry }: Parts): void {
  for (const counter of stats.counters.values()) counter.value = 0;
  telemetry.istio.reset();
  fleet?.reset();
}

/** What a worker tells its main process. @param pages with what the admin shows */
export function workerReport(parts: Parts, pages: boolean): WorkerReport {
  const { stats, plane, readiness, telemetry } = parts;
  refreshServerStats(stats, plane, readiness.state);
  const counts = { stats: statsSnapshot(stats), istio: telemetry.istio.snapshot() };
  return pages ? { ...counts, clusters: ownClusters(parts), listeners: plane.boundListeners() } : counts;
}

/** The clusters of this process, for the admin's page. */
export function ownClusters({ plane, config }: Parts): ClusterView[] {
  const statics = new Set(staticClusters(config).map(({ name }) => name));
  return clusterViews(plane, (name) => statics.has(name));
}
