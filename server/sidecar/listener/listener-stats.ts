import { statName } from "../cluster/cluster-stats.ts";
import type { Counter, Gauge, Stats } from "../stats.ts";
import { TlsStats } from "../tls/tls-stats.ts";
import { InspectorStats } from "./inspector-stats.ts";
import type { ListenAddress } from "./listen-address.ts";

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/stats */
export class ListenerStats {
  readonly stats: Stats;
  readonly prefix: string;
  readonly inspector: InspectorStats;
  readonly overflow: Counter;
  readonly noChain: Counter;
  private readonly total: Counter;
  private readonly active: Gauge;
  private readonly destroyed: Counter;
  private tlsStats: TlsStats | undefined = undefined;

  constructor(stats: Stats, { address, port }: ListenAddress) {
    const prefix = `listener.${statName(`${address}:${port}`)}.`;
    this.stats = stats;
    this.prefix = prefix;
    this.inspector = new InspectorStats(stats, prefix);
    this.total = stats.counter(`${prefix}downstream_cx_total`);
    this.active = stats.gauge(`${prefix}downstream_cx_active`);
    this.destroyed = stats.counter(`${prefix}downstream_cx_destroy`);
    this.overflow = stats.counter(`${prefix}downstream_global_cx_overflow`);
    this.noChain = stats.counter(`${prefix}no_filter_chain_match`);
  }

  opened(): void {
    this.total.inc();
    this.active.add(1);
  }

  closed(): void {
    this.active.add(-1);
    this.destroyed.inc();
  }

  /** A filter of the listener whose configuration comes by itself has not come. */
  configMissing(): void {
    this.stats.counter(`${this.prefix}extension_config_missing`).inc();
  }

  acceptFailed(): void {
    this.stats.counter(`${this.prefix}downstream_cx_accept_error`).inc();
  }

  /** Made with the first use: most listeners have no TLS. */
  get tls(): TlsStats {
    this.tlsStats ??= new TlsStats(this.stats, this.prefix);
    return this.tlsStats;
  }

  /** A handshake took too long. */
  get handshakeTimeouts(): Counter {
    return this.stats.counter(`${this.prefix}downstream_cx_transport_socket_connect_timeout`);
  }

  /** There is no certificate to shake hands with. */
  get secretsNotReady(): Counter {
    return this.stats.counter(`${this.prefix}server_ssl_socket_factory.downstream_context_secrets_not_ready`);
  }
}
