import { WheelTimer } from "../../../lib/timer-wheel.ts";
import type { PickContext } from "../../cluster/balancer.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Endpoint } from "../../cluster/endpoint.ts";
import type { PriorityLoad } from "../../cluster/priority-load.ts";
import { ResponseFlag } from "../../record.ts";
import type { Exchange } from "../../request/exchange.ts";
import {
  backOffMs,
  type CompiledRetryPolicy,
  type ResetReason,
  resetMs,
  retriesReset,
  retriesResponse,
} from "../../route/retry-policy.ts";
import type { RouteStats } from "../../route/route-stats.ts";

/** Whether, when and where one request is tried again. */
export class RetryState {
  /** How often it was. */
  retries = 0;
  private readonly policy: CompiledRetryPolicy;
  private readonly cluster: Cluster;
  private readonly exchange: Exchange;
  private readonly again: () => void;
  private readonly routeStats: RouteStats | undefined;
  private left: number;
  /** Counted within the cluster's circuit breaker. */
  private counted = false;
  private backOff: WheelTimer | undefined = undefined;
  private readonly hosts = new Set<Endpoint>();
  private attempts = 0;
  private readonly priorities = new Set<number>();
  private load: PriorityLoad | undefined = undefined;

  /** @param again begins the next attempt; `routeStats` of a route that has some */
  constructor(
    policy: CompiledRetryPolicy,
    cluster: Cluster,
    exchange: Exchange,
    again: () => void,
    routeStats?: RouteStats,
  ) {
    this.routeStats = routeStats;
    this.policy = policy;
    this.cluster = cluster;
    this.exchange = exchange;
    this.again = again;
    this.left = policy.numRetries;
  }

  /** Whether the next attempt is only waited for. */
  get pending(): boolean {
    return this.backOff?.armed === true;
  }

  wouldRetry(status: number, headers: readonly string[]): boolean {
    return retriesResponse(this.policy, status, headers);
  }

  wouldRetryReset(reason: ResetReason, sent: boolean): boolean {
    return retriesReset(this.policy, reason, sent);
  }

  /** Where the next attempt may go. */
  context(base: PickContext): PickContext {
    if (this.attempts === 0) return base;
    const { avoid, hostSelectionAttempts: attempts, priorityUpdateEvery: every } = this.policy;
    if (every > 0 && this.attempts >= every && this.attempts % every === 0) {
      for (const { config } of this.hosts) this.priorities.add(config.priority);
      this.load = this.cluster.loadWithout(this.priorities);
      // All were tried: it begins anew.
      if (this.priorities.size === 0) this.forgetAttempts();
    }
    const avoids = avoid.previous || avoid.canaries || avoid.metadata !== undefined;
    if (!avoids && this.load === undefined) return base;
    const avoided = avoids ? (host: Endpoint) => this.avoids(host) : undefined;
    return { ...base, avoid: avoided, attempts, load: this.load };
  }

  onPicked(endpoint: Endpoint): void {
    this.attempts++;
    this.hosts.add(endpoint);
  }

  /** @param headers of the response that is not good enough, if there is one. @returns whether another attempt is under way */
  tryAgain(headers: readonly string[] | undefined): boolean {
    const { cluster, exchange } = this;
    if (this.left === 0) {
      cluster.stats.rqRetryLimitExceeded.inc();
      this.routeStats?.rqRetryLimitExceeded.inc();
      exchange.record.responseFlags |= ResponseFlag.upstreamRetryLimitExceeded;
      return false;
    }
    this.left--;
    this.release();
    if (!cluster.mayRetry) {
      cluster.stats.rqRetryOverflow.inc();
      this.routeStats?.rqRetryOverflow.inc();
      exchange.record.responseFlags |= ResponseFlag.upstreamOverflow;
      return false;
    }
    this.counted = true;
    cluster.activeRetries++;
    this.retries++;
    cluster.stats.rqRetry.inc();
    this.routeStats?.rqRetry.inc();
    this.backOff ??= new WheelTimer(this.again);
    exchange.manager.timers.arm(this.backOff, this.waitMs(headers));
    return true;
  }

  close(): void {
    this.backOff?.cancel();
    this.release();
  }

  private waitMs(headers: readonly string[] | undefined): number {
    const { policy, cluster, exchange } = this;
    const { random, wall } = exchange.manager;
    const asked = headers === undefined ? undefined : resetMs(policy, headers, wall.at(performance.now()));
    if (asked === undefined) {
      cluster.stats.rqRetryBackOffExponential.inc();
      return backOffMs(policy, this.retries, random);
    }
    cluster.stats.rqRetryBackOffRateLimited.inc();
    // So that those who were turned away together don't come back together.
    return asked + random() * (asked / 2);
  }

  private avoids(host: Endpoint): boolean {
    const { previous, canaries, metadata } = this.policy.avoid;
    if (previous && this.hosts.has(host)) return true;
    if (canaries && host.canary) return true;
    return metadata !== undefined && hasAll(host.config.metadata?.["envoy.lb"], metadata);
  }

  private forgetAttempts(): void {
    this.attempts = 0;
    if (!this.policy.avoid.previous) this.hosts.clear();
  }

  private release(): void {
    if (!this.counted) return;
    this.counted = false;
    this.cluster.activeRetries--;
  }
}

/** A list among the values is any of its members. */
function hasAll(
  values: Readonly<Record<string, unknown>> | undefined,
  wanted: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => {
    const own = values?.[key];
    if (Array.isArray(own)) return own.some((it) => same(it, value));
    return own !== undefined && same(own, value);
  });
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
