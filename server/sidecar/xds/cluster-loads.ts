import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  type ClusterStats,
  ClusterStatsSchema,
  type UpstreamEndpointStatsSchema,
  type UpstreamLocalityStatsSchema,
} from "../../gen/proto/envoy/config/endpoint/v3/load_report_pb.js";
import type { Cluster } from "../cluster/cluster.ts";
import type { Endpoint } from "../cluster/endpoint.ts";

/** What an endpoint, or several together, had since the last report. */
interface Load {
  issued: number;
  successes: number;
  errors: number;
  active: number;
  connections: number;
  connectFailures: number;
}

type Totals = Endpoint["totals"];

/** Counts of one cluster from report to report. */
export class ClusterLoads {
  private readonly cluster: Cluster;
  private readonly before = new Map<Endpoint, Totals>();
  private droppedBefore: number;
  private reportedMs: number;

  /** Counts from now on. @param nowMs monotonic */
  constructor(cluster: Cluster, nowMs: number) {
    this.cluster = cluster;
    this.reportedMs = nowMs;
    this.droppedBefore = cluster.stats.rqPendingOverflow.value;
    for (const endpoint of cluster.allEndpoints) this.before.set(endpoint, { ...endpoint.totals });
  }

  /** Whether it is this very one, and not another of its name. */
  isOf(cluster: Cluster): boolean {
    return this.cluster === cluster;
  }

  /** @param nowMs monotonic @param each each endpoint beside its locality, as the server may ask for */
  report(nowMs: number, each: boolean): ClusterStats {
    const { config, stats } = this.cluster;
    const dropped = stats.rqPendingOverflow.value;
    const report = create(ClusterStatsSchema, {
      clusterName: config.name,
      clusterServiceName: config.serviceName === config.name ? "" : config.serviceName,
      upstreamLocalityStats: this.localities(each),
      // Counters may be set to zero over the admin.
      totalDroppedRequests: BigInt(Math.max(0, dropped - this.droppedBefore)),
      loadReportInterval: durationFromMs(Math.max(0, Math.round(nowMs - this.reportedMs))),
    });
    this.droppedBefore = dropped;
    this.reportedMs = nowMs;
    return report;
  }

  /** Localities of each priority that had anything; Envoy leaves out the others. */
  private localities(each: boolean): MessageInitShape<typeof UpstreamLocalityStatsSchema>[] {
    const endpoints = this.cluster.allEndpoints;
    const present = new Set(endpoints);
    for (const endpoint of this.before.keys()) if (!present.has(endpoint)) this.before.delete(endpoint);
    const groups = new Map<string, { endpoints: [Endpoint, Load][]; sum: Load }>();
    for (const endpoint of endpoints) {
      const load = this.since(endpoint);
      const { region, zone, subZone } = endpoint.config.locality;
      const key = JSON.stringify([endpoint.config.priority, region, zone, subZone]);
      const group = groups.get(key) ?? { endpoints: [], sum: { ...nothing } };
      groups.set(key, group);
      group.endpoints.push([endpoint, load]);
      for (const name of loadNames) group.sum[name] += load[name];
    }
    return [...groups.values()]
      .filter(({ sum }) => sum.issued + sum.successes + sum.errors + sum.active > 0)
      .map(({ endpoints, sum }) => {
        const [[first] = []] = endpoints;
        const { region = "", zone = "", subZone = "" } = first?.config.locality ?? {};
        return {
          locality: { region, zone, subZone },
          priority: first?.config.priority ?? 0,
          ...requestsOf(sum),
          totalActiveConnections: BigInt(
            endpoints.reduce((all, [endpoint]) => all + this.cluster.pool.connectionsTo(endpoint), 0),
          ),
          totalNewConnections: BigInt(sum.connections),
          totalFailConnections: BigInt(sum.connectFailures),
          upstreamEndpointStats: each ? endpoints.map(([endpoint, load]) => endpointStats(endpoint, load)) : [],
        };
      });
  }

  private since(endpoint: Endpoint): Load {
    const now = endpoint.totals;
    const before = this.before.get(endpoint);
    this.before.set(endpoint, { ...now });
    const delta = (name: keyof Totals) => now[name] - (before?.[name] ?? 0);
    return {
      issued: delta("requests"),
      successes: delta("successes"),
      errors: delta("errors"),
      active: endpoint.active,
      connections: delta("connections"),
      connectFailures: delta("connectFailures"),
    };
  }
}

const nothing: Load = { issued: 0, successes: 0, errors: 0, active: 0, connections: 0, connectFailures: 0 };
const loadNames = Object.keys(nothing) as (keyof Load)[];

const requestsOf = ({ issued, successes, errors, active }: Load) => ({
  totalIssuedRequests: BigInt(issued),
  totalSuccessfulRequests: BigInt(successes),
  totalErrorRequests: BigInt(errors),
  totalRequestsInProgress: BigInt(active),
});

function endpointStats({ config }: Endpoint, load: Load): MessageInitShape<typeof UpstreamEndpointStatsSchema> {
  const { address, port } = config;
  const socketAddress = { address, portSpecifier: { case: "portValue" as const, value: port } };
  return { address: { address: { case: "socketAddress", value: socketAddress } }, ...requestsOf(load) };
}
