import type { Protocol } from "../http/stream.ts";
import type { Stats } from "../stats.ts";
import type { Timers } from "../timers.ts";
import { anyHost, type Balancer, type PickContext } from "./balancer.ts";
import { usesHash } from "./balancer-config.ts";
import { HashTables } from "./balancer-hash.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import { ClusterStats } from "./cluster-stats.ts";
import type { UpstreamProtocol } from "./connector.ts";
import { Endpoint, type EndpointConfig, endpointKey } from "./endpoint.ts";
import { OutlierDetector } from "./outlier.ts";
import { ClusterPool } from "./pool.ts";
import { createPriorityBalancer } from "./priorities.ts";

export interface ClusterIo {
  readonly stats: Stats;
  readonly timers: Timers;
  readonly now: () => number;
  readonly random: () => number;
}

/** One upstream service: its endpoints, their balancer and their connections. Survives updates of its config and of its endpoints. */
export class Cluster {
  config: ClusterConfig;
  readonly stats: ClusterStats;
  readonly timers: Timers;
  readonly pool: ClusterPool;
  activeRequests = 0;
  activeRetries = 0;
  removed = false;
  /** Whether endpoints are known, be it none. Until then requests would be refused for no reason. */
  warm = false;
  private readonly io: ClusterIo;
  private endpoints = new Map<string, Endpoint>();
  private balancer: Balancer = { pick: () => undefined };
  private readonly tables = new HashTables();
  private detector: OutlierDetector | undefined = undefined;

  constructor(config: ClusterConfig, io: ClusterIo) {
    this.config = config;
    this.io = io;
    this.timers = io.timers;
    this.stats = new ClusterStats(io.stats, config.statName);
    this.pool = new ClusterPool(this);
    this.startDetector();
  }

  /** New settings; connections stay. */
  reconfigure(config: ClusterConfig): void {
    const outlierChanged = JSON.stringify(config.outlier) !== JSON.stringify(this.config.outlier);
    const { tls } = this.config;
    // The very same settings keep their identity: a connection made by others is not used again.
    this.config = tls !== undefined && tls.key === config.tls?.key ? { ...config, tls } : config;
    if (this.config.tls !== tls) for (const endpoint of this.endpoints.values()) this.pool.drain(endpoint);
    if (outlierChanged) this.startDetector();
    this.rebalance();
  }

  /** Endpoints whose address stays keep their connections and their history. */
  setEndpoints(configs: readonly EndpointConfig[]): void {
    const next = new Map<string, Endpoint>();
    for (const config of configs) {
      const key = endpointKey(config);
      const endpoint = this.endpoints.get(key) ?? new Endpoint(config);
      endpoint.config = config;
      next.set(key, endpoint);
    }
    const gone = [...this.endpoints].filter(([key]) => !next.has(key)).map(([, endpoint]) => endpoint);
    this.endpoints = next;
    this.warm = true;
    this.stats.membershipChange.inc();
    this.rebalance();
    for (const endpoint of gone) {
      endpoint.removed = true;
      this.pool.drain(endpoint);
    }
    this.pool.sweep();
  }

  /** Whether picks go by {@link PickContext.hash}. */
  get usesHash(): boolean {
    return usesHash(this.config.balancer);
  }

  get allEndpoints(): readonly Endpoint[] {
    return [...this.endpoints.values()];
  }

  /** An endpoint for one attempt; hosts to avoid are given up after as many picks as the context allows. */
  pick(context: PickContext = anyHost): Endpoint | undefined {
    let picked = this.balancer.pick(context);
    const { avoid, attempts } = context;
    if (avoid === undefined) return picked;
    for (let i = 1; i <= attempts && picked !== undefined && avoid.has(picked); i++)
      picked = this.balancer.pick(context, i);
    return picked;
  }

  /** What a request that came by `downstream` goes on in. */
  protocolFor(downstream: Protocol): UpstreamProtocol {
    const { protocol } = this.config;
    if (protocol !== "downstream") return protocol;
    return downstream === "HTTP/2" ? "http2" : "http1";
  }

  onResponse(endpoint: Endpoint, status: number): void {
    if (status >= 500) endpoint.totals.errors++;
    else endpoint.totals.successes++;
    this.detector?.onResponse(endpoint, status);
  }

  onLocalFailure(endpoint: Endpoint): void {
    endpoint.totals.errors++;
    this.detector?.onLocalFailure(endpoint);
  }

  onLocalSuccess(endpoint: Endpoint): void {
    this.detector?.onLocalSuccess(endpoint);
  }

  /** No new requests come; idle connections close now, busy ones with their request. */
  remove(): void {
    this.removed = true;
    this.detector?.close();
    for (const endpoint of this.endpoints.values()) this.pool.drain(endpoint);
  }

  /** Breaks everything off. */
  destroy(): void {
    this.remove();
    this.pool.close("shutdown");
  }

  private startDetector(): void {
    this.detector?.close();
    this.detector = undefined;
    for (const endpoint of this.endpoints.values()) endpoint.outlier.ejectedAt = undefined;
    if (this.config.outlier === undefined) return;
    this.detector = new OutlierDetector(
      this.config.outlier,
      () => this.allEndpoints,
      () => this.rebalance(),
      { stats: this.io.stats, prefix: this.stats.prefix, now: this.io.now, random: this.io.random },
    );
  }

  private rebalance(): void {
    const endpoints = this.allEndpoints;
    const { balancer, panicThreshold } = this.config;
    this.balancer = createPriorityBalancer(endpoints, balancer, panicThreshold, this.io.random, this.tables);
    this.stats.membershipTotal.set(endpoints.length);
    this.stats.membershipHealthy.set(endpoints.filter((endpoint) => endpoint.available).length);
  }
}
