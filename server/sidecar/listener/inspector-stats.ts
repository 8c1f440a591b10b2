import type { Counter, Stats } from "../stats.ts";
import type { Hello } from "../tcp/client-hello.ts";

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/listener_filters/tls_inspector#statistics */
export class InspectorStats {
  readonly tooLarge: Counter;
  readonly connectionClosed: Counter;
  /** Of the listener: `downstream_pre_cx_timeout`. */
  readonly timeout: Counter;
  private readonly stats: Stats;

  constructor(stats: Stats, listenerPrefix: string) {
    this.stats = stats;
    this.tooLarge = stats.counter("tls_inspector.client_hello_too_large");
    this.connectionClosed = stats.counter("tls_inspector.connection_closed");
    this.timeout = stats.counter(`${listenerPrefix}downstream_pre_cx_timeout`);
  }

  count(hello: Hello): void {
    if (hello.kind !== "tls") {
      this.stats.counter("tls_inspector.tls_not_found").inc();
      return;
    }
    this.stats.counter("tls_inspector.tls_found").inc();
    this.stats.counter(`tls_inspector.${hello.serverName === "" ? "sni_not_found" : "sni_found"}`).inc();
    this.stats.counter(`tls_inspector.${hello.protocols.length === 0 ? "alpn_not_found" : "alpn_found"}`).inc();
  }
}
