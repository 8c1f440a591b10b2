import type { Node } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { ClusterStats } from "../gen/proto/envoy/config/endpoint/v3/load_report_pb.js";

/** What one client sent to one cluster and locality since its report before. */
export interface LoadCounts {
  cluster: string;
  /** EDS name, where it is another than the cluster's. */
  service: string;
  /** `region/zone/sub_zone`; empty where there is none. */
  locality: string;
  requests: number;
  errors: number;
  inProgress: number;
  /** By the client for overload, over all localities: of a cluster's first alone. */
  dropped: number;
}

/** The same as a rate. */
export interface ClusterLoad extends Pick<LoadCounts, "cluster" | "service" | "locality" | "inProgress"> {
  /** Since the report before this. Zero for a report without an interval. */
  intervalMs: number;
  requestsPerSec: number;
  errorsPerSec: number;
  /** Over all localities of the cluster. */
  droppedPerSec: number;
  /** Unix milliseconds. */
  at: number;
}

/** Hears every report. */
export type OnLoad = (node: Node, counts: readonly LoadCounts[]) => void;

/** A client that reports more than this many clusters and localities is cut there. */
const maxLoadsPerNode = 20_000;

interface Reporter {
  readonly loads: Map<string, ClusterLoad>;
  /** It tells how many requests it began: those of before 2019 count what ended alone. */
  tellsIssued: boolean;
}

/** The last load that each client told, by node id; what is older than three intervals no longer counts. */
export class LoadReports {
  readonly #byNode = new Map<string, Reporter>();
  readonly #keptMs: number;
  readonly #onLoad: OnLoad | undefined;

  constructor(reportEveryMs: number, onLoad?: OnLoad) {
    this.#keptMs = 3 * reportEveryMs;
    this.#onLoad = onLoad;
  }

  record(node: Node, clusters: readonly ClusterStats[], now: number): void {
    const reporter = this.#byNode.get(node.id) ?? { loads: new Map<string, ClusterLoad>(), tellsIssued: false };
    this.#byNode.set(node.id, reporter);
    reporter.tellsIssued ||= clusters.some(tellsIssued);
    const { loads } = reporter;
    for (const stats of clusters) {
      const counts = countsOf(stats, reporter.tellsIssued);
      this.#onLoad?.(node, counts);
      for (const one of counts) {
        const key = `${one.cluster}\0${one.service}\0${one.locality}`;
        if (loads.has(key) || loads.size < maxLoadsPerNode) loads.set(key, rateOf(one, stats, now));
      }
    }
    for (const [key, { at }] of loads) if (at < now - this.#keptMs) loads.delete(key);
  }

  forget(node: string): void {
    this.#byNode.delete(node);
  }

  /** By node id. */
  all(now: number): ReadonlyMap<string, readonly ClusterLoad[]> {
    const fresh = [...this.#byNode].map(([node, { loads }]) => {
      const kept = [...loads.values()].filter(({ at }) => at >= now - this.#keptMs);
      return [node, kept] as const;
    });
    return new Map(fresh.filter(([, loads]) => loads.length > 0));
  }
}

const tellsIssued = ({ upstreamLocalityStats }: ClusterStats): boolean =>
  upstreamLocalityStats.some(({ totalIssuedRequests }) => totalIssuedRequests > 0n);

/** A cluster of which only drops are told has no localities: they are then of none. */
function countsOf(stats: ClusterStats, tells: boolean): LoadCounts[] {
  const { clusterName: cluster, clusterServiceName: service, upstreamLocalityStats, totalDroppedRequests } = stats;
  const dropped = Number(totalDroppedRequests);
  const nothing = { cluster, service, locality: "", requests: 0, errors: 0, inProgress: 0, dropped };
  if (upstreamLocalityStats.length === 0) return dropped > 0 ? [nothing] : [];
  return upstreamLocalityStats.map((one, index) => ({
    cluster,
    service,
    locality: [one.locality?.region, one.locality?.zone, one.locality?.subZone].filter(Boolean).join("/"),
    requests: Number(tells ? one.totalIssuedRequests : one.totalSuccessfulRequests + one.totalErrorRequests),
    errors: Number(one.totalErrorRequests),
    inProgress: Number(one.totalRequestsInProgress),
    dropped: index === 0 ? dropped : 0,
  }));
}

function rateOf(counts: LoadCounts, { loadReportInterval, totalDroppedRequests }: ClusterStats, at: number) {
  const { cluster, service, locality, requests, errors, inProgress } = counts;
  const intervalMs = loadReportInterval
    ? Number(loadReportInterval.seconds) * 1000 + loadReportInterval.nanos / 1e6
    : 0;
  const perSec = (count: number) => (intervalMs > 0 ? (count * 1000) / intervalMs : 0);
  return {
    cluster,
    service,
    locality,
    inProgress,
    intervalMs,
    requestsPerSec: perSec(requests),
    errorsPerSec: perSec(errors),
    droppedPerSec: perSec(Number(totalDroppedRequests)),
    at,
  };
}
