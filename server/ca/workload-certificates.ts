import { Backoff } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { CertificateAuthority, IssuedCertificate } from "./certificate-authority.ts";

export interface WorkloadCertificatesOptions {
  authority: Pick<CertificateAuthority, "issue">;
  clock: Clock;
  logger: Logger;
  events?: { issued?(): void; renewed?(): void; failed?(): void };
  /** Default 24 h, as in Istio. */
  ttlSec?: number;
  /** How long a certificate is kept that nobody holds: a proxy that restarts gets the same one. Default 10 minutes. */
  idleMs?: number;
  /** Identities beyond which those that nobody holds go at once. Default 5,000. */
  limit?: number;
  /** 0..1, for the jitter of renewals. */
  random?: () => number;
}

/** One holder's claim to the certificate of its identity. */
export interface CertificateLease {
  /** The newest; undefined while the first is being issued, and when issuing failed until the last one ended. */
  current(): IssuedCertificate | undefined;
  release(): void;
}

interface Entry {
  readonly spiffeUri: string;
  readonly holders: Set<() => void>;
  readonly backoff: Backoff;
  certificate: IssuedCertificate | undefined;
  /** The next renewal or attempt. */
  timer: { cancel(): void } | undefined;
  /** Counts `refresh`es: one that was begun before the last is by an authority that is no more. */
  epoch: number;
  idle: { cancel(): void } | undefined;
}

/** Timers beyond this fire at once. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * One certificate for each identity that someone holds, issued when it is first wanted and again at half of its life, at slightly different
 * moments, so that a fleet which started together does not renew together. When issuing fails the old one stays, and it is tried again.
 */
export class WorkloadCertificates {
  readonly #options: WorkloadCertificatesOptions;
  /** Those that nobody holds in the order in which they were let go. */
  readonly #entries = new Map<string, Entry>();
  #stopped = false;

  constructor(options: WorkloadCertificatesOptions) {
    this.#options = options;
  }

  /** `changed` is called for each certificate that comes after this call, the first included unless it is `current()` already. */
  hold(spiffeUri: string, changed: () => void): CertificateLease {
    const entry = this.#entries.get(spiffeUri) ?? this.#add(spiffeUri);
    // A function of one's own: the same one may be given twice.
    const holder = () => changed();
    entry.holders.add(holder);
    entry.idle?.cancel();
    entry.idle = undefined;
    return {
      current: () => this.#valid(entry),
      release: () => {
        if (entry.holders.delete(holder) && entry.holders.size === 0) this.#letGo(entry);
      },
    };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** When the first of them ends, Unix milliseconds; undefined: there is none. */
  nextExpiryMs(): number | undefined {
    const ends = [...this.#entries.values()].flatMap(({ certificate }) => certificate?.notAfterMs ?? []);
    return ends.length > 0 ? Math.min(...ends) : undefined;
  }

  /**
   * The authority has changed: whoever holds a certificate is told, since what to trust beside it is another, and gets one anew at some moment within
   * `withinMs`, so that a fleet does not do so at once.
   */
  refresh(withinMs: number): void {
    const { random = Math.random } = this.#options;
    for (const entry of [...this.#entries.values()]) {
      entry.epoch += 1;
      // Without a timer one is on its way, and looks at the epoch when it is there.
      if (entry.timer) {
        entry.timer.cancel();
        this.#schedule(entry, Math.round(withinMs * random()));
      }
      if (entry.certificate) this.#tell(entry);
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const entry of [...this.#entries.values()]) this.#forget(entry);
  }

  #valid({ certificate }: Entry): IssuedCertificate | undefined {
    return certificate && certificate.notAfterMs > this.#options.clock.now() ? certificate : undefined;
  }

  #add(spiffeUri: string): Entry {
    const entry: Entry = {
      spiffeUri,
      holders: new Set(),
      backoff: new Backoff({ baseMs: 500, maxMs: 60_000, random: this.#options.random }),
      certificate: undefined,
      timer: undefined,
      epoch: 0,
      idle: undefined,
    };
    this.#entries.set(spiffeUri, entry);
    void this.#issue(entry);
    return entry;
  }

  async #issue(entry: Entry): Promise<void> {
    const { authority, logger, events, ttlSec = 86_400 } = this.#options;
    const { spiffeUri, epoch } = entry;
    entry.timer = undefined;
    try {
      const certificate = await authority.issue({ spiffeUri, ttlSec });
      if (!this.#keeps(entry)) return;
      entry.backoff.reset();
      if (entry.certificate) events?.renewed?.();
      events?.issued?.();
      entry.certificate = certificate;
      this.#schedule(entry, entry.epoch === epoch ? this.#renewalDelay(certificate) : 0);
      logger.info(
        { spiffeUri, serial: certificate.serial, notAfter: iso(certificate.notAfterMs) },
        "certificate issued",
      );
    } catch (error) {
      if (!this.#keeps(entry)) return;
      events?.failed?.();
      const retryMs = entry.backoff.next();
      const validUntil = entry.certificate && iso(entry.certificate.notAfterMs);
      logger.error({ err: error, spiffeUri, retryMs, validUntil }, "no certificate could be issued");
      this.#schedule(entry, retryMs);
      return;
    }
    this.#tell(entry);
  }

  #tell({ holders, spiffeUri }: Entry): void {
    for (const changed of [...holders]) {
      try {
        changed();
      } catch (error) {
        this.#options.logger.error({ err: error, spiffeUri }, "a new certificate could not be handed on");
      }
    }
  }

  /** Half of what is left, more or less a tenth of that. An authority near its end gives ever shorter ones; not ever faster. */
  #renewalDelay({ notAfterMs }: IssuedCertificate): number {
    const { clock, random = Math.random } = this.#options;
    return Math.max(1_000, Math.round(((notAfterMs - clock.now()) / 2) * (0.9 + 0.2 * random())));
  }

  #schedule(entry: Entry, delayMs: number): void {
    entry.timer = this.#options.clock.setTimeout(() => void this.#issue(entry), Math.min(delayMs, maxTimerMs));
  }

  #letGo(entry: Entry): void {
    if (!this.#keeps(entry)) return;
    const { clock, idleMs = 600_000, limit = 5_000 } = this.#options;
    // Behind the others that nobody holds.
    this.#entries.delete(entry.spiffeUri);
    this.#entries.set(entry.spiffeUri, entry);
    entry.idle = clock.setTimeout(() => this.#forget(entry), idleMs);
    if (this.#entries.size <= limit) return;
    const oldest = [...this.#entries.values()].find(({ holders }) => holders.size === 0);
    if (oldest) this.#forget(oldest);
  }

  #keeps(entry: Entry): boolean {
    return !this.#stopped && this.#entries.get(entry.spiffeUri) === entry;
  }

  #forget(entry: Entry): void {
    entry.timer?.cancel();
    entry.idle?.cancel();
    if (this.#entries.get(entry.spiffeUri) === entry) this.#entries.delete(entry.spiffeUri);
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();
