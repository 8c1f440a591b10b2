import { type Counter, type Histogram, type Stats, StatusCounters } from "../stats.ts";

/**
 * What becomes of the requests of routes with a `stat_prefix`, under Envoy's names: `vhost.<virtual host>.route.<stat_prefix>.upstream_rq_total`.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#statistics
 */
export class RouteStats {
  readonly rqTotal: Counter;
  readonly rqTimeout: Counter;
  readonly rqRetry: Counter;
  readonly rqRetrySuccess: Counter;
  readonly rqRetryOverflow: Counter;
  readonly rqRetryLimitExceeded: Counter;
  private readonly stats: Stats;
  private readonly prefix: string;
  private readonly byStatus: StatusCounters;
  private completed: Counter | undefined = undefined;
  private time: Histogram | undefined = undefined;

  constructor(stats: Stats, prefix: string) {
    this.stats = stats;
    this.prefix = prefix;
    this.byStatus = new StatusCounters(stats, prefix);
    this.rqTotal = stats.counter(`${prefix}upstream_rq_total`);
    this.rqTimeout = stats.counter(`${prefix}upstream_rq_timeout`);
    this.rqRetry = stats.counter(`${prefix}upstream_rq_retry`);
    this.rqRetrySuccess = stats.counter(`${prefix}upstream_rq_retry_success`);
    this.rqRetryOverflow = stats.counter(`${prefix}upstream_rq_retry_overflow`);
    this.rqRetryLimitExceeded = stats.counter(`${prefix}upstream_rq_retry_limit_exceeded`);
  }

  /** One response from an upstream, or one made here in its stead. */
  response(status: number): void {
    this.completed ??= this.stats.counter(`${this.prefix}upstream_rq_completed`);
    this.completed.inc();
    this.byStatus.inc(status);
  }

  /** Made with the first response that comes whole. */
  get rqTime(): Histogram {
    this.time ??= this.stats.histogram(`${this.prefix}upstream_rq_time`);
    return this.time;
  }
}
