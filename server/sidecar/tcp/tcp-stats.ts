import { statName } from "../cluster/cluster-stats.ts";
import type { Counter, Gauge, Stats } from "../stats.ts";

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/tcp_proxy_filter#statistics */
export class TcpStats {
  readonly cxTotal: Counter;
  readonly cxNoRoute: Counter;
  readonly cxTxBytes: Counter;
  readonly cxRxBytes: Counter;
  readonly pausedReading: Counter;
  readonly resumedReading: Counter;
  readonly idleTimeout: Counter;
  readonly maxDuration: Counter;
  readonly cxActive: Gauge;

  constructor(stats: Stats, statPrefix: string) {
    const prefix = `tcp.${statName(statPrefix)}.`;
    this.cxTotal = stats.counter(`${prefix}downstream_cx_total`);
    this.cxNoRoute = stats.counter(`${prefix}downstream_cx_no_route`);
    this.cxTxBytes = stats.counter(`${prefix}downstream_cx_tx_bytes_total`);
    this.cxRxBytes = stats.counter(`${prefix}downstream_cx_rx_bytes_total`);
    this.pausedReading = stats.counter(`${prefix}downstream_flow_control_paused_reading_total`);
    this.resumedReading = stats.counter(`${prefix}downstream_flow_control_resumed_reading_total`);
    this.idleTimeout = stats.counter(`${prefix}idle_timeout`);
    this.maxDuration = stats.counter(`${prefix}max_downstream_connection_duration`);
    this.cxActive = stats.gauge(`${prefix}downstream_cx_active`);
  }
}
