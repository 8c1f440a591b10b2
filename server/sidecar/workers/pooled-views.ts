import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { IstioMetrics } from "../access-log/istio-metrics.ts";
import { carryCounts } from "../access-log/proxy-counts.ts";
import type { ClusterView, ListenerView } from "../admin/views.ts";
import { Stats } from "../stats.ts";
import { addCounts, addGauges, statsSnapshot } from "../stats-snapshot.ts";
import { mergeClusters, mergeListeners } from "./merged-views.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** What the admin shows of all workers together, as they last told it. */
export class PooledViews {
  private readonly pool: WorkerPool;
  private readonly own: Stats;
  private readonly node: Node;
  private readonly past = new Stats();
  private readonly pastIstio: IstioMetrics;
  stats = new Stats();
  istio: IstioMetrics;

  /** @param own what the main process counts and knows itself */
  constructor(pool: WorkerPool, own: Stats, node: Node) {
    this.pool = pool;
    this.own = own;
    this.node = node;
    this.pastIstio = new IstioMetrics(node);
    this.istio = new IstioMetrics(node);
  }

  /** Adds what an earlier proxy in this one's place has counted. */
  carry(counts: unknown): void {
    carryCounts(counts, this.past, this.pastIstio);
  }

  reset(): void {
    for (const counter of this.past.counters.values()) counter.value = 0;
    this.pastIstio.reset();
  }

  /** Asks the workers. Resolves within a second, with what is known of those that don't answer. */
  async gather(): Promise<void> {
    await this.pool.refresh(true);
  }

  /** Adds up anew. What only one process can know, as the proxy's state, is the main process's to say. */
  merge(): void {
    const stats = new Stats();
    const istio = new IstioMetrics(this.node);
    for (const { index, ...slot } of this.pool.slots.map((each) => ({ index: each.index, ...each.counts() }))) {
      const counts = statsSnapshot(slot.stats);
      addCounts(stats, counts);
      istio.absorb(slot.istio.snapshot());
      if (slot.last !== undefined) addGauges(stats, slot.last.stats);
      perWorker(stats, index, counts.counters, slot.last?.stats.gauges ?? []);
    }
    const own = statsSnapshot(this.own);
    addCounts(stats, own);
    addCounts(stats, statsSnapshot(this.past));
    istio.absorb(this.pastIstio.snapshot());
    addGauges(stats, own);
    for (const name of ["server.state", "server.live"]) stats.gauge(name).value = this.own.gauge(name).value;
    this.stats = stats;
    this.istio = istio;
  }

  clusters(): ClusterView[] {
    return mergeClusters(this.pool.slots.map((slot) => slot.counts().last?.clusters ?? []));
  }

  listeners(): ListenerView[] {
    return mergeListeners(this.pool.slots.map((slot) => slot.counts().last?.listeners ?? []));
  }
}

type Named = readonly (readonly [string, number])[];

/** Envoy tells of each listener how many connections every worker has taken. https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/stats#per-handler-listener-stats */
function perWorker(stats: Stats, index: number, counters: Named, gauges: Named): void {
  const nameOf = (name: string) => {
    const match = /^(listener\..+)\.(downstream_cx_(?:total|active))$/.exec(name);
    return match === null ? undefined : `${match[1]}.worker_${index}.${match[2]}`;
  };
  for (const [name, value] of counters) {
    const own = nameOf(name);
    if (own !== undefined) stats.counter(own).value = value;
  }
  for (const [name, value] of gauges) {
    const own = nameOf(name);
    if (own !== undefined) stats.gauge(own).value = value;
  }
}
