import type { Stats } from "../stats.ts";
import type { Balancer, BalancerIo } from "./balancer.ts";
import type { HashTables } from "./balancer-hash.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import type { ClusterStats } from "./cluster-stats.ts";
import type { Endpoint } from "./endpoint.ts";
import { type LocalityWeight, localityKey } from "./locality-balancer.ts";
import { PriorityBalancer, type PriorityOptions } from "./priorities.ts";
import type { PriorityPolicy } from "./priority-load.ts";
import { SubsetBalancer } from "./subset/subset-balancer.ts";
import type { SubsetConfig } from "./subset/subset-config.ts";

export interface BalancerParts {
  readonly config: ClusterConfig;
  readonly policy: PriorityPolicy;
  readonly tables: HashTables;
  readonly stats: ClusterStats;
  readonly io: BalancerIo & { readonly stats: Stats };
}

/** What a cluster's endpoints are picked by, made again whenever they change. */
export class ClusterBalancer {
  /** Over all of them. */
  readonly whole: PriorityBalancer;
  /** Undefined: the cluster is not split. */
  readonly subsets: SubsetBalancer | undefined;
  readonly picker: Balancer;

  /** @param before what it takes the place of */
  constructor(endpoints: readonly Endpoint[], parts: BalancerParts, before: ClusterBalancer | undefined) {
    const { config, tables, io, stats } = parts;
    const { subsets } = config.balancing;
    this.whole = new PriorityBalancer(endpoints, { ...priorityOptions(parts), tables }, io);
    if (subsets === undefined) before?.subsets?.close();
    else {
      const balance = (members: readonly Endpoint[], whole: readonly Endpoint[]) =>
        new PriorityBalancer(members, { ...priorityOptions(parts), ...localities(subsets, members, whole) }, io);
      const own = { config: subsets, stats: io.stats, prefix: stats.prefix, balance };
      this.subsets = new SubsetBalancer(endpoints, own, before?.subsets);
    }
    this.picker = this.subsets ?? this.whole;
  }
}

const priorityOptions = ({ config, policy, stats }: BalancerParts): PriorityOptions => ({
  config: config.balancing.balancer,
  localityWeighted: config.balancing.localityWeighted,
  panicThreshold: config.panicThreshold,
  policy,
  panics: stats.lbHealthyPanic,
});

/** Within a subset localities have no weight, unless the cluster says so; then their own, or less by what the subset has of their endpoints. */
function localities(
  { localityWeightAware, scaleLocalityWeight }: SubsetConfig,
  members: readonly Endpoint[],
  whole: readonly Endpoint[],
): Partial<PriorityOptions> {
  if (!localityWeightAware) return { localityWeighted: false };
  if (!scaleLocalityWeight) return {};
  const counts = (endpoints: readonly Endpoint[]) => Map.groupBy(endpoints, placeKey);
  const [own, all] = [counts(members), counts(whole)];
  const localityWeight: LocalityWeight = (endpoint) => {
    const { weight } = endpoint.config.locality;
    const key = placeKey(endpoint);
    const share = (own.get(key)?.length ?? 0) / (all.get(key)?.length ?? 1);
    return weight === 0 ? 0 : Math.max(1, Math.round(weight * share));
  };
  return { localityWeight };
}

const placeKey = (endpoint: Endpoint): string => `${endpoint.config.priority} ${localityKey(endpoint)}`;
