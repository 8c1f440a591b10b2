import { WheelTimer } from "../../../lib/timer-wheel.ts";
import type { Timers } from "../../../lib/timers.ts";
import type { Endpoint } from "../endpoint.ts";
import { HealthFlag } from "../health-flags.ts";
import type { HealthCheckConfig } from "./check-config.ts";
import type { CheckEvents } from "./check-events.ts";
import type { CheckStats } from "./check-stats.ts";

/** How one check went. `network`: the host could not be asked; `retriable`: it only counts towards the threshold. */
export type CheckResult = { readonly passed: true; readonly degraded: boolean } | FailedCheck;

export interface FailedCheck {
  readonly passed: false;
  readonly failure: CheckFailure;
  readonly retriable: boolean;
  /** Of HTTP, where the host has answered. */
  readonly status?: number;
}

export type CheckFailure = "active" | "network" | "timeout" | "passive";

/** Asks one host once, and again whenever it is told to. Calls back exactly once per `start` unless it is stopped. */
export interface Prober {
  start(): void;
  /** Gives the question under way up. */
  abort(): void;
  close(): void;
}

export interface SessionIo {
  readonly timers: Timers;
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly stats: CheckStats;
  /** Undefined: nobody wants to hear of it. */
  readonly events: CheckEvents | undefined;
  /** Whether anybody has used the cluster yet. */
  hasTraffic(): boolean;
  /** @param changed whether the host's flags are other ones now */
  onChecked(endpoint: Endpoint, passed: boolean, changed: boolean): void;
}

type Transition = "none" | "pending" | "changed";

/**
 * The checks of one host: what comes of a result, and when the next one is due.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/health_checking
 */
export class CheckSession {
  readonly endpoint: Endpoint;
  /** Nothing is known of the host yet. */
  first = true;
  private readonly config: HealthCheckConfig;
  private readonly io: SessionIo;
  private readonly prober: Prober;
  private readonly interval = new WheelTimer(() => this.begin());
  private readonly timeout = new WheelTimer(() => this.onTimeout());
  private passes = 0;
  private failures = 0;
  private closed = false;

  constructor(
    endpoint: Endpoint,
    config: HealthCheckConfig,
    io: SessionIo,
    prober: (done: (result: CheckResult) => void) => Prober,
  ) {
    this.endpoint = endpoint;
    this.config = config;
    this.io = io;
    this.prober = prober((result) => this.onResult(result));
    if (!endpoint.health.has(HealthFlag.failedActiveCheck)) io.stats.healthy.add(1);
    if (endpoint.health.has(HealthFlag.degradedActiveCheck)) io.stats.degraded.add(1);
  }

  start(): void {
    const { initialJitterMs } = this.config.intervals;
    if (initialJitterMs === 0) this.begin();
    else this.io.timers.arm(this.interval, this.withJitter(0, initialJitterMs));
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.interval.cancel();
    this.timeout.cancel();
    this.prober.close();
    const { health } = this.endpoint;
    if (!health.has(HealthFlag.failedActiveCheck)) this.io.stats.healthy.add(-1);
    if (health.has(HealthFlag.degradedActiveCheck)) this.io.stats.degraded.add(-1);
  }

  /** The host says of itself, with a response, that it is failing. */
  failAtOnce(): void {
    this.endpoint.health.set(HealthFlag.excludedAtOnce);
    this.fail({ passed: false, failure: "passive", retriable: false });
  }

  /** Public for the prober's sake, and so that a test can drive it. */
  onResult(result: CheckResult): void {
    if (this.closed) return;
    this.timeout.cancel();
    const transition = result.passed ? this.pass(result.degraded) : this.fail(result);
    if (!this.closed) this.io.timers.arm(this.interval, this.nextMs(result.passed, transition));
  }

  /** @returns ms until the next check */
  nextMs(passed: boolean, transition: Transition): number {
    const { intervals } = this.config;
    if (!this.io.hasTraffic()) {
      const ms = passed && transition !== "pending" ? intervals.noTrafficHealthyMs : intervals.noTrafficMs;
      return this.withJitter(ms, intervals.jitterMs);
    }
    const [edge, settled] = passed
      ? [intervals.healthyEdgeMs, intervals.normalMs]
      : [intervals.unhealthyEdgeMs, intervals.unhealthyMs];
    return this.withJitter(transition === "pending" ? edge : settled, intervals.jitterMs);
  }

  private begin(): void {
    this.io.timers.arm(this.timeout, this.config.timeoutMs);
    this.io.stats.attempt.inc();
    this.prober.start();
  }

  private onTimeout(): void {
    this.prober.abort();
    this.onResult({ passed: false, failure: "timeout", retriable: false });
  }

  private pass(degraded: boolean): Transition {
    const { health } = this.endpoint;
    const { stats, events } = this.io;
    this.failures = 0;
    let added = false;
    let transition: Transition = "none";
    if (health.has(HealthFlag.failedActiveCheck)) {
      // The first result counts at once, so that a proxy is soon ready.
      if (this.first || ++this.passes === this.config.healthyThreshold) {
        health.clear(HealthFlag.activeCheckTimeout | HealthFlag.excludedAtOnce | HealthFlag.failedActiveCheck);
        stats.healthy.add(1);
        transition = "changed";
        added = true;
        events?.added(this.endpoint, this.first);
      } else transition = "pending";
      this.endpoint.healthySince = this.io.now();
    }
    transition = this.noLongerPending(transition);
    if (degraded !== health.has(HealthFlag.degradedActiveCheck)) {
      if (degraded) health.set(HealthFlag.degradedActiveCheck);
      else health.clear(HealthFlag.degradedActiveCheck);
      stats.degraded.add(degraded ? 1 : -1);
      events?.degraded(this.endpoint, degraded);
      if (transition === "none") transition = "changed";
    }
    if (!added) events?.succeeded(this.endpoint);
    stats.success.inc();
    this.first = false;
    this.io.onChecked(this.endpoint, true, transition === "changed");
    return transition;
  }

  private fail(result: FailedCheck): Transition {
    const { failure, retriable } = result;
    const { health } = this.endpoint;
    const { stats, events } = this.io;
    const network = failure === "network" || failure === "timeout";
    this.passes = 0;
    let transition: Transition = "none";
    if (!health.has(HealthFlag.failedActiveCheck)) {
      // Who answers, and answers that it is not well, is taken at its word.
      if ((!network && !retriable) || ++this.failures === this.config.unhealthyThreshold) {
        health.set(HealthFlag.failedActiveCheck);
        stats.healthy.add(-1);
        transition = "changed";
        events?.ejected(this.endpoint, result);
      } else transition = "pending";
    }
    if (failure === "timeout" && health.has(HealthFlag.failedActiveCheck)) health.set(HealthFlag.activeCheckTimeout);
    else health.clear(HealthFlag.activeCheckTimeout);
    transition = this.noLongerPending(transition);
    events?.failed(this.endpoint, result, this.first);
    stats.failure.inc();
    if (network) stats.networkFailure.inc();
    else if (failure === "passive") stats.passiveFailure.inc();
    this.first = false;
    this.io.onChecked(this.endpoint, false, transition === "changed");
    return transition;
  }

  private noLongerPending(transition: Transition): Transition {
    const { health } = this.endpoint;
    if (!health.has(HealthFlag.pendingActiveCheck)) return transition;
    health.clear(HealthFlag.pendingActiveCheck);
    return "changed";
  }

  private withJitter(baseMs: number, jitterMs: number): number {
    const { random } = this.io;
    const percentMs = Math.floor((this.config.intervals.jitterPercent * baseMs) / 100);
    const jitter = Math.floor(random() * percentMs) + Math.floor(random() * jitterMs);
    return Math.max(1, baseMs + jitter);
  }
}
