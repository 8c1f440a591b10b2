import { setTimeout as pause } from "node:timers/promises";
import type { AlertDelivery, Notice } from "../contract/index.ts";
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
  /** A delivery has changed. */
  onChange(): void;
  signal: AbortSignal;
  waits?: readonly number[];
}

/** Tells receivers, each message until it is taken or has failed too often. */
export class Courier {
  readonly #options: CourierOptions;
  #waiting = 0;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /** `names` undefined: everybody. */
  tell(notice: Notice, phase: AlertDelivery["phase"], names: readonly string[] | undefined): void {
    for (const { name } of this.#options.receivers.all()) {
      if (names && !names.includes(name)) continue;
      const delivery: AlertDelivery = { receiver: name, phase, state: "waiting", at: 0, why: null };
      notice.deliveries.push(delivery);
      this.#send(notice, delivery);
    }
  }

  /** What a process before this one had not got rid of. */
  resume(notices: readonly Notice[]): void {
    for (const notice of notices)
      for (const delivery of notice.deliveries) if (delivery.state === "waiting") this.#send(notice, delivery);
  }

  #send(notice: Notice, delivery: AlertDelivery): void {
    if (this.#waiting >= maxWaiting) {
      this.#settle(delivery, "failed", `${maxWaiting} messages are waiting already`);
      return;
    }
    this.#waiting += 1;
    void this.#deliver(structuredClone(notice), delivery).finally(() => {
      this.#waiting -= 1;
    });
  }

  async #deliver(notice: Notice, delivery: AlertDelivery): Promise<void> {
    const { receivers, page, signal, waits = waitsMs } = this.#options;
    let why: string | null = "not told";
    for (const wait of [0, ...waits]) {
      if (wait > 0) await pause(wait, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      const receiver = receivers.all().find(({ name }) => name === delivery.receiver);
      if (!receiver) return this.#settle(delivery, "failed", "there is no such receiver any more");
      why = await post(receiver, payloadOf(receiver.kind, notice, delivery.phase, page));
      if (signal.aborted) return;
      receivers.told(receiver.name, this.#options.now(), why);
      if (why === null) return this.#settle(delivery, "sent", null);
      delivery.at = this.#options.now();
      delivery.why = why;
      this.#options.onChange();
    }
    this.#settle(delivery, "failed", why);
  }

  #settle(delivery: AlertDelivery, state: "sent" | "failed", why: string | null): void {
    Object.assign(delivery, { state, why, at: this.#options.now() });
    this.#options.onChange();
  }
}
