import type { ClusterStats } from "../gen/proto/envoy/config/endpoint/v3/load_report_pb.js";

/** What one client sent to one cluster and locality in its last interval. */
export interface ClusterLoad {
  cluster: string;
  /** EDS name, where it is another than the cluster's. */
  service: string;
  /** `region/zone/sub_zone`; empty where there is none. */
  locality: string;
  /** Since the report before this. Zero for a report without an interval. */
  intervalMs: number;
  requestsPerSec: number;
  errorsPerSec: number;
  /** Dropped by the client for overload, over all localities of the cluster. */
  droppedPerSec: number;
  inProgress: number;
  /** Unix milliseconds. */
  at: number;
}

/** A client that reports more than this many clusters and localities is cut there. */
const maxLoadsPerNode = 20_000;

/** The last load that each client told, by node id; what is older than three intervals no longer counts. */
export class LoadReports {
  readonly #byNode = new Map<string, Map<string, ClusterLoad>>();
  readonly #keptMs: number;

  constructor(reportEveryMs: number) {
    this.#keptMs = 3 * reportEveryMs;
  }

  record(node: string, clusters: readonly ClusterStats[], now: number): void {
    const loads = this.#byNode.get(node) ?? new Map<string, ClusterLoad>();
    this.#byNode.set(node, loads);
    for (const load of clusters.flatMap((stats) => loadsOf(stats, now))) {
      const key = `${load.cluster}\0${load.service}\0${load.locality}`;
      if (loads.has(key) || loads.size < maxLoadsPerNode) loads.set(key, load);
    }
    for (const [key, { at }] of loads) if (at < now - this.#keptMs) loads.delete(key);
  }

  forget(node: string): void {
    this.#byNode.delete(node);
  }

  /** By node id. */
  all(now: number): ReadonlyMap<string, readonly ClusterLoad[]> {
    const fresh = [...this.#byNode].map(([node, loads]) => {
      const kept = [...loads.values()].filter(({ at }) => at >= now - this.#keptMs);
      return [node, kept] as const;
    });
    return new Map(fresh.filter(([, loads]) => loads.length > 0));
  }
}

/** A cluster whose localities had no requests may come without any: it then has one load, of nothing. */
function loadsOf(stats: ClusterStats, at: number): ClusterLoad[] {
  const { clusterName: cluster, clusterServiceName: service, loadReportInterval, totalDroppedRequests } = stats;
  const intervalMs = loadReportInterval
    ? Number(loadReportInterval.seconds) * 1000 + loadReportInterval.nanos / 1e6
    : 0;
  const perSec = (count: bigint) => (intervalMs > 0 ? (Number(count) * 1000) / intervalMs : 0);
  const base = { cluster, service, intervalMs, droppedPerSec: perSec(totalDroppedRequests), at };
  return stats.upstreamLocalityStats.map((one) => ({
    ...base,
    locality: [one.locality?.region, one.locality?.zone, one.locality?.subZone].filter(Boolean).join("/"),
    // Clients of before 2019 count what succeeded and failed, and not what they issued.
    requestsPerSec: perSec(one.totalIssuedRequests || one.totalSuccessfulRequests + one.totalErrorRequests),
    errorsPerSec: perSec(one.totalErrorRequests),
    inProgress: Number(one.totalRequestsInProgress),
  }));
}
