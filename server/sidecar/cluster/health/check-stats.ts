import type { Counter, Gauge, Stats } from "../../stats.ts";

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats#health-check-statistics */
export class CheckStats {
  readonly attempt: Counter;
  readonly success: Counter;
  readonly failure: Counter;
  readonly passiveFailure: Counter;
  readonly networkFailure: Counter;
  readonly verifyCluster: Counter;
  readonly healthy: Gauge;
  readonly degraded: Gauge;

  /** @param cluster `cluster.<name>.` */
  constructor(stats: Stats, cluster: string) {
    const prefix = `${cluster}health_check.`;
    this.attempt = stats.counter(`${prefix}attempt`);
    this.success = stats.counter(`${prefix}success`);
    this.failure = stats.counter(`${prefix}failure`);
    this.passiveFailure = stats.counter(`${prefix}passive_failure`);
    this.networkFailure = stats.counter(`${prefix}network_failure`);
    this.verifyCluster = stats.counter(`${prefix}verify_cluster`);
    this.healthy = stats.gauge(`${prefix}healthy`);
    this.degraded = stats.gauge(`${prefix}degraded`);
    this.healthy.set(0);
    this.degraded.set(0);
  }
}
