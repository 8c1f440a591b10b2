import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../lib/clock.ts";
import { Senders } from "./senders.ts";
import type { TelemetryBatch, TelemetryStore } from "./store.ts";

export interface SenderClaimsOptions {
  store: Pick<TelemetryStore, "claim">;
  clock: Clock;
  /** What the store says of them, as this run begins. */
  written: ReadonlyMap<string, number> | undefined;
  /** What was taken in of a sender, and is not written, is given up. */
  discard(sender: string): void;
}

/** So many come at once when a collector has gone: they are asked for together. */
const gatherMs = 50;
/** Claims that are remembered; a stream that is open for as long as it takes others to come in such a number is rare, and counts by what it took before. */
const maxClaims = 20_000;

/** Senders of numbered batches: what was taken in of each, and, where others write to the same store, by which claim. */
export class SenderClaims {
  readonly #options: SenderClaimsOptions;
  readonly #senders: Senders;
  readonly #claims = new Map<string, string>();
  readonly #unknown = new Map<string, number>();
  #introduced: Promise<void> | undefined;

  constructor(options: SenderClaimsOptions) {
    this.#options = options;
    this.#senders = new Senders(options.written, this.shared);
  }

  /** Whether others write to the same store. */
  get shared(): boolean {
    return this.#options.store.claim !== undefined;
  }

  /** A numbered batch. False: it was taken in before, and is not to be. */
  take(sender: string, number: number): boolean {
    return this.#senders.take(sender, number);
  }

  /**
   * A sender's stream begins, with this number. Where others write to the same store it is claimed: resolves when it is known how far it is written, by whomever. What was taken in
   * of it and is not written is given up, here as elsewhere, as it comes again on this stream. Rejects when the store can't be asked.
   */
  async introduce(sender: string, first: number): Promise<void> {
    if (!this.shared) return;
    await new Promise<void>((resolve) => this.#options.clock.setTimeout(resolve, gatherMs));
    this.#introduced ??= nextTurn().then(() => this.#claim());
    this.#unknown.set(sender, first);
    await this.#introduced;
  }

  /** What the next batch says of those who are in it. */
  drain(): Pick<TelemetryBatch, "senders" | "claims"> {
    const senders = this.#senders.drain();
    const claims = new Map<string, string>();
    for (const sender of senders.keys()) {
      const claim = this.#claims.get(sender);
      if (claim !== undefined) claims.set(sender, claim);
    }
    return { senders, claims };
  }

  async #claim(): Promise<void> {
    const senders = new Map(this.#unknown);
    this.#unknown.clear();
    this.#introduced = undefined;
    const token = randomUUID();
    const written = await this.#options.store.claim?.([...senders.keys()], token);
    for (const [sender, first] of senders) {
      // What a proxy does not send any more is written, though the store may have forgotten it.
      this.#senders.reset(sender, Math.max(first - 1, written?.get(sender) ?? 0));
      this.#options.discard(sender);
      this.#claims.delete(sender);
      this.#claims.set(sender, token);
      const [oldest] = this.#claims.keys();
      if (this.#claims.size > maxClaims && oldest !== undefined) this.#claims.delete(oldest);
    }
  }
}
