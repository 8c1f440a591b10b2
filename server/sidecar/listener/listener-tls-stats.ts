import { statName } from "../cluster/cluster-stats.ts";
import type { Stats } from "../stats.ts";
import type { HandshakeFailure } from "../tls/downstream-tls.ts";
import type { TlsInfo } from "../tls/peer-info.ts";

/** Made when there is TLS at all. https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/stats#tls-statistics */
export class ListenerTlsStats {
  private readonly stats: Stats;
  private readonly prefix: string;

  constructor(stats: Stats, listenerPrefix: string) {
    this.stats = stats;
    this.prefix = `${listenerPrefix}ssl.`;
  }

  onSecure({ version, cipher, peer }: TlsInfo): void {
    this.count("handshake");
    if (peer === undefined) this.count("no_certificate");
    this.count(`versions.${statName(version)}`);
    this.count(`ciphers.${statName(cipher)}`);
  }

  onFailure(failure: HandshakeFailure): void {
    this.count(failure);
    // Envoy counts a refused certificate as an error of the connection, too.
    if (failure === "fail_verify_error" || failure === "fail_verify_san") this.count("connection_error");
  }

  private count(name: string): void {
    this.stats.counter(`${this.prefix}${name}`).inc();
  }
}
