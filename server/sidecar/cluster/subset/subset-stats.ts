import type { Counter, Gauge, Stats } from "../../stats.ts";

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats#load-balancer-subset-statistics */
export class SubsetStats {
  readonly selected: Counter;
  readonly fallback: Counter;
  readonly panic: Counter;
  private readonly active: Gauge;
  private readonly created: Counter;
  private readonly removed: Counter;
  private readonly duplicates: Gauge;

  constructor(stats: Stats, prefix: string) {
    this.selected = stats.counter(`${prefix}lb_subsets_selected`);
    this.fallback = stats.counter(`${prefix}lb_subsets_fallback`);
    this.panic = stats.counter(`${prefix}lb_subsets_fallback_panic`);
    this.active = stats.gauge(`${prefix}lb_subsets_active`);
    this.created = stats.counter(`${prefix}lb_subsets_created`);
    this.removed = stats.counter(`${prefix}lb_subsets_removed`);
    this.duplicates = stats.gauge(`${prefix}lb_subsets_single_host_per_subset_duplicate`);
  }

  changed(before: Iterable<string>, now: ReadonlyMap<string, unknown>, duplicates: number): void {
    const known = new Set(before);
    for (const key of now.keys()) if (!known.has(key)) this.created.inc();
    for (const key of known) if (!now.has(key)) this.removed.inc();
    this.active.set(now.size);
    this.duplicates.set(duplicates);
  }
}
