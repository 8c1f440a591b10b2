import type { Stats } from "../stats.ts";
import type { Endpoint } from "./endpoint.ts";
import { HealthFlag } from "./health-flags.ts";
import type { Ejection, OutlierConfig } from "./outlier-config.ts";
import { closeInterval, failurePercentages, type RateSummary, successRates, unknownRates } from "./success-rates.ts";

/** What the detector of a cluster has of it. */
export interface OutlierIo {
  readonly stats: Stats;
  /** Of the cluster's stats. */
  readonly prefix: string;
  readonly now: () => number;
  readonly random: () => number;
}

/**
 * Passive health checking: counts what each endpoint does and takes bad ones out for a while.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier
 */
export class OutlierDetector {
  readonly config: OutlierConfig;
  /** Of the last interval, for the admin's page. */
  external: RateSummary = unknownRates;
  local: RateSummary = unknownRates;
  private readonly endpoints: () => readonly Endpoint[];
  private readonly changed: () => void;
  private readonly io: OutlierIo;
  private readonly prefix: string;
  private readonly timer: NodeJS.Timeout;

  /** @param changed called when an endpoint was ejected or came back */
  constructor(config: OutlierConfig, endpoints: () => readonly Endpoint[], changed: () => void, io: OutlierIo) {
    this.config = config;
    this.endpoints = endpoints;
    this.changed = changed;
    this.io = io;
    this.prefix = `${io.prefix}outlier_detection.`;
    this.timer = setInterval(() => this.sweep(), config.intervalMs).unref();
    io.stats.gauge(`${this.prefix}ejections_active`);
  }

  close(): void {
    clearInterval(this.timer);
  }

  onResponse(endpoint: Endpoint, status: number): void {
    const { config } = this;
    const { outlier } = endpoint;
    outlier.external.total++;
    if (status < 500) {
      outlier.external.success++;
      outlier.consecutive5xx = 0;
      outlier.consecutiveGateway = 0;
      return;
    }
    if (status < 502 || status > 504) outlier.consecutiveGateway = 0;
    else if (++outlier.consecutiveGateway === config.consecutiveGateway) {
      if (this.onConsecutive(endpoint, "consecutive_gateway_failure")) outlier.consecutiveGateway = 0;
    }
    if (++outlier.consecutive5xx === config.consecutive5xx) {
      if (this.onConsecutive(endpoint, "consecutive_5xx")) outlier.consecutive5xx = 0;
    }
  }

  /** The connection to the endpoint could not be made, broke or timed out. */
  onLocalFailure(endpoint: Endpoint): void {
    const { config } = this;
    const { outlier } = endpoint;
    if (!config.splitLocalOrigin) {
      // Without the split a local failure counts as the 503 or 504 it becomes.
      this.onResponse(endpoint, 503);
      return;
    }
    outlier.local.total++;
    if (++outlier.consecutiveLocal === config.consecutiveLocal) {
      if (this.onConsecutive(endpoint, "consecutive_local_origin_failure")) outlier.consecutiveLocal = 0;
    }
  }

  /** A connection to the endpoint could be had. */
  onLocalSuccess({ outlier }: Endpoint): void {
    if (!this.config.splitLocalOrigin) return;
    outlier.local.total++;
    outlier.local.success++;
    outlier.consecutiveLocal = 0;
  }

  /** An active check has passed: whoever is well again need not wait. */
  onCheckPassed(endpoint: Endpoint): void {
    if (!this.config.checkUnejects || !isEjected(endpoint)) return;
    if (endpoint.health.has(HealthFlag.failedActiveCheck)) return;
    this.uneject(endpoint);
    this.publish();
  }

  /** Un-ejects whose time is over and judges rates. Run every interval; public so that a test can drive it. */
  sweep(): void {
    const { config, io } = this;
    const now = io.now();
    let changed = false;
    const all = this.endpoints();
    for (const endpoint of all) {
      if (isEjected(endpoint) && this.isOver(endpoint, now)) {
        this.uneject(endpoint);
        changed = true;
      }
    }
    if (changed) this.publish();
    const intervals = all.map((endpoint) => ({ endpoint, ...closeInterval(endpoint.outlier) }));
    const judged = intervals.filter(({ endpoint }) => !isEjected(endpoint));
    this.external = successRates(config, judged, "external", (it) => this.detect(it, "success_rate"));
    failurePercentages(config, judged, "external", (it) => this.detect(it, "failure_percentage"));
    this.local = successRates(config, judged, "local", (it) => this.detect(it, "local_origin_success_rate"));
    failurePercentages(config, judged, "local", (it) => this.detect(it, "local_origin_failure_percentage"));
    for (const endpoint of all) if (!isEjected(endpoint)) this.calmDown(endpoint, now);
  }

  private isOver({ outlier }: Endpoint, now: number): boolean {
    const { baseEjectionMs, maxEjectionMs } = this.config;
    return now - outlier.ejectedAt >= Math.min(maxEjectionMs, baseEjectionMs * outlier.backOff) + outlier.jitterMs;
  }

  /** Who has been well for a whole interval is ejected for less long the next time. */
  private calmDown({ outlier }: Endpoint, now: number): void {
    const { unejectedAt } = outlier;
    if (unejectedAt === undefined || now - unejectedAt < this.config.intervalMs) return;
    if (outlier.backOff > 0) outlier.backOff--;
  }

  /** @returns whether the count begins anew */
  private onConsecutive(endpoint: Endpoint, kind: Ejection): boolean {
    if (isEjected(endpoint)) return false;
    this.detect(endpoint, kind);
    return true;
  }

  private detect(endpoint: Endpoint, kind: Ejection): void {
    const { stats, random } = this.io;
    stats.counter(`${this.prefix}ejections_detected_${kind}`).inc();
    // What comes first takes a host out; the criteria after it have nothing left to take.
    if (isEjected(endpoint)) return;
    if (!this.mayEject()) {
      stats.counter(`${this.prefix}ejections_overflow`).inc();
      return;
    }
    if (random() * 100 >= this.config.enforcing[kind]) return;
    stats.counter(`${this.prefix}ejections_enforced_${kind}`).inc();
    stats.counter(`${this.prefix}ejections_enforced_total`).inc();
    this.eject(endpoint);
    this.publish();
  }

  private mayEject(): boolean {
    const all = this.endpoints();
    const active = all.filter(isEjected).length;
    const { maxEjectionPercent, alwaysEjectOne } = this.config;
    return (100 * (active + 1)) / all.length <= maxEjectionPercent || (alwaysEjectOne && active === 0);
  }

  private eject({ health, outlier }: Endpoint): void {
    const { baseEjectionMs, maxEjectionMs, ejectionJitterMs } = this.config;
    health.set(HealthFlag.failedOutlierCheck);
    outlier.ejectedAt = this.io.now();
    outlier.jitterMs = Math.floor(this.io.random() * (ejectionJitterMs + 1));
    if (outlier.backOff * baseEjectionMs < maxEjectionMs + baseEjectionMs) outlier.backOff++;
  }

  private uneject({ health, outlier }: Endpoint): void {
    health.clear(HealthFlag.failedOutlierCheck);
    // Counts that were close to their limit would eject it again at the first error.
    outlier.consecutive5xx = 0;
    outlier.consecutiveGateway = 0;
    outlier.consecutiveLocal = 0;
    outlier.unejectedAt = this.io.now();
  }

  private publish(): void {
    this.io.stats.gauge(`${this.prefix}ejections_active`).set(this.endpoints().filter(isEjected).length);
    this.changed();
  }
}

const isEjected = ({ health }: Endpoint): boolean => health.has(HealthFlag.failedOutlierCheck);
