import type { Http2Stats } from "../../http2/http2-stats.ts";
import { statName } from "../cluster/cluster-stats.ts";
import { http2StatsIn } from "../http2/compile-options.ts";
import { RouteStats } from "../route/route-stats.ts";
import type { Counter, Gauge, Histogram, Stats } from "../stats.ts";

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/stats */
export class ManagerStats {
  readonly prefix: string;
  readonly cxTotal: Counter;
  readonly cxHttp2: Counter;
  readonly rqHttp2: Counter;
  readonly cxActive: Gauge;
  readonly cxDestroy: Counter;
  readonly cxLength: Histogram;
  readonly cxRxBytes: Counter;
  readonly cxTxBytes: Counter;
  readonly cxProtocolError: Counter;
  readonly cxIdleTimeout: Counter;
  readonly cxUpgradesTotal: Counter;
  readonly cxDrainClose: Counter;
  readonly rqTotal: Counter;
  readonly rqActive: Gauge;
  readonly rqTime: Histogram;
  readonly rqCompleted: Counter;
  readonly rqRxReset: Counter;
  readonly rqTxReset: Counter;
  readonly rqTimeout: Counter;
  readonly rqTooLarge: Counter;
  readonly rsTooLarge: Counter;
  readonly rqIdleTimeout: Counter;
  readonly rqMaxDuration: Counter;
  readonly rqFailedPath: Counter;
  readonly rqRedirectedPath: Counter;
  readonly noRoute: Counter;
  readonly noCluster: Counter;
  readonly direct: Counter;
  readonly redirect: Counter;
  readonly rqForwarded: Counter;
  /** By first digit of the status. */
  readonly byClass: readonly Counter[];
  private readonly stats: Stats;
  private http2Stats: Http2Stats | undefined = undefined;
  private readonly byRoute = new Map<string, RouteStats>();

  constructor(stats: Stats, statPrefix: string) {
    const prefix = `http.${statName(statPrefix)}.`;
    this.prefix = prefix;
    this.stats = stats;
    this.cxHttp2 = stats.counter(`${prefix}downstream_cx_http2_total`);
    this.rqHttp2 = stats.counter(`${prefix}downstream_rq_http2_total`);
    this.cxTotal = stats.counter(`${prefix}downstream_cx_total`);
    this.cxActive = stats.gauge(`${prefix}downstream_cx_active`);
    this.cxDestroy = stats.counter(`${prefix}downstream_cx_destroy`);
    this.cxLength = stats.histogram(`${prefix}downstream_cx_length_ms`);
    this.cxRxBytes = stats.counter(`${prefix}downstream_cx_rx_bytes_total`);
    this.cxTxBytes = stats.counter(`${prefix}downstream_cx_tx_bytes_total`);
    this.cxProtocolError = stats.counter(`${prefix}downstream_cx_protocol_error`);
    this.cxIdleTimeout = stats.counter(`${prefix}downstream_cx_idle_timeout`);
    this.cxUpgradesTotal = stats.counter(`${prefix}downstream_cx_upgrades_total`);
    this.cxDrainClose = stats.counter(`${prefix}downstream_cx_drain_close`);
    this.rqTotal = stats.counter(`${prefix}downstream_rq_total`);
    this.rqActive = stats.gauge(`${prefix}downstream_rq_active`);
    this.rqTime = stats.histogram(`${prefix}downstream_rq_time`);
    this.rqCompleted = stats.counter(`${prefix}downstream_rq_completed`);
    this.rqRxReset = stats.counter(`${prefix}downstream_rq_rx_reset`);
    this.rqTxReset = stats.counter(`${prefix}downstream_rq_tx_reset`);
    this.rqTooLarge = stats.counter(`${prefix}downstream_rq_too_large`);
    this.rsTooLarge = stats.counter(`${prefix}rs_too_large`);
    this.rqTimeout = stats.counter(`${prefix}downstream_rq_timeout`);
    this.rqIdleTimeout = stats.counter(`${prefix}downstream_rq_idle_timeout`);
    this.rqMaxDuration = stats.counter(`${prefix}downstream_rq_max_duration_reached`);
    this.rqFailedPath = stats.counter(`${prefix}downstream_rq_failed_path_normalization`);
    this.rqRedirectedPath = stats.counter(`${prefix}downstream_rq_redirected_with_normalized_path`);
    this.noRoute = stats.counter(`${prefix}no_route`);
    this.noCluster = stats.counter(`${prefix}no_cluster`);
    this.direct = stats.counter(`${prefix}rq_direct_response`);
    this.redirect = stats.counter(`${prefix}rq_redirect`);
    this.rqForwarded = stats.counter(`${prefix}rq_total`);
    this.byClass = [0, 1, 2, 3, 4, 5].map((first) => stats.counter(`${prefix}downstream_rq_${first}xx`));
  }

  /** Of routes with a `stat_prefix`, by what their names begin with. */
  ofRoute(prefix: string): RouteStats {
    const known = this.byRoute.get(prefix);
    if (known !== undefined) return known;
    const made = new RouteStats(this.stats, prefix);
    this.byRoute.set(prefix, made);
    return made;
  }

  /** Counters of the HTTP/2 codec, made with the first use. */
  get http2(): Http2Stats {
    this.http2Stats ??= http2StatsIn(this.stats, this.prefix, {
      cxDrainClose: this.cxDrainClose,
      cxIdleTimeout: this.cxIdleTimeout,
      cxProtocolError: this.cxProtocolError,
      prematureResets: this.stats.counter(`${this.prefix}downstream_rq_too_many_premature_resets`),
      rxBytes: this.cxRxBytes,
      txBytes: this.cxTxBytes,
    });
    return this.http2Stats;
  }
}
