import type { Timers } from "../../lib/timers.ts";
import type { Protocol } from "../http/stream.ts";
import type { Stats } from "../stats.ts";
import { hostPort } from "../text/host-port.ts";
import { anyHost, type PickContext } from "./balancer.ts";
import { usesHash } from "./balancer-config.ts";
import { HashTables } from "./balancer-hash.ts";
import { ClusterBalancer } from "./cluster-balancer.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import { ClusterStats } from "./cluster-stats.ts";
import type { UpstreamProtocol } from "./connector.ts";
import type { DnsCaches } from "./dns-cache.ts";
import { Endpoint, type EndpointConfig, endpointKey } from "./endpoint.ts";
import { ForwardProxy } from "./forward-proxy.ts";
import type { EventIo } from "./health/check-events.ts";
import { HealthChecker } from "./health/health-checker.ts";
import { HealthFlag } from "./health-flags.ts";
import type { FoundHosts, HostFinder } from "./host-finder.ts";
import { OriginalDestination } from "./original-destination.ts";
import { OutlierDetector } from "./outlier.ts";
import { ClusterPool } from "./pool.ts";
import { defaultPriorityPolicy, type PriorityLoad, type PriorityPolicy } from "./priority-load.ts";
import { keepIdentity, type Transports } from "./transport.ts";

export interface ClusterIo {
  readonly stats: Stats;
  readonly timers: Timers;
  readonly now: () => number;
  readonly random: () => number;
  readonly dnsCaches: DnsCaches;
  /** Who is told of health checks; absent: nobody. */
  readonly checkEvents?: EventIo | undefined;
  /** Nothing is called: no name is resolved and no host checked, as in a process that only reads configuration. */
  readonly idle?: boolean | undefined;
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
  /** Which share of requests is answered and goes no further, between 0 and 1. */
  dropped = 0;
  /** Whether endpoints are known, be it none. Until then requests would be refused for no reason. */
  warm = false;
  private readonly io: ClusterIo;
  private endpoints = new Map<string, Endpoint>();
  private addresses: ReadonlyMap<string, Endpoint> | undefined = undefined;
  private readonly tables = new HashTables();
  private policy: PriorityPolicy = defaultPriorityPolicy;
  private balancer: ClusterBalancer;
  private detector: OutlierDetector | undefined = undefined;
  private checker: HealthChecker | undefined = undefined;
  /** Of clusters that have no hosts before somebody calls one; undefined: hosts are picked. */
  finder: HostFinder | undefined = undefined;
  private readonly warmed: () => void;

  /** @param warmed called when its hosts have been checked for the first time */
  constructor(config: ClusterConfig, io: ClusterIo, warmed: () => void = () => {}) {
    this.config = config;
    this.io = io;
    this.warmed = warmed;
    this.timers = io.timers;
    this.stats = new ClusterStats(io.stats, config.statName);
    this.pool = new ClusterPool(this);
    this.balancer = this.newBalancer();
    this.startDetector();
    this.startChecker();
    this.startFinder();
  }

  /** New settings; connections stay. */
  reconfigure(config: ClusterConfig): void {
    const before = this.config;
    this.config = keepIdentity(before, config);
    if (connectsOtherwise(before, this.config)) {
      for (const endpoint of this.endpoints.values()) this.pool.drain(endpoint);
    }
    if (JSON.stringify(config.outlier) !== JSON.stringify(before.outlier)) this.startDetector();
    if (config.healthCheck?.key !== before.healthCheck?.key) this.startChecker();
    if (finds(config) !== finds(before)) this.startFinder();
    this.rebalance();
  }

  /** Endpoints whose address stays keep their connections and their history. */
  setEndpoints(configs: readonly EndpointConfig[], policy: PriorityPolicy = defaultPriorityPolicy, dropped = 0): void {
    this.dropped = dropped;
    const next = new Map<string, Endpoint>();
    for (const config of configs) {
      const key = endpointKey(config);
      const known = this.endpoints.get(key);
      known?.update(config);
      known?.health.clear(HealthFlag.pendingRemoval);
      next.set(key, known ?? this.newEndpoint(config));
    }
    for (const [key, endpoint] of this.endpoints) if (!next.has(key) && this.keeps(endpoint)) next.set(key, endpoint);
    const gone = [...this.endpoints].filter(([key]) => !next.has(key)).map(([, endpoint]) => endpoint);
    this.endpoints = next;
    this.policy = policy;
    this.checker?.follow(this.allEndpoints);
    this.warm ||= this.checker === undefined || this.checker.knowsAll;
    this.addresses = undefined;
    this.stats.membershipChange.inc();
    this.rebalance();
    this.dismiss(gone);
  }

  /** Whether picks go by {@link PickContext.hash}. */
  get usesHash(): boolean {
    return usesHash(this.config.balancing.balancer);
  }

  /** Whether picks go by {@link PickContext.criteria}. */
  get split(): boolean {
    return this.balancer.subsets !== undefined;
  }

  /** How many endpoints there are, whatever their health. */
  get size(): number {
    return this.endpoints.size;
  }

  get allEndpoints(): readonly Endpoint[] {
    return [...this.endpoints.values()];
  }

  /** An endpoint for one attempt; hosts to avoid are given up after as many picks as the context allows. */
  pick(context: PickContext = anyHost): Endpoint | undefined {
    // Its hosts are others' destinations.
    if (this.finder !== undefined) return undefined;
    const { avoid, attempts, override } = context;
    if (override !== undefined) {
      const endpoint = this.byAddress.get(override.address);
      // As `override_host_status` has it by default: degraded is well enough for a session.
      if (endpoint && (endpoint.health.healthy || endpoint.health.degraded)) return endpoint;
      if (override.strict) return undefined;
    }
    const { picker } = this.balancer;
    let picked = picker.pick(context);
    if (avoid === undefined) return picked;
    for (let i = 1; i <= attempts && picked !== undefined && avoid(picked); i++) picked = picker.pick(context, i);
    return picked;
  }

  /** Whether one more retry may be in flight. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/circuit_breaker.proto#config-cluster-v3-circuitbreakers-thresholds-retrybudget */
  get mayRetry(): boolean {
    const { retryBudget: budget, maxRetries } = this.config;
    if (budget === undefined) return this.activeRetries < maxRetries;
    const share = (budget.percent / 100) * (this.activeRequests + this.pool.pending);
    return this.activeRetries < Math.max(Math.floor(share), budget.least);
  }

  /** The load of priorities when some are not to be tried again; `priorities` is emptied when that leaves none. */
  loadWithout(priorities: Set<number>): PriorityLoad {
    return this.balancer.whole.loadWithout(priorities);
  }

  /** What a request that came by `downstream` goes on in. */
  protocolFor(downstream: Protocol): UpstreamProtocol {
    const { protocol } = this.config;
    if (protocol !== "downstream") return protocol;
    return downstream === "HTTP/2" ? "http2" : "http1";
  }

  /** @param headers absent: nobody looks into them */
  onResponse(endpoint: Endpoint, status: number, headers: readonly string[] = []): void {
    if (status >= 500) endpoint.totals.errors++;
    else endpoint.totals.successes++;
    if (this.detector === undefined) return;
    const { errors } = this.detector.config;
    const isError = errors?.test(status, headers) ?? status >= 500;
    // Others than 5xx count as some 5xx, and a 5xx that is no error as a success.
    this.detector.onResponse(endpoint, isError ? Math.max(500, status) : Math.min(499, status));
  }

  onLocalFailure(endpoint: Endpoint): void {
    endpoint.totals.errors++;
    this.detector?.onLocalFailure(endpoint);
  }

  onLocalSuccess(endpoint: Endpoint): void {
    this.detector?.onLocalSuccess(endpoint);
  }

  /** A response says of its endpoint that it is failing. */
  failAtOnce(endpoint: Endpoint): void {
    this.checker?.failAtOnce(endpoint);
  }

  /** Whether responses are looked at for what they say of their endpoint. */
  get checks(): boolean {
    return this.checker !== undefined;
  }

  /** How the last interval went; undefined: nobody judges. */
  get outlier(): Pick<OutlierDetector, "external" | "local"> | undefined {
    return this.detector;
  }

  /** No new requests come; idle connections close now, busy ones with their request. */
  remove(): void {
    this.removed = true;
    this.detector?.close();
    this.checker?.close();
    this.finder?.close();
    for (const endpoint of this.endpoints.values()) this.pool.drain(endpoint);
  }

  /** Breaks everything off. */
  destroy(): void {
    this.remove();
    this.pool.close("shutdown");
  }

  private newEndpoint(config: EndpointConfig): Endpoint {
    const endpoint = new Endpoint(config);
    endpoint.healthySince = this.io.now();
    if (this.checker === undefined || config.check?.disabled === true) return endpoint;
    endpoint.health.set(HealthFlag.failedActiveCheck);
    if (this.config.awaitsChecks) endpoint.health.set(HealthFlag.pendingActiveCheck);
    return endpoint;
  }

  /** Where hosts are checked, one that discovery has lost and that is well is not given up. */
  private keeps({ health, config }: Endpoint): boolean {
    const { discovery, dropsHealthyHosts } = this.config;
    if (this.checker === undefined || dropsHealthyHosts || discovery === "static") return false;
    if (config.check?.disabled === true) return false;
    if (health.has(HealthFlag.failedActiveCheck | HealthFlag.failedEdsHealth | HealthFlag.edsDraining)) return false;
    health.set(HealthFlag.pendingRemoval);
    return true;
  }

  private dismiss(gone: readonly Endpoint[]): void {
    for (const endpoint of gone) {
      endpoint.removed = true;
      this.pool.drain(endpoint);
    }
    this.pool.sweep();
  }

  /** Made with the first request that asks for a host. */
  private get byAddress(): ReadonlyMap<string, Endpoint> {
    this.addresses ??= new Map(
      this.allEndpoints.map((endpoint) => [hostPort(endpoint.config.address, endpoint.config.port), endpoint] as const),
    );
    return this.addresses;
  }

  private startDetector(): void {
    this.detector?.close();
    this.detector = undefined;
    for (const endpoint of this.endpoints.values()) endpoint.health.clear(HealthFlag.failedOutlierCheck);
    if (this.config.outlier === undefined || this.io.idle === true) return;
    this.detector = new OutlierDetector(
      this.config.outlier,
      () => this.allEndpoints,
      () => this.rebalance(),
      { stats: this.io.stats, prefix: this.stats.prefix, now: this.io.now, random: this.io.random },
    );
  }

  /** Hosts that are known keep what is known of them until a check says otherwise. */
  private startChecker(): void {
    const { config, io, stats } = this;
    this.checker?.close();
    this.checker = undefined;
    if (config.healthCheck === undefined || io.idle === true) {
      for (const endpoint of this.endpoints.values()) endpoint.health.forgetChecks();
      return;
    }
    this.checker = new HealthChecker(config.healthCheck, {
      stats: io.stats,
      prefix: stats.prefix,
      timers: io.timers,
      now: io.now,
      random: io.random,
      events: io.checkEvents,
      config: () => this.config,
      hasTraffic: () => stats.cxTotal.value > 0,
      onChecked: (endpoint, passed, changed) => this.onChecked(endpoint, passed, changed),
    });
    this.checker.follow(this.allEndpoints);
  }

  private startFinder(): void {
    const { config, io, stats } = this;
    this.finder?.close();
    this.finder = undefined;
    const byKey = new Map<string, Endpoint>();
    const hosts: FoundHosts = {
      publish: (found) => {
        this.setEndpoints([...found]);
        byKey.clear();
        for (const endpoint of this.endpoints.values()) byKey.set(endpoint.config.key ?? "", endpoint);
      },
      endpoint: (key) => byKey.get(key),
    };
    if (io.idle === true) return;
    if (config.dnsCache !== undefined) {
      this.finder = new ForwardProxy(io.dnsCaches.get(config.dnsCache), hosts, config.tls === undefined ? 80 : 443);
    } else if (config.originalDestination !== undefined) {
      this.finder = new OriginalDestination(config.originalDestination, hosts, io.stats, stats.prefix);
    } else return;
    hosts.publish([]);
  }

  private onChecked(endpoint: Endpoint, passed: boolean, changed: boolean): void {
    if (passed) this.detector?.onCheckPassed(endpoint);
    const { health } = endpoint;
    if (health.has(HealthFlag.pendingRemoval) && health.has(HealthFlag.failedActiveCheck)) {
      this.endpoints.delete(endpointKey(endpoint.config));
      this.checker?.follow(this.allEndpoints);
      this.stats.membershipChange.inc();
      this.rebalance();
      this.dismiss([endpoint]);
    } else if (changed) this.rebalance();
    if (this.warm || this.checker?.knowsAll !== true) return;
    this.warm = true;
    this.warmed();
  }

  private rebalance(): void {
    this.balancer = this.newBalancer(this.balancer);
    const count = (test: (endpoint: Endpoint) => boolean) => this.allEndpoints.filter(test).length;
    this.stats.membershipTotal.set(this.endpoints.size);
    this.stats.membershipHealthy.set(count(({ health }) => health.healthy));
    this.stats.membershipDegraded.set(count(({ health }) => health.degraded));
    this.stats.membershipExcluded.set(count(({ health }) => health.excluded));
  }

  private newBalancer(before?: ClusterBalancer): ClusterBalancer {
    const { config, policy, tables, stats, io } = this;
    return new ClusterBalancer(this.allEndpoints, { config, policy, tables, stats, io }, before);
  }
}

/** What a cluster's finder depends on. */
const finds = ({ dnsCache, originalDestination, tls }: ClusterConfig): string =>
  JSON.stringify([dnsCache?.key, originalDestination, tls === undefined]);

/** Whether connections that are there would be made in another way now. */
function connectsOtherwise(before: Transports, now: Transports): boolean {
  const all = ({ tls, proxyProtocol, transportMatches }: Transports) =>
    [{ match: undefined, tls, proxyProtocol }, ...transportMatches].map((it) => [
      it.match,
      it.tls?.key,
      it.proxyProtocol,
    ]);
  return JSON.stringify(all(before)) !== JSON.stringify(all(now));
}
