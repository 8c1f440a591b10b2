import type { Http2Stats } from "../../http2/http2-stats.ts";
import { http2StatsIn } from "../http2/compile-options.ts";
import { Counter, type Gauge, type Histogram, type Stats, StatusCounters } from "../stats.ts";
import { TlsStats } from "../tls/tls-stats.ts";

/** A cluster's stats under Envoy's names, resolved once: https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats */
export class ClusterStats {
  readonly prefix: string;
  readonly rqTotal: Counter;
  readonly rqActive: Gauge;
  readonly rqTime: Histogram;
  readonly rqCompleted: Counter;
  readonly rqTimeout: Counter;
  readonly rqPerTryTimeout: Counter;
  readonly rqRxReset: Counter;
  readonly rqTxReset: Counter;
  readonly rqCancelled: Counter;
  readonly rqPendingTotal: Counter;
  readonly rqPendingActive: Gauge;
  readonly rqPendingOverflow: Counter;
  readonly rqPendingFailureEject: Counter;
  readonly rqRetry: Counter;
  readonly rqRetrySuccess: Counter;
  readonly rqRetryOverflow: Counter;
  readonly rqRetryLimitExceeded: Counter;
  readonly rqRetryBackOffExponential: Counter;
  readonly rqRetryBackOffRateLimited: Counter;
  readonly rqPerTryIdleTimeout: Counter;
  readonly rqMaintenance: Counter;
  readonly cxTotal: Counter;
  readonly cxHttp2: Counter;
  readonly cxActive: Gauge;
  readonly cxConnectFail: Counter;
  readonly cxConnectTimeout: Counter;
  readonly cxAttemptsExceeded: Counter;
  readonly cxOverflow: Counter;
  readonly cxDestroy: Counter;
  readonly cxNoneHealthy: Counter;
  readonly cxConnectMs: Histogram;
  readonly cxMaxRequests: Counter;
  readonly cxIdleTimeout: Counter;
  readonly cxProtocolError: Counter;
  readonly txBytes: Counter;
  readonly rxBytes: Counter;
  readonly membershipTotal: Gauge;
  readonly membershipHealthy: Gauge;
  readonly membershipDegraded: Gauge;
  readonly membershipExcluded: Gauge;
  readonly membershipChange: Counter;
  readonly lbHealthyPanic: Counter;
  private readonly stats: Stats;
  private readonly byStatus: StatusCounters;
  private tlsStats: TlsStats | undefined = undefined;
  private http2Stats: Http2Stats | undefined = undefined;

  constructor(stats: Stats, cluster: string) {
    const prefix = `cluster.${statName(cluster)}.`;
    this.prefix = prefix;
    this.stats = stats;
    this.byStatus = new StatusCounters(stats, prefix);
    this.rqTotal = stats.counter(`${prefix}upstream_rq_total`);
    this.rqActive = stats.gauge(`${prefix}upstream_rq_active`);
    this.rqTime = stats.histogram(`${prefix}upstream_rq_time`);
    this.rqCompleted = stats.counter(`${prefix}upstream_rq_completed`);
    this.rqTimeout = stats.counter(`${prefix}upstream_rq_timeout`);
    this.rqPerTryTimeout = stats.counter(`${prefix}upstream_rq_per_try_timeout`);
    this.rqRxReset = stats.counter(`${prefix}upstream_rq_rx_reset`);
    this.rqTxReset = stats.counter(`${prefix}upstream_rq_tx_reset`);
    this.rqCancelled = stats.counter(`${prefix}upstream_rq_cancelled`);
    this.rqPendingTotal = stats.counter(`${prefix}upstream_rq_pending_total`);
    this.rqPendingActive = stats.gauge(`${prefix}upstream_rq_pending_active`);
    this.rqPendingOverflow = stats.counter(`${prefix}upstream_rq_pending_overflow`);
    this.rqPendingFailureEject = stats.counter(`${prefix}upstream_rq_pending_failure_eject`);
    this.rqRetry = stats.counter(`${prefix}upstream_rq_retry`);
    this.rqRetrySuccess = stats.counter(`${prefix}upstream_rq_retry_success`);
    this.rqRetryOverflow = stats.counter(`${prefix}upstream_rq_retry_overflow`);
    this.rqRetryLimitExceeded = stats.counter(`${prefix}upstream_rq_retry_limit_exceeded`);
    this.rqRetryBackOffExponential = stats.counter(`${prefix}upstream_rq_retry_backoff_exponential`);
    this.rqRetryBackOffRateLimited = stats.counter(`${prefix}upstream_rq_retry_backoff_ratelimited`);
    this.rqPerTryIdleTimeout = stats.counter(`${prefix}upstream_rq_per_try_idle_timeout`);
    this.rqMaintenance = stats.counter(`${prefix}upstream_rq_maintenance_mode`);
    this.cxHttp2 = stats.counter(`${prefix}upstream_cx_http2_total`);
    this.cxTotal = stats.counter(`${prefix}upstream_cx_total`);
    this.cxActive = stats.gauge(`${prefix}upstream_cx_active`);
    this.cxConnectFail = stats.counter(`${prefix}upstream_cx_connect_fail`);
    this.cxConnectTimeout = stats.counter(`${prefix}upstream_cx_connect_timeout`);
    this.cxAttemptsExceeded = stats.counter(`${prefix}upstream_cx_connect_attempts_exceeded`);
    this.cxOverflow = stats.counter(`${prefix}upstream_cx_overflow`);
    this.cxDestroy = stats.counter(`${prefix}upstream_cx_destroy`);
    this.cxNoneHealthy = stats.counter(`${prefix}upstream_cx_none_healthy`);
    this.cxConnectMs = stats.histogram(`${prefix}upstream_cx_connect_ms`);
    this.cxMaxRequests = stats.counter(`${prefix}upstream_cx_max_requests`);
    this.cxIdleTimeout = stats.counter(`${prefix}upstream_cx_idle_timeout`);
    this.cxProtocolError = stats.counter(`${prefix}upstream_cx_protocol_error`);
    this.txBytes = stats.counter(`${prefix}upstream_cx_tx_bytes_total`);
    this.rxBytes = stats.counter(`${prefix}upstream_cx_rx_bytes_total`);
    this.membershipTotal = stats.gauge(`${prefix}membership_total`);
    this.membershipHealthy = stats.gauge(`${prefix}membership_healthy`);
    this.membershipDegraded = stats.gauge(`${prefix}membership_degraded`);
    this.membershipExcluded = stats.gauge(`${prefix}membership_excluded`);
    this.lbHealthyPanic = stats.counter(`${prefix}lb_healthy_panic`);
    this.membershipChange = stats.counter(`${prefix}membership_change`);
  }

  /** Counters of the HTTP/2 codec, made with the first use. */
  get http2(): Http2Stats {
    this.http2Stats ??= http2StatsIn(this.stats, this.prefix, {
      // The last three are a server's, or the pool's own.
      cxProtocolError: this.cxProtocolError,
      rxBytes: this.rxBytes,
      txBytes: this.txBytes,
      cxDrainClose: new Counter(),
      cxIdleTimeout: new Counter(),
      prematureResets: new Counter(),
    });
    return this.http2Stats;
  }

  /** Made with the first use: most clusters have no TLS. */
  get tls(): TlsStats {
    this.tlsStats ??= new TlsStats(this.stats, this.prefix);
    return this.tlsStats;
  }

  /** One response from an upstream, or one made here in its stead. */
  response(status: number): void {
    this.rqCompleted.inc();
    this.byStatus.inc(status);
  }

  /** A response that nobody gets, since its request is tried again. */
  retried(status: number): void {
    const prefix = `${this.prefix}retry.upstream_rq_`;
    this.stats.counter(`${prefix}completed`).inc();
    this.stats.counter(`${prefix}${status}`).inc();
    this.stats.counter(`${prefix}${Math.floor(status / 100)}xx`).inc();
  }

  forget(): void {
    this.stats.remove(this.prefix);
  }
}

/** Envoy writes `:` in the name of a thing as `_` in its stats. */
export const statName = (name: string): string =>
  name.replaceAll("://", "_").replaceAll(":/", "_").replaceAll(":", "_");
