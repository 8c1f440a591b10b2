import type { Counter, Stats } from "../stats.ts";

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/stats#tls-statistics */
export class TlsStats {
  readonly handshake: Counter;
  /** Without failed verifications. */
  readonly connectionError: Counter;
  /** Made, and no client certificate was shown. */
  readonly noCertificate: Counter;
  readonly failVerifyNoCert: Counter;
  readonly failVerifyError: Counter;
  readonly failVerifySan: Counter;
  readonly failVerifyCertHash: Counter;
  private readonly stats: Stats;
  private readonly prefix: string;

  /** @param owner the prefix of the listener's or cluster's stats */
  constructor(stats: Stats, owner: string) {
    const prefix = `${owner}ssl.`;
    this.stats = stats;
    this.prefix = prefix;
    this.handshake = stats.counter(`${prefix}handshake`);
    this.connectionError = stats.counter(`${prefix}connection_error`);
    this.noCertificate = stats.counter(`${prefix}no_certificate`);
    this.failVerifyNoCert = stats.counter(`${prefix}fail_verify_no_cert`);
    this.failVerifyError = stats.counter(`${prefix}fail_verify_error`);
    this.failVerifySan = stats.counter(`${prefix}fail_verify_san`);
    this.failVerifyCertHash = stats.counter(`${prefix}fail_verify_cert_hash`);
  }

  /** @param version such as `TLSv1.3`; `cipher` by its OpenSSL name, as Envoy has it */
  made(version: string, cipher: string): void {
    this.handshake.inc();
    this.stats.counter(`${this.prefix}versions.${version}`).inc();
    this.stats.counter(`${this.prefix}ciphers.${cipher}`).inc();
  }
}
