import { expect, test } from "vitest";
import { randomFrom } from "../lib/testing/random.ts";
import type { Push, SubscriptionRequest } from "./exchange.ts";
import { formatRefusals } from "./nack.ts";
import { kindOf } from "./resource-kinds.ts";
import { Subscription } from "./subscription.ts";
import { type Resource, TypeUrl } from "./types.ts";

const names = ["a", "b", "c", "d", "e", "f"];

interface Life {
  readonly type: keyof typeof TypeUrl;
  readonly wildcard: boolean;
  /** A refusal says whom it means, and the others are in force; otherwise nothing of the response is. */
  readonly namesCulprits: boolean;
  /** Every so many-th resource is bad in one of its versions; 0: none. */
  readonly badShare: number;
}

/** A client as Envoy is one on the state-of-the-world protocol, and our server, with two queues between them that move when the test says. */
class Wire {
  readonly bad = new Set<string>();
  map = new Map<string, Resource>();
  responses = 0;
  subscription: Subscription;
  readonly asked = new Set(["a", "b"]);
  /** Name → version, of what is in force. */
  readonly held = new Map<string, string>();
  readonly #life: Life;
  readonly #isWhole: boolean;
  #nonce = "";
  #toServer: SubscriptionRequest[] = [];
  #toClient: Push[] = [];

  constructor(life: Life) {
    this.#life = life;
    this.#isWhole = kindOf(TypeUrl[life.type])?.wholeState === true;
    this.subscription = new Subscription(TypeUrl[life.type], "sotw");
    this.reconnect();
  }

  reconnect(): void {
    this.subscription = new Subscription(TypeUrl[this.#life.type], "sotw");
    this.#toClient = [];
    this.#toServer = [];
    this.#nonce = "";
    this.#send();
  }

  subscribe(more: readonly string[]): void {
    if (this.#life.wildcard) return;
    for (const name of more) this.asked.add(name);
    this.#send();
  }

  unsubscribe(name: string): void {
    if (this.#life.wildcard || this.asked.size === 1 || !this.asked.delete(name)) return;
    this.held.delete(name);
    this.#send();
  }

  deliverToServer(): void {
    const request = this.#toServer.shift();
    if (request) this.subscription.receive(request, 1);
  }

  deliverToClient(): void {
    const response = this.#toClient.shift();
    if (!response) return;
    this.#nonce = response.nonce;
    const { namesCulprits } = this.#life;
    const covered = response.resources.filter(({ name }) => this.#life.wildcard || this.asked.has(name));
    const refused = covered.filter(({ name, version }) => this.bad.has(`${name}@${version}`));
    if (refused.length === 0 || namesCulprits) this.#apply(covered, refused);
    const reasons = new Map(refused.map(({ name }) => [name, "bad"]));
    const reason = namesCulprits ? formatRefusals(kindOf(TypeUrl[this.#life.type])?.noun ?? "", reasons) : "something";
    this.#send(refused.length > 0 ? reason : undefined);
  }

  push(): void {
    const push = this.subscription.next(this.map, "add") ?? this.subscription.next(this.map, "remove");
    if (!push) return;
    this.responses += 1;
    this.#toClient.push(push);
  }

  settle(): void {
    for (let i = 0; i < 300; i++) {
      this.push();
      this.deliverToClient();
      this.deliverToServer();
    }
  }

  #apply(resources: readonly Resource[], refused: readonly Resource[]): void {
    if (this.#isWhole) {
      const there = new Set(resources.map(({ name }) => name));
      for (const name of this.held.keys()) if (!there.has(name)) this.held.delete(name);
    }
    for (const resource of resources) if (!refused.includes(resource)) this.held.set(resource.name, resource.version);
  }

  #send(error?: string): void {
    this.#toServer.push({
      subscribe: this.#life.wildcard ? [] : [...this.asked],
      responseNonce: this.#nonce,
      ...(error !== undefined && { error }),
    });
  }
}

/** One random step of a life: config changes, names come and go, messages arrive late, the stream breaks. */
function step(wire: Wire, random: (below: number) => number): void {
  const name = names[random(names.length)] ?? "a";
  switch (random(10)) {
    case 0:
    case 1:
      wire.map = new Map(wire.map).set(name, { name, version: String(random(4)), value: new Uint8Array(100) });
      break;
    case 2:
      wire.map = new Map(wire.map);
      wire.map.delete(name);
      break;
    case 3:
      wire.subscribe(random(3) === 0 ? names.slice(random(names.length)) : [name]);
      break;
    case 4:
      wire.unsubscribe(name);
      break;
    case 5:
      if (random(4) === 0) wire.reconnect();
      break;
    case 6:
      wire.deliverToClient();
      break;
    case 7:
      wire.deliverToServer();
      break;
    default:
      wire.push();
  }
}

const types = ["listener", "route", "cluster", "endpoint", "secret", "runtime", "extensionConfig"] as const;

const lives: Life[] = types.flatMap((type) =>
  [false, true].flatMap((wildcard) =>
    [
      { namesCulprits: true, badShare: 0 },
      { namesCulprits: true, badShare: 4 },
      { namesCulprits: false, badShare: 4 },
    ]
      .map((life) => ({ type, wildcard, ...life }))
      .filter(() => !wildcard || kindOf(TypeUrl[type])?.wildcardByDefault),
  ),
);

/** The last one by its seed: what was refused and then went had come in the place of one that a client has from an earlier stream. */
const seeds = [...Array.from({ length: 300 }, (_, index) => index + 1), 90838];

test.each(lives)("in the end both sides agree: $type, wildcard $wildcard, $namesCulprits $badShare", (life) => {
  const isWhole = kindOf(TypeUrl[life.type])?.wholeState === true;
  for (const seed of seeds) {
    const random = randomFrom(seed);
    const wire = new Wire(life);
    for (const name of names) if (life.badShare > 0 && random(life.badShare) === 0) wire.bad.add(`${name}@2`);
    const steps = random(80);
    for (let i = 0; i < steps; i++) step(wire, random);
    wire.settle();

    const before = wire.responses;
    wire.settle();
    expect(wire.responses, `seed ${seed}: silence`).toBe(before);
    for (const name of names) {
      const wanted = wire.subscription.covers(name) ? wire.map.get(name) : undefined;
      const held = wire.held.get(name);
      const where = `seed ${seed}, ${name}`;
      if (wanted && wire.bad.has(`${name}@${wanted.version}`)) {
        expect(wire.subscription.refused(name)?.version, `${where}: told as refused`).toBe(wanted.version);
        expect(held, `${where}: never in force`).not.toBe(wanted.version);
      } else if (wanted) {
        expect(held, `${where}: in force`).toBe(wanted.version);
        expect(wire.subscription.accepted(name)?.version, `${where}: believed`).toBe(held);
      } else if (isWhole) expect(held, `${where}: gone`).toBeUndefined();
    }
  }
});
