import type { Endpoint } from "./endpoint.ts";
import { HostPool, type PoolHost, type Slots, type StreamRequest } from "./host-pool.ts";

/**
 * The connections of one cluster: a pool per endpoint, within the cluster's circuit breakers.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/circuit_breaking
 */
export class ClusterPool {
  private readonly host: PoolHost;
  private readonly pools = new Map<Endpoint, HostPool>();
  private readonly slots: Slots = { connections: 0, pending: 0 };

  constructor(host: PoolHost) {
    this.host = host;
  }

  newStream(endpoint: Endpoint, request: StreamRequest): void {
    let pool = this.pools.get(endpoint);
    if (pool === undefined) {
      pool = new HostPool(this.host, endpoint, this.slots);
      this.pools.set(endpoint, pool);
    }
    pool.newStream(request);
  }

  /** Takes a waiting request back. */
  cancel(endpoint: Endpoint, request: StreamRequest): void {
    this.pools.get(endpoint)?.cancel(request);
  }

  connectionsTo(endpoint: Endpoint): number {
    return this.pools.get(endpoint)?.size ?? 0;
  }

  pendingFor(endpoint: Endpoint): number {
    return this.pools.get(endpoint)?.pending ?? 0;
  }

  /**
   * Counts a connection that its user has whole, as TCP sessions do. False past the limit, which holds for these also where an endpoint
   * has none yet, as in Envoy's TCP proxy. Whoever took one gives it back.
   */
  takeSlot(endpoint: Endpoint): boolean {
    const { config, stats } = this.host;
    const { slots } = this;
    if (slots.connections >= config.maxConnections) {
      stats.cxOverflow.inc();
      return false;
    }
    slots.connections++;
    endpoint.totals.connections++;
    stats.cxTotal.inc();
    stats.cxActive.set(slots.connections);
    return true;
  }

  freeSlot(): void {
    this.slots.connections--;
    this.host.stats.cxActive.set(this.slots.connections);
    this.host.stats.cxDestroy.inc();
  }

  /** Closes what is idle now; what is busy closes with its last stream. */
  drain(endpoint: Endpoint): void {
    this.pools.get(endpoint)?.drain();
  }

  /** Forgets the pools of endpoints that have left and have nothing under way any more. */
  sweep(): void {
    for (const [endpoint, pool] of this.pools) {
      if (endpoint.removed && pool.size === 0 && pool.pending === 0) this.pools.delete(endpoint);
    }
  }

  /** Breaks every connection off. */
  close(reason: string): void {
    for (const pool of this.pools.values()) pool.close(reason);
  }
}
