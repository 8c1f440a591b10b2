import type { Protocol, Push, SubscriptionRequest } from "../exchange.ts";
import { Subscription } from "../subscription.ts";
import type { Resource, ResourceMap } from "../types.ts";

export const resource = (name: string, version: string): Resource => ({ name, version, value: new Uint8Array(100) });

/** `{ a: "1" }` → a map with resource a at version 1. */
export const mapOf = (versions: Record<string, string>): ResourceMap =>
  new Map(Object.entries(versions).map(([name, version]) => [name, resource(name, version)]));

/** A client and the server's belief of it; `+a@1 -b` is a response that adds a at version 1 and removes b. */
export class Client {
  readonly subscription: Subscription;
  map: ResourceMap;
  now = 0;
  last: Push | undefined;

  constructor(typeUrl: string, protocol: Protocol, versions: Record<string, string>) {
    this.subscription = new Subscription(typeUrl, protocol);
    this.map = mapOf(versions);
  }

  send(request: Partial<SubscriptionRequest> = {}) {
    this.now += 1;
    return this.subscription.receive({ subscribe: [], responseNonce: "", ...request }, this.now);
  }

  /** What the server sends next, if anything. */
  next(limitBytes?: number): string | undefined {
    const push =
      this.subscription.next(this.map, "add", limitBytes) ?? this.subscription.next(this.map, "remove", limitBytes);
    if (!push) return undefined;
    this.last = push;
    const added = push.resources.map(({ name, version }) => `+${name}@${version}`);
    return [...added, ...push.removed.map((name) => `-${name}`)].join(" ");
  }

  /** Acknowledges the last response; a state-of-the-world client repeats its names. */
  ack(names: string[] = []) {
    return this.send({ responseNonce: this.last?.nonce ?? "", subscribe: names });
  }

  nack(error: string, names: string[] = []) {
    return this.send({ responseNonce: this.last?.nonce ?? "", error, subscribe: names });
  }

  /** Acknowledges until the server falls silent. */
  drain(): string[] {
    const sent: string[] = [];
    for (let text = this.next(); text !== undefined; text = this.next()) {
      sent.push(text);
      this.ack();
    }
    return sent;
  }
}
