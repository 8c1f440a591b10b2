import type { Cluster } from "../../cluster/cluster.ts";
import type { RouteStats } from "../../route/route-stats.ts";

// What becomes of a request is counted for its cluster, and for its route where that has stats of its own.

export function countResponse(cluster: Cluster | undefined, route: RouteStats | undefined, status: number): void {
  cluster?.stats.response(status);
  route?.response(status);
}

export function countTime(cluster: Cluster | undefined, route: RouteStats | undefined, ms: number): void {
  cluster?.stats.rqTime.record(ms);
  route?.rqTime.record(ms);
}

export function count(
  cluster: Cluster | undefined,
  route: RouteStats | undefined,
  what: "rqRetrySuccess" | "rqTimeout",
): void {
  cluster?.stats[what].inc();
  route?.[what].inc();
}
