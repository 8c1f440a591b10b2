import type { Clock } from "../lib/clock.ts";
import type { Push } from "./exchange.ts";
import { Lifetimes, timedAmong } from "./lifetimes.ts";
import type { Subscription } from "./subscription.ts";
import { type Resource, resourcesOf, type Snapshot } from "./types.ts";

export interface HeartbeatsOptions {
  readonly clock: Clock;
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  write(typeUrl: string, push: Push): void;
  /** Some are due: `lapse` and then `beat` are to be called. */
  onDue(): void;
}

/** Keeps alive in one client what has a time, for as long as we are there ourselves. */
export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  readonly #lifetimes = new Map<string, Lifetimes>();
  #timer: { cancel(): void } | undefined;

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  told(typeUrl: string, resources: readonly Resource[]): void {
    if (timedAmong(resources).length === 0) return;
    const lifetimes = this.#lifetimes.get(typeUrl) ?? new Lifetimes();
    this.#lifetimes.set(typeUrl, lifetimes);
    lifetimes.told(resources, this.#options.clock.now());
  }

  /**
   * What the client has dropped, since nobody told it in time, is wanted anew. On the state-of-the-world protocol that is the heartbeat itself: an Envoy
   * there takes one without content and lets the time run on (1.40's `GrpcMuxImpl` sets the times of resources with content alone).
   */
  lapse(snapshot: Snapshot, now: number): void {
    for (const [typeUrl, lifetimes] of this.#lifetimes) {
      const subscription = this.#options.subscriptions.get(typeUrl);
      if (subscription === undefined) continue;
      for (const resource of heldOf(subscription, snapshot)) {
        const isWanted =
          subscription.protocol === "sotw" ? lifetimes.dueAt(resource) <= now : lifetimes.isOver(resource, now);
        if (isWanted) subscription.want(resource.name);
      }
    }
  }

  /** For a client that was told whatever else there is to say. `now`: as for `lapse`, lest something fall due between the two and be seen by neither. */
  beat(snapshot: Snapshot, now: number): void {
    const { clock, subscriptions, write, onDue } = this.#options;
    let next = Number.POSITIVE_INFINITY;
    for (const [typeUrl, subscription] of subscriptions) {
      const held = heldOf(subscription, snapshot);
      const lifetimes = this.#lifetimes.get(typeUrl) ?? new Lifetimes();
      lifetimes.keep(timedAmong(resourcesOf(snapshot, typeUrl)));
      // One that waits for an answer is looked at again when that has come.
      const due = subscription.protocol === "delta" ? held.filter((resource) => lifetimes.dueAt(resource) <= now) : [];
      const push = subscription.heartbeat(due);
      if (push) {
        this.told(typeUrl, push.heartbeats ?? []);
        write(typeUrl, push);
      }
      for (const resource of held) {
        const at = this.#lifetimes.get(typeUrl)?.dueAt(resource) ?? 0;
        if (at > now) next = Math.min(next, at);
      }
    }
    this.#timer?.cancel();
    this.#timer = Number.isFinite(next) ? clock.setTimeout(onDue, next - now) : undefined;
  }
}

/** Of what has a time: what the client has as the snapshot has it. */
function heldOf(subscription: Subscription, snapshot: Snapshot): readonly Resource[] {
  const timed = timedAmong(resourcesOf(snapshot, subscription.typeUrl));
  return timed.filter(({ name, version }) => subscription.accepted(name)?.version === version);
}
