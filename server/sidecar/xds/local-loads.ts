import type { ClusterStats } from "../../gen/proto/envoy/config/endpoint/v3/load_report_pb.js";
import type { LoadStatsResponse } from "../../gen/proto/envoy/service/load_stats/v3/lrs_pb.js";
import type { Cluster } from "../cluster/cluster.ts";
import { ClusterLoads } from "./cluster-loads.ts";
import type { LoadSource } from "./load-reporter.ts";

/** The load of clusters that this process calls. */
export class LocalLoads implements LoadSource {
  private readonly clusters: ReadonlyMap<string, Cluster>;
  private readonly loads = new Map<string, ClusterLoads>();

  constructor(clusters: ReadonlyMap<string, Cluster>) {
    this.clusters = clusters;
  }

  /** Clusters that are new, or another of their name, count from now on. */
  track({ sendAllClusters, clusters }: LoadStatsResponse, anew: boolean): void {
    if (anew) this.loads.clear();
    const wanted = new Set(sendAllClusters ? this.clusters.keys() : clusters);
    for (const name of this.loads.keys()) if (!wanted.has(name)) this.loads.delete(name);
    for (const name of wanted) {
      const cluster = this.clusters.get(name);
      if (cluster === undefined) this.loads.delete(name);
      else if (this.loads.get(name)?.isOf(cluster) !== true) {
        this.loads.set(name, new ClusterLoads(cluster, performance.now()));
      }
    }
  }

  report(asked: LoadStatsResponse): ClusterStats[] {
    const now = performance.now();
    this.track(asked, false);
    return [...this.loads.values()].map((loads) => loads.report(now, asked.reportEndpointGranularity));
  }
}
