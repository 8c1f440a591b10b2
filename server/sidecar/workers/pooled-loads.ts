import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type ClusterStats,
  ClusterStatsSchema,
  type UpstreamLocalityStats,
} from "../../gen/proto/envoy/config/endpoint/v3/load_report_pb.js";
import { type LoadStatsResponse, LoadStatsResponseSchema } from "../../gen/proto/envoy/service/load_stats/v3/lrs_pb.js";
import type { LoadSource } from "../xds/load-reporter.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** The load of all workers together: the server hears of one proxy. */
export class PooledLoads implements LoadSource {
  private readonly pool: WorkerPool;

  constructor(pool: WorkerPool) {
    this.pool = pool;
  }

  track(asked: LoadStatsResponse, anew: boolean): void {
    void this.pool.ask((id) => ({ kind: "loads", id, asked: bytesOf(asked), what: anew ? "begin" : "track" }));
  }

  async report(asked: LoadStatsResponse): Promise<ClusterStats[]> {
    const answers = await this.pool.ask((id) => ({ kind: "loads", id, asked: bytesOf(asked), what: "report" }));
    const all = answers.flatMap((answer) => (answer.kind === "loads" ? answer.loads : []));
    return mergeLoads(all.map((bytes) => fromBinary(ClusterStatsSchema, bytes)));
  }
}

const bytesOf = (asked: LoadStatsResponse): Uint8Array => toBinary(LoadStatsResponseSchema, asked);

/** Adds what several processes tell of one cluster. */
export function mergeLoads(loads: readonly ClusterStats[]): ClusterStats[] {
  const clusters = new Map<string, ClusterStats>();
  for (const load of loads) {
    const sum = clusters.get(load.clusterName);
    if (sum === undefined) {
      clusters.set(load.clusterName, create(ClusterStatsSchema, load));
      continue;
    }
    sum.totalDroppedRequests += load.totalDroppedRequests;
    sum.upstreamLocalityStats = mergeBy(sum.upstreamLocalityStats, load.upstreamLocalityStats, placeOf, addLocality);
  }
  return [...clusters.values()];
}

const placeOf = ({ locality, priority }: UpstreamLocalityStats): string =>
  JSON.stringify([priority, locality?.region, locality?.zone, locality?.subZone]);

function addLocality(to: UpstreamLocalityStats, from: UpstreamLocalityStats): void {
  to.totalActiveConnections += from.totalActiveConnections;
  to.totalNewConnections += from.totalNewConnections;
  to.totalFailConnections += from.totalFailConnections;
  addRequests(to, from);
  to.upstreamEndpointStats = mergeBy(
    to.upstreamEndpointStats,
    from.upstreamEndpointStats,
    ({ address }) => JSON.stringify(address?.address.value),
    addRequests,
  );
}

type Requests = Pick<
  UpstreamLocalityStats,
  "totalIssuedRequests" | "totalSuccessfulRequests" | "totalErrorRequests" | "totalRequestsInProgress"
>;

function addRequests(to: Requests, from: Requests): void {
  to.totalIssuedRequests += from.totalIssuedRequests;
  to.totalSuccessfulRequests += from.totalSuccessfulRequests;
  to.totalErrorRequests += from.totalErrorRequests;
  to.totalRequestsInProgress += from.totalRequestsInProgress;
}

function mergeBy<T>(
  one: readonly T[],
  other: readonly T[],
  keyOf: (item: T) => string,
  add: (to: T, from: T) => void,
): T[] {
  const merged = new Map(one.map((item) => [keyOf(item), item]));
  for (const item of other) {
    const known = merged.get(keyOf(item));
    if (known === undefined) merged.set(keyOf(item), item);
    else add(known, item);
  }
  return [...merged.values()];
}
