import type { Stats } from "../stats.ts";
import type { Endpoint } from "./endpoint.ts";
import type { OutlierConfig } from "./outlier-config.ts";

/**
 * Passive health checking: counts what each endpoint does and takes bad ones out for a while.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier
 */
export class OutlierDetector {
  private readonly config: OutlierConfig;
  private readonly endpoints: () => readonly Endpoint[];
  private readonly changed: () => void;
  private readonly now: () => number;
  private readonly random: () => number;
  private readonly stats: Stats;
  private readonly prefix: string;
  private readonly timer: NodeJS.Timeout;

  /** @param changed called when an endpoint was ejected or came back */
  constructor(
    config: OutlierConfig,
    endpoints: () => readonly Endpoint[],
    changed: () => void,
    io: { stats: Stats; prefix: string; now: () => number; random: () => number },
  ) {
    this.config = config;
    this.endpoints = endpoints;
    this.changed = changed;
    this.now = io.now;
    this.random = io.random;
    this.stats = io.stats;
    this.prefix = `${io.prefix}outlier_detection.`;
    this.timer = setInterval(() => this.sweep(), config.intervalMs).unref();
    this.stats.gauge(`${this.prefix}ejections_active`);
  }

  close(): void {
    clearInterval(this.timer);
  }

  onResponse(endpoint: Endpoint, status: number): void {
    const outlier = endpoint.outlier;
    outlier.total++;
    if (status < 500) {
      outlier.success++;
      outlier.consecutive5xx = 0;
      outlier.consecutiveGateway = 0;
      return;
    }
    this.countGateway(endpoint, status >= 502 && status <= 504);
    this.count5xx(endpoint);
  }

  /** The connection to the endpoint could not be made, broke or timed out. */
  onLocalFailure(endpoint: Endpoint): void {
    const { config } = this;
    const outlier = endpoint.outlier;
    if (!config.splitLocalOrigin) {
      // Without the split a local failure counts as the 503 it becomes.
      outlier.total++;
      this.countGateway(endpoint, true);
      this.count5xx(endpoint);
      return;
    }
    if (config.consecutiveLocal > 0 && ++outlier.consecutiveLocal === config.consecutiveLocal) {
      outlier.consecutiveLocal = 0;
      this.eject(endpoint, "consecutive_local_origin_failure", config.enforcingLocal);
    }
  }

  onLocalSuccess(endpoint: Endpoint): void {
    endpoint.outlier.consecutiveLocal = 0;
  }

  /** Un-ejects whose time is over and judges success rates. Run every interval; public so that a test can drive it. */
  sweep(): void {
    const { config } = this;
    const now = this.now();
    let changed = false;
    for (const { outlier } of this.endpoints()) {
      if (outlier.ejectedAt === undefined) {
        if (outlier.ejections > 0) outlier.ejections--;
        continue;
      }
      const ejectionMs = Math.min(config.maxEjectionMs, config.baseEjectionMs * outlier.ejections);
      if (now - outlier.ejectedAt < ejectionMs) continue;
      outlier.ejectedAt = undefined;
      outlier.consecutive5xx = 0;
      outlier.consecutiveGateway = 0;
      outlier.consecutiveLocal = 0;
      changed = true;
    }
    this.judgeSuccessRates();
    if (changed) this.publish();
  }

  private count5xx(endpoint: Endpoint): void {
    const { config } = this;
    if (config.consecutive5xx > 0 && ++endpoint.outlier.consecutive5xx === config.consecutive5xx) {
      endpoint.outlier.consecutive5xx = 0;
      this.eject(endpoint, "consecutive_5xx", config.enforcing5xx);
    }
  }

  private countGateway(endpoint: Endpoint, failure: boolean): void {
    const { config } = this;
    if (!failure) {
      endpoint.outlier.consecutiveGateway = 0;
      return;
    }
    if (config.consecutiveGateway > 0 && ++endpoint.outlier.consecutiveGateway === config.consecutiveGateway) {
      endpoint.outlier.consecutiveGateway = 0;
      this.eject(endpoint, "consecutive_gateway_failure", config.enforcingGateway);
    }
  }

  private judgeSuccessRates(): void {
    const { config } = this;
    const counted: { endpoint: Endpoint; rate: number }[] = [];
    for (const endpoint of this.endpoints()) {
      const { total, success } = endpoint.outlier;
      endpoint.outlier.total = 0;
      endpoint.outlier.success = 0;
      if (total >= config.successRateRequestVolume) counted.push({ endpoint, rate: (success / total) * 100 });
    }
    if (counted.length < config.successRateMinimumHosts || config.enforcingSuccessRate === 0) return;
    const mean = counted.reduce((sum, { rate }) => sum + rate, 0) / counted.length;
    const variance = counted.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0) / counted.length;
    const threshold = mean - config.successRateStdevFactor * Math.sqrt(variance);
    for (const { endpoint, rate } of counted) {
      if (rate < threshold) this.eject(endpoint, "success_rate", config.enforcingSuccessRate);
    }
  }

  private eject(endpoint: Endpoint, kind: string, enforcing: number): void {
    this.stats.counter(`${this.prefix}ejections_detected_${kind}`).inc();
    if (endpoint.outlier.ejectedAt !== undefined || this.random() * 100 >= enforcing) return;
    const all = this.endpoints();
    const active = all.filter((other) => other.outlier.ejectedAt !== undefined).length;
    const allowed = ((active + 1) * 100) / all.length <= this.config.maxEjectionPercent;
    if (!allowed && !(this.config.alwaysEjectOne && active === 0)) {
      this.stats.counter(`${this.prefix}ejections_overflow`).inc();
      return;
    }
    endpoint.outlier.ejectedAt = this.now();
    endpoint.outlier.ejections++;
    this.stats.counter(`${this.prefix}ejections_enforced_${kind}`).inc();
    this.stats.counter(`${this.prefix}ejections_enforced_total`).inc();
    this.publish();
  }

  private publish(): void {
    const active = this.endpoints().filter((endpoint) => endpoint.outlier.ejectedAt !== undefined).length;
    this.stats.gauge(`${this.prefix}ejections_active`).set(active);
    this.changed();
  }
}
