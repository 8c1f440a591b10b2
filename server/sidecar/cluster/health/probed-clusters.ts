import type { Cluster } from "../../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { ClusterEndpointsHealth, ClusterHealthCheck } from "../../../gen/proto/envoy/service/health/v3/hds_pb.js";
import type { CommonTls } from "../../tls/common-tls.ts";
import type { Secrets } from "../../tls/secrets.ts";
import type { ClusterIo } from "../cluster.ts";
import { tlsContextsOf } from "../transport.ts";
import { clusterOf, compileProbed, ProbedCluster } from "./probed-cluster.ts";

/** Does what it is given, or says everything that keeps it from that, naming fields. */
export type Refuse = (cluster: Cluster, apply: () => void) => string[];

/** All that this proxy probes for somebody else: HDS. */
export class ProbedClusters {
  private readonly io: ClusterIo;
  private readonly secrets: Secrets;
  private readonly byName = new Map<string, ProbedCluster>();

  constructor(io: ClusterIo, secrets: Secrets) {
    this.io = io;
    this.secrets = secrets;
  }

  /** Probes these from now on, and no others. What of them cannot be taken is not probed. @returns why not */
  replace(asked: readonly ClusterHealthCheck[], refuse: Refuse): string[] {
    const names = new Set(asked.map(({ clusterName }) => clusterName));
    for (const name of this.byName.keys()) if (!names.has(name)) this.remove(name);
    const taken = new Set<string>();
    return asked.flatMap((each) => {
      const cluster = clusterOf(each);
      const { name } = cluster;
      const errors = refuse(cluster, () => {
        if (taken.has(name)) throw new Error("cluster_name: there are two of this name");
        this.put(cluster);
      });
      if (errors.length > 0 && !taken.has(name)) this.remove(name);
      taken.add(name);
      return errors;
    });
  }

  report(): ClusterEndpointsHealth[] {
    return [...this.byName.values()].map((cluster) => cluster.report());
  }

  tlsContexts(): CommonTls[] {
    return [...this.byName.values()].flatMap(({ transports }) => tlsContextsOf(transports).map(({ common }) => common));
  }

  close(): void {
    for (const name of [...this.byName.keys()]) this.remove(name);
  }

  private put(proto: Cluster): void {
    const config = compileProbed(proto, this.secrets);
    const known = this.byName.get(proto.name);
    const others = [...this.byName.values()].reduce((sum, { size }) => sum + size, -(known?.size ?? 0));
    if (others + config.endpoints.length > maxEndpoints) {
      throw new Error(
        `locality_endpoints: one proxy probes at most ${maxEndpoints} endpoints, and with these it would be ${others + config.endpoints.length}`,
      );
    }
    if (known === undefined) this.byName.set(proto.name, new ProbedCluster(config, this.io));
    else known.update(config);
  }

  private remove(name: string): void {
    this.byName.get(name)?.close();
    this.byName.delete(name);
  }
}

/** Each costs a connection, and a request every interval, of a process that has requests to serve. */
const maxEndpoints = 2_000;
