import type { ConnectionAddresses } from "../http/addresses.ts";
import type { UpstreamProtocol } from "./connector.ts";
import type { Endpoint } from "./endpoint.ts";
import { HostPool, type Slots, type StreamRequest } from "./host-pool.ts";
import type { PoolHost } from "./pool-host.ts";
import { originKey } from "./proxy-protocol.ts";
import { transportOf } from "./transport.ts";

/**
 * The connections of one cluster: a pool per endpoint and protocol, within the cluster's circuit breakers.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/circuit_breaking
 */
export class ClusterPool {
  private readonly host: PoolHost;
  private readonly shared: Readonly<Record<UpstreamProtocol, Map<Endpoint, HostPool>>> = {
    http1: new Map(),
    http2: new Map(),
    auto: new Map(),
  };
  /** Of clusters whose endpoints are told who calls. */
  private readonly byOrigin = new Map<Endpoint, Map<string, HostPool>>();
  private readonly slots: Slots = { connections: 0, pending: 0 };

  constructor(host: PoolHost) {
    this.host = host;
  }

  /** @param origin of the client's connection, which counts where endpoints are told of it */
  newStream(
    endpoint: Endpoint,
    protocol: UpstreamProtocol,
    request: StreamRequest,
    origin?: ConnectionAddresses,
  ): void {
    const { proxyProtocol } = transportOf(this.host.config, endpoint.config.metadata);
    if (origin !== undefined && proxyProtocol !== undefined) {
      this.poolFor(endpoint, protocol, origin).newStream(request);
      return;
    }
    const pools = this.shared[protocol];
    let pool = pools.get(endpoint);
    if (pool === undefined) {
      pool = new HostPool(this.host, endpoint, protocol, this.slots);
      pools.set(endpoint, pool);
    }
    pool.newStream(request);
  }

  private poolFor(endpoint: Endpoint, protocol: UpstreamProtocol, origin: ConnectionAddresses): HostPool {
    const key = `${protocol} ${originKey(origin)}`;
    let pools = this.byOrigin.get(endpoint);
    if (pools === undefined) {
      pools = new Map();
      this.byOrigin.set(endpoint, pools);
    }
    let pool = pools.get(key);
    if (pool === undefined) {
      if (pools.size % sweepEvery === sweepEvery - 1) forgetEmpty(pools);
      pool = new HostPool(this.host, endpoint, protocol, this.slots, origin);
      pools.set(key, pool);
    }
    return pool;
  }

  /** Requests that wait for a connection, to whichever endpoint. */
  get pending(): number {
    return this.slots.pending;
  }

  /** Takes a waiting request back. */
  cancel(endpoint: Endpoint, request: StreamRequest): void {
    for (const pool of this.poolsOf(endpoint)) pool.cancel(request);
  }

  connectionsTo(endpoint: Endpoint): number {
    return this.poolsOf(endpoint).reduce((sum, { size }) => sum + size, 0);
  }

  pendingFor(endpoint: Endpoint): number {
    return this.poolsOf(endpoint).reduce((sum, { pending }) => sum + pending, 0);
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
    for (const pool of this.poolsOf(endpoint)) pool.drain();
  }

  /** Forgets the pools of endpoints that have left and have nothing under way any more. */
  sweep(): void {
    for (const pools of Object.values(this.shared)) {
      for (const [endpoint, { size, pending }] of pools) {
        if (endpoint.removed && size === 0 && pending === 0) pools.delete(endpoint);
      }
    }
    for (const [endpoint, pools] of this.byOrigin) {
      forgetEmpty(pools);
      if (pools.size === 0) this.byOrigin.delete(endpoint);
    }
  }

  /** Breaks every connection off. */
  close(reason: string): void {
    const own = [...this.byOrigin.values()].flatMap((pools) => [...pools.values()]);
    const shared = Object.values(this.shared).flatMap((pools) => [...pools.values()]);
    for (const pool of [...shared, ...own]) pool.close(reason);
  }

  private poolsOf(endpoint: Endpoint): HostPool[] {
    const shared = Object.values(this.shared).flatMap((pools) => pools.get(endpoint) ?? []);
    const own = this.byOrigin.get(endpoint);
    return own === undefined ? shared : [...shared, ...own.values()];
  }
}

/** Clients come and go. */
const sweepEvery = 64;

function forgetEmpty(pools: Map<string, HostPool>): void {
  for (const [key, { size, pending }] of pools) if (size === 0 && pending === 0) pools.delete(key);
}
