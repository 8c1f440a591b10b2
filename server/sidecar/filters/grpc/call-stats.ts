import type { Cluster } from "../../cluster/cluster.ts";
import type { RequestContext } from "../../request/filter.ts";
import type { Stats } from "../../stats.ts";

/** What a path of gRPC names: `/package.Service/Method`. */
export interface CallName {
  readonly service: string;
  readonly method: string;
}

/** Undefined: the path is no call's. */
export function callName(path: string): CallName | undefined {
  const question = path.indexOf("?");
  const parts = (question === -1 ? path : path.slice(0, question)).split("/");
  const [root, service = "", method = ""] = parts;
  return parts.length === 3 && root === "" && service !== "" && method !== "" ? { service, method } : undefined;
}

/** Paths are a client's to choose, and each would make counters of its own: so many are told apart. */
const maxNames = 1_000;

/** The names of calls that have counters of their own. */
export class KnownCalls {
  private readonly known = new Set<string>();

  /** The part of a counter's name, with a dot at its end; "" once there are too many. */
  segment({ service, method }: CallName): string {
    const segment = `${service}.${method}.`;
    if (!this.known.has(segment)) {
      if (this.known.size >= maxNames) return "";
      this.known.add(segment);
    }
    return segment;
  }
}

/** Counters of one call at its cluster. https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/grpc_stats_filter */
export class CallStats {
  private readonly stats: Stats;
  private readonly prefix: string;

  /** @param segment of {@link KnownCalls} */
  constructor(stats: Stats, cluster: Cluster, protocol: "grpc" | "grpc-web", segment: string) {
    this.stats = stats;
    this.prefix = `${cluster.stats.prefix}${protocol}.${segment}`;
  }

  messages(direction: "request" | "response", count: number): void {
    if (count > 0) this.stats.counter(`${this.prefix}${direction}_message_count`).inc(count);
  }

  upstreamTime(ms: number): void {
    this.stats.histogram(`${this.prefix}upstream_rq_time`).record(ms);
  }

  /** @param status `grpc-status` as sent; undefined: not told here */
  status(status: string | undefined): void {
    if (status === undefined) return;
    // As sent only where it is one: what an upstream makes up would make counters without end.
    if (/^(1[0-6]|\d)$/.test(status)) this.stats.counter(`${this.prefix}${status}`).inc();
    this.stats.counter(`${this.prefix}${status === "0" ? "success" : "failure"}`).inc();
    this.stats.counter(`${this.prefix}total`).inc();
  }
}

/** The cluster that a request goes to, if it is there. */
export const clusterOf = ({ record }: RequestContext, clusters: ReadonlyMap<string, Cluster>): Cluster | undefined =>
  clusters.get(record.routedCluster);
