import { setTimeout as pause } from "node:timers/promises";
import { type AlertDelivery, type AlertFailure, type Notice, told } from "../contract/index.ts";
import { payloadOf } from "./payload.ts";
import { post } from "./post.ts";
import type { Receivers } from "./receivers.ts";

/** Between two tries of one message. */
const waitsMs = [1000, 5000, 30_000, 120_000, 600_000];
/** Messages under way and waiting, together; past it the oldest notices' are told of as failed. */
const maxWaiting = 200;

export interface CourierOptions {
  receivers: Receivers;
  /** Of the dashboard's page of alerts. */
  page: string;
  now(): number;
  /** Asked before each try: false once it is somebody else's to tell. */
  isOurs(): Promise<boolean>;
  /** A delivery has changed. */
  onChange(): void;
  signal: AbortSignal;
  waits?: readonly number[];
  timeoutMs?: number;
}

/** A delivery that is written down and not under way yet. */
export interface Message {
  notice: Notice;
  delivery: AlertDelivery;
}

/** Tells receivers, each message until it is taken or has failed too often; of one notice each receiver hears the beginning before the end. */
export class Courier {
  readonly #options: CourierOptions;
  /** By notice and receiver, what is sent last. */
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #posts = new Set<Promise<unknown>>();
  #waiting = 0;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /** Writes into the notice who is to be told; `send` does it, once that is kept. */
  note(notice: Notice, phase: AlertDelivery["phase"], receivers: readonly string[]): Message[] {
    return receivers.map((receiver) => {
      const delivery: AlertDelivery = { receiver, phase, state: "waiting", at: 0, why: null };
      notice.deliveries.push(delivery);
      return { notice, delivery };
    });
  }

  send({ notice, delivery }: Message): void {
    if (this.#waiting >= maxWaiting) {
      this.#settle(delivery, "failed", told("receiver-queue", { count: maxWaiting }));
      return;
    }
    this.#waiting += 1;
    const key = `${notice.id} ${delivery.receiver}`;
    const message = { notice: structuredClone(notice), delivery };
    const before = this.#underWay.get(key) ?? Promise.resolve();
    const mine = before
      .then(() => this.#deliver(message, notice))
      .finally(() => {
        this.#waiting -= 1;
        if (this.#underWay.get(key) === mine) this.#underWay.delete(key);
      });
    this.#underWay.set(key, mine);
  }

  /** What a process before this one had not got rid of. */
  resume(notices: readonly Notice[]): void {
    for (const notice of notices)
      for (const delivery of notice.deliveries) if (delivery.state === "waiting") this.send({ notice, delivery });
  }

  /** Resolves when whoever is being told has answered: what was taken is then known to be. */
  async answered(): Promise<void> {
    await Promise.all(this.#posts);
  }

  async #deliver({ notice, delivery }: Message, { deliveries }: Notice): Promise<void> {
    const { receivers, page, signal, now, isOurs, waits = waitsMs, timeoutMs } = this.#options;
    const heardNothing = (one: AlertDelivery) =>
      one.receiver === delivery.receiver && one.phase === "fired" && one.state === "failed";
    if (delivery.phase === "cleared" && deliveries.some(heardNothing))
      return this.#settle(delivery, "failed", told("receiver-unaware", {}));
    for (const wait of [0, ...waits]) {
      if (wait > 0) await pause(wait, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted || !(await isOurs())) return;
      const receiver = await receivers.find(delivery.receiver);
      if (!receiver) return this.#settle(delivery, "failed", told("no-receiver", { name: delivery.receiver }));
      const posting = post(receiver, payloadOf(receiver.kind, notice, delivery.phase, page), timeoutMs);
      this.#posts.add(posting);
      const why = await posting.finally(() => this.#posts.delete(posting));
      receivers.told(receiver.name, now(), why);
      if (why === null) return this.#settle(delivery, "sent", null);
      Object.assign(delivery, { at: now(), why });
      if (signal.aborted) return;
      this.#options.onChange();
    }
    this.#settle(delivery, "failed", delivery.why);
  }

  #settle(delivery: AlertDelivery, state: "sent" | "failed", why: AlertFailure | null): void {
    Object.assign(delivery, { state, why, at: this.#options.now() });
    this.#options.onChange();
  }
}
