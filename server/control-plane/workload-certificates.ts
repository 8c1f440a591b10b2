import { create } from "@bufbuild/protobuf";
import type { CertificateAuthority, IssuedCertificate } from "../ca/certificate-authority.ts";
import { type Secret, SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { Backoff } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";

/** By the names that SDS knows them by: `default` and `ROOTCA`. */
export type WorkloadSecrets = ReadonlyMap<string, Secret>;

export interface WorkloadCertificatesOptions {
  authority: Pick<CertificateAuthority, "issue" | "rootPem">;
  clock: Clock;
  logger: Logger;
  /** Default a day, as Istio's. */
  ttlSec?: number;
  random?: () => number;
  /** There is a certificate, the first or another, for an identity that somebody holds. */
  onChange(identity: string): void;
  onIssued?(): void;
}

interface Held {
  holders: number;
  secrets: WorkloadSecrets | undefined;
  notAfterMs: number;
  timer: { cancel(): void } | undefined;
  readonly backoff: Backoff;
}

/**
 * One certificate for each identity that has proxies connected, replaced at half its life. Whoever fails to get another keeps the one
 * there is. https://istio.io/latest/docs/concepts/security/#pki
 */
export class WorkloadCertificates {
  readonly #options: WorkloadCertificatesOptions;
  readonly #ttlSec: number;
  readonly #held = new Map<string, Held>();
  readonly #root: Secret;
  #closed = false;

  constructor(options: WorkloadCertificatesOptions) {
    this.#options = options;
    this.#ttlSec = options.ttlSec ?? 24 * 3600;
    this.#root = create(SecretSchema, {
      name: "ROOTCA",
      type: { case: "validationContext", value: { trustedCa: inline(options.authority.rootPem) } },
    });
  }

  /** Of how many identities. */
  get size(): number {
    return this.#held.size;
  }

  /** Until the first of them ends, in seconds; 0 without any. */
  secondsToExpiry(): number {
    const ends = [...this.#held.values()].flatMap(({ secrets, notAfterMs }) => (secrets ? notAfterMs : []));
    return ends.length === 0 ? 0 : Math.max(0, (Math.min(...ends) - this.#options.clock.now()) / 1000);
  }

  /** Undefined until the first is issued. */
  secretsOf(identity: string): WorkloadSecrets | undefined {
    return this.#held.get(identity)?.secrets;
  }

  /** A proxy of this identity is there; `release` when it is gone. */
  hold(identity: string): void {
    const known = this.#held.get(identity);
    if (known) {
      known.holders += 1;
      return;
    }
    const backoff = new Backoff({ baseMs: 500, maxMs: 60_000 });
    this.#held.set(identity, { holders: 1, secrets: undefined, notAfterMs: 0, timer: undefined, backoff });
    void this.#issue(identity);
  }

  /** Its certificate stays for whoever comes back before it would be replaced. */
  release(identity: string): void {
    const held = this.#held.get(identity);
    if (held) held.holders -= 1;
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#held.values()) timer?.cancel();
    this.#held.clear();
  }

  async #issue(identity: string): Promise<void> {
    const { authority, logger } = this.#options;
    try {
      const issued = await authority.issue({ spiffeUri: identity, ttlSec: this.#ttlSec });
      this.#take(identity, issued);
    } catch (error) {
      const held = this.#held.get(identity);
      if (this.#closed || held === undefined) return;
      logger.error({ err: error, identity }, "no certificate could be issued");
      this.#schedule(identity, held, held.backoff.next());
    }
  }

  #take(identity: string, issued: IssuedCertificate): void {
    const { clock, logger, onChange, onIssued, random = Math.random } = this.#options;
    const held = this.#held.get(identity);
    if (this.#closed || held === undefined) return;
    held.backoff.reset();
    held.secrets = new Map([
      ["default", certificateSecret(issued)],
      ["ROOTCA", this.#root],
    ]);
    held.notAfterMs = issued.notAfterMs;
    // At 40 to 60 % of its life: a fleet that started together doesn't come for new ones together.
    const life = Math.max(0, issued.notAfterMs - clock.now());
    this.#schedule(identity, held, life * (0.4 + 0.2 * random()));
    const { serial } = issued;
    logger.info({ identity, serial, notAfter: new Date(issued.notAfterMs).toISOString() }, "certificate issued");
    onIssued?.();
    onChange(identity);
  }

  #schedule(identity: string, held: Held, ms: number): void {
    // A timer takes 2^31 ms; and a clock that was set back must not make it wait for years.
    held.timer = this.#options.clock.setTimeout(() => this.#renew(identity, held), Math.min(Math.max(ms, 1), weekMs));
  }

  #renew(identity: string, held: Held): void {
    if (held.holders <= 0) this.#held.delete(identity);
    else void this.#issue(identity);
  }
}

const weekMs = 7 * 24 * 3_600_000;

const certificateSecret = ({ chainPem, keyPem }: IssuedCertificate): Secret =>
  create(SecretSchema, {
    name: "default",
    type: { case: "tlsCertificate", value: { certificateChain: inline(chainPem), privateKey: inline(keyPem) } },
  });

const inline = (pem: string) => ({ specifier: { case: "inlineBytes" as const, value: Buffer.from(pem) } });
