import { describe, expect, test } from "vitest";
import type { Protocol, Push, SubscriptionRequest } from "./exchange.ts";
import { statusOf } from "./resource-status.ts";
import { Subscription } from "./subscription.ts";
import { type Resource, type ResourceMap, TypeUrl } from "./types.ts";

const { cluster, endpoint, virtualHost } = TypeUrl;

const resource = (name: string, version: string): Resource => ({ name, version, value: new Uint8Array(100) });

/** `{ a: "1" }` → a map with resource a at version 1. */
const mapOf = (versions: Record<string, string>): ResourceMap =>
  new Map(Object.entries(versions).map(([name, version]) => [name, resource(name, version)]));

/** A client and the server's belief of it; `+a@1 -b` is a response that adds a at version 1 and removes b. */
class Client {
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

test("names of what is gone count in a response's size, and come in several", () => {
  const client = new Client(cluster, "delta", {});
  const asked = Array.from({ length: 500 }, (_, i) => `name-${i}-${"x".repeat(90)}`);
  client.send({ subscribe: asked });
  const told: string[] = [];
  for (let text = client.next(10_000); text !== undefined; text = client.next(10_000)) {
    expect(text.length).toBeLessThan(10_000);
    told.push(...text.split(" ").map((word) => word.slice(1)));
    client.ack();
  }
  expect(told).toEqual(asked);
});

test("a wildcard client that unsubscribes from what it never had leaves nothing behind", () => {
  const client = new Client(cluster, "delta", { a: "1" });
  client.send();
  client.drain();
  client.send({ unsubscribe: ["nothing", "a"] });
  expect(client.drain()).toEqual(["+a@1"]);
});

describe("incremental", () => {
  test("an empty first request is a wildcard, and an empty answer is an answer", () => {
    const client = new Client(cluster, "delta", {});
    expect(client.next()).toBeUndefined();
    client.send();
    expect(client.next()).toBe("");
    client.ack();
    expect(client.next()).toBeUndefined();
    client.map = mapOf({ a: "1" });
    expect(client.next()).toBe("+a@1");
  });

  test.each([
    [cluster, "+a@1"],
    [TypeUrl.listener, "+a@1"],
    [virtualHost, "+a@1"],
    [endpoint, ""],
    [TypeUrl.route, ""],
  ])("an empty first request for %s gets %j", (typeUrl, expected) => {
    const client = new Client(typeUrl, "delta", { a: "1" });
    client.send();
    expect(client.next()).toBe(expected);
  });

  test("an explicit wildcard holds for every type, beside names", () => {
    const client = new Client(endpoint, "delta", { a: "1", b: "1" });
    client.send({ subscribe: ["*", "c"] });
    expect(client.drain()).toEqual(["+a@1 +b@1 -c"]);
  });

  test("only what changed is sent, and removals in the later phase", () => {
    const client = new Client(cluster, "delta", { a: "1", b: "1" });
    client.send();
    expect(client.drain()).toEqual(["+a@1 +b@1"]);
    client.map = mapOf({ a: "2", c: "1" });
    expect(client.drain()).toEqual(["+a@2 +c@1", "-b"]);
    expect(client.drain()).toEqual([]);
  });

  test("one response at a time; what came meanwhile goes as its newest state", () => {
    const client = new Client(cluster, "delta", { a: "1" });
    client.send();
    expect(client.next()).toBe("+a@1");
    for (const version of ["2", "3", "4"]) {
      client.map = mapOf({ a: version });
      expect(client.next()).toBeUndefined();
    }
    client.ack();
    expect(client.next()).toBe("+a@4");
  });

  test("a response is bounded, the rest follows", () => {
    const client = new Client(cluster, "delta", { a: "1", b: "1", c: "1" });
    client.send();
    expect(client.next(950)).toBe("+a@1 +b@1");
    client.ack();
    expect(client.next(950)).toBe("+c@1");
    client.ack();
    client.map = mapOf({ a: "2", b: "1", c: "1" });
    expect(client.next(1)).toBe("+a@2"); // larger than the bound, but at least one
  });

  test("names: subscribed ones are answered though known, absent ones as removed, unsubscribed ones forgotten", () => {
    const client = new Client(endpoint, "delta", { a: "1", b: "1" });
    client.send({ subscribe: ["a", "x"] });
    expect(client.drain()).toEqual(["+a@1 -x"]);
    client.send({ subscribe: ["a"] });
    expect(client.drain()).toEqual(["+a@1"]);
    client.send({ unsubscribe: ["a"] });
    client.map = mapOf({ a: "2", b: "2" });
    expect(client.drain()).toEqual([]);
    client.map = mapOf({ x: "1" });
    expect(client.drain()).toEqual(["+x@1"]); // and nothing about a, which is gone
  });

  test("a name taken out from under the wildcard is told again", () => {
    const client = new Client(cluster, "delta", { a: "1" });
    client.send({ subscribe: ["*", "a", "x"] });
    client.drain();
    client.send({ unsubscribe: ["a", "x"] });
    expect(client.drain()).toEqual(["+a@1 -x"]);
    client.send({ unsubscribe: ["*"] });
    client.map = mapOf({ a: "2" });
    expect(client.drain()).toEqual([]);
  });

  test("a resumed stream gets only what differs", () => {
    const client = new Client(cluster, "delta", { a: "1", b: "2", c: "1" });
    client.send({ initialVersions: new Map(Object.entries({ a: "1", b: "1", gone: "1" })) });
    expect(client.drain()).toEqual(["+b@2 +c@1", "-gone"]);
  });

  test("a resumed stream by name", () => {
    const client = new Client(endpoint, "delta", { a: "1", b: "2" });
    client.send({
      subscribe: ["a", "b", "x"],
      initialVersions: new Map(Object.entries({ a: "1", b: "1", dropped: "1" })),
    });
    expect(client.drain()).toEqual(["+b@2 -x"]);
  });

  test("an answer to an earlier nonce is stale, but its names count", () => {
    const client = new Client(endpoint, "delta", { a: "1", b: "1" });
    client.send({ subscribe: ["a"] });
    client.next();
    expect(client.send({ responseNonce: "no such", subscribe: ["b"] })).toEqual({ kind: "stale" });
    expect(client.next()).toBeUndefined();
    expect(client.ack()).toEqual({ kind: "ack" });
    expect(client.next()).toBe("+b@1");
  });

  test("what a dependency makes the client ask for again is sent again, once", () => {
    const client = new Client(endpoint, "delta", { a: "1", b: "1" });
    client.send({ subscribe: ["a", "b"] });
    client.drain();
    client.subscription.want("a");
    client.subscription.want("not subscribed");
    expect(client.drain()).toEqual(["+a@1"]);
  });
});

describe("refusals", () => {
  test("a named one: the others stand, and it is not sent again until its content changes", () => {
    const client = new Client(cluster, "delta", { a: "1", b: "1" });
    client.send();
    client.drain();
    client.map = mapOf({ a: "2", b: "2" });
    client.next();
    const outcome = client.nack("Error adding/updating cluster(s) b: no");
    expect(outcome).toMatchObject({ kind: "nack", refused: new Map([["b", "no"]]) });
    expect(client.drain()).toEqual([]);
    client.map = mapOf({ a: "3", b: "2" });
    expect(client.drain()).toEqual(["+a@3"]);
    client.map = mapOf({ a: "3", b: "3" });
    expect(client.drain()).toEqual(["+b@3"]);
  });

  test("going back to the version in force needs no response", () => {
    const client = new Client(cluster, "delta", { a: "1" });
    client.send();
    client.drain();
    client.map = mapOf({ a: "2" });
    client.next();
    client.nack("a: no");
    client.map = mapOf({ a: "1" });
    expect(client.drain()).toEqual([]);
    expect(statusOf(client.subscription, resource("a", "1"))).toMatchObject({ state: "SYNCED" });
  });

  test("a refused resource that vanishes is removed only if an earlier one is in force", () => {
    const client = new Client(cluster, "delta", { a: "1" });
    client.send();
    client.next();
    client.nack("a: no");
    client.map = mapOf({});
    expect(client.drain()).toEqual([]);
  });

  /** Refuses, without naming it, every response that holds a bad resource. */
  function drainAgainst(client: Client, bad: Set<string>, names: string[] = []): string[] {
    const sent: string[] = [];
    for (let text = client.next(); text !== undefined && sent.length < 50; text = client.next()) {
      sent.push(text);
      const isBad = client.last?.resources.some(({ name, version }) => bad.has(`${name}@${version}`));
      if (isBad) client.nack("something is wrong", names);
      else client.ack(names);
    }
    return sent;
  }

  test("an unnamed one is found by halves", () => {
    const client = new Client(virtualHost, "delta", { a: "1", b: "1", c: "1", d: "1" });
    client.send();
    expect(drainAgainst(client, new Set(["c@1"]))).toEqual([
      "+a@1 +b@1 +c@1 +d@1",
      "+a@1 +b@1",
      "+c@1 +d@1",
      "+c@1",
      "+d@1",
    ]);
    expect(client.subscription.refused("c")?.detail).toBe("something is wrong");
    expect(["a", "b", "d"].every((name) => client.subscription.accepted(name))).toBe(true);
    client.map = mapOf({ a: "1", b: "1", c: "2", d: "1" });
    expect(drainAgainst(client, new Set())).toEqual(["+c@2"]);
  });

  test("several unnamed ones are found among many", () => {
    const names = Array.from({ length: 64 }, (_, i) => `n${i}`);
    const client = new Client(virtualHost, "delta", Object.fromEntries(names.map((name) => [name, "1"])));
    client.send();
    drainAgainst(client, new Set(["n3@1", "n40@1"]));
    const refused = names.filter((name) => client.subscription.refused(name));
    expect(refused).toEqual(["n3", "n40"]);
    expect(names.filter((name) => client.subscription.accepted(name))).toHaveLength(62);
  });

  test("while looking for the culprit, a newer version is tried instead", () => {
    const client = new Client(virtualHost, "delta", { a: "1", b: "1" });
    client.send();
    client.next();
    client.nack("wrong");
    client.map = mapOf({ a: "1", b: "2" });
    expect(drainAgainst(client, new Set(["b@1"]))).toEqual(["+a@1", "+b@2"]);
  });

  test("a state-of-the-world client keeps the last good one while others change", () => {
    const client = new Client(cluster, "sotw", { a: "1", b: "1" });
    client.send();
    expect(drainAgainst(client, new Set())).toEqual(["+a@1 +b@1"]);
    client.map = mapOf({ a: "2", b: "2" });
    drainAgainst(client, new Set(["b@2"]));
    client.map = mapOf({ a: "3", b: "2" });
    expect(drainAgainst(client, new Set(["b@2"]))).toEqual(["+a@3 +b@1"]);
  });

  test("a state-of-the-world client's unnamed culprit is found by halves, nothing else is lost", () => {
    const client = new Client(cluster, "sotw", { a: "1" });
    client.send();
    drainAgainst(client, new Set());
    client.map = mapOf({ a: "1", b: "1", c: "1" });
    expect(drainAgainst(client, new Set(["b@1"]))).toEqual(["+a@1 +b@1 +c@1", "+a@1 +b@1", "+a@1 +c@1"]);
    expect(client.subscription.refused("b")).toBeDefined();
  });
});

describe("state of the world", () => {
  test("clusters: everything each time, gone ones only after what is new stands", () => {
    const client = new Client(cluster, "sotw", { a: "1", b: "1" });
    client.send();
    expect(client.drain()).toEqual(["+a@1 +b@1"]);
    client.map = mapOf({ a: "1", c: "1" });
    expect(client.drain()).toEqual(["+a@1 +c@1 +b@1", "+a@1 +c@1 -b"]);
    expect(client.drain()).toEqual([]);
  });

  test("endpoints: what changed, or is newly named", () => {
    const client = new Client(endpoint, "sotw", { a: "1", b: "1", c: "1" });
    client.send({ subscribe: ["a", "b"] });
    expect(client.next()).toBe("+a@1 +b@1");
    client.ack(["a", "b", "c"]);
    expect(client.next()).toBe("+c@1");
    client.ack(["a", "b", "c"]);
    client.map = mapOf({ a: "1", b: "2", c: "1" });
    expect(client.next()).toBe("+b@2");
    client.ack(["a", "c"]);
    client.map = mapOf({ a: "1", b: "3", c: "1" });
    expect(client.next()).toBeUndefined();
  });

  test("names narrow the old wildcard, and an empty list after names is none", () => {
    const client = new Client(cluster, "sotw", { a: "1", b: "1" });
    client.send({ subscribe: ["a"] });
    expect(client.next()).toBe("+a@1");
    client.ack([]);
    client.map = mapOf({ a: "2", b: "2" });
    expect(client.next()).toBeUndefined();
    client.send({ responseNonce: client.last?.nonce, subscribe: ["*"] });
    expect(client.next()).toBe("+a@2 +b@2");
  });

  test("a request with an old nonce is ignored whole", () => {
    const client = new Client(endpoint, "sotw", { a: "1", b: "1" });
    client.send({ subscribe: ["a"] });
    client.next();
    expect(client.send({ responseNonce: "", subscribe: ["a", "b"] })).toEqual({ kind: "stale" });
    client.ack(["a"]);
    expect(client.next()).toBeUndefined();
  });

  test("a name that is dropped and asked for again while a response is on its way is sent again", () => {
    const client = new Client(endpoint, "sotw", { a: "1", b: "1" });
    client.send({ subscribe: ["a", "b"] });
    client.next();
    client.ack(["a", "b"]);
    const { nonce } = client.last ?? {};
    client.map = mapOf({ a: "2", b: "1" });
    expect(client.next()).toBe("+a@2");
    client.send({ responseNonce: nonce, subscribe: ["a"] });
    client.send({ responseNonce: nonce, subscribe: ["a", "b"] });
    client.ack(["a", "b"]);
    expect(client.next()).toBe("+b@1");
  });
});

describe("status", () => {
  test("NOT_SENT → STALE → SYNCED → STALE → ERROR → STALE → SYNCED", () => {
    const client = new Client(cluster, "delta", { a: "1" });
    const state = () => statusOf(client.subscription, [...client.map.values()][0] as Resource);
    expect(state().state).toBe("NOT_SENT");
    client.send();
    expect(state().state).toBe("NOT_SENT");
    client.next();
    expect(state().state).toBe("STALE");
    client.ack();
    expect(state()).toEqual({ state: "SYNCED", acceptedAt: 2 });
    client.map = mapOf({ a: "2" });
    expect(state()).toEqual({ state: "STALE", acceptedAt: 2 });
    client.next();
    client.nack("a: no");
    expect(state()).toMatchObject({ state: "ERROR", acceptedAt: 2, refused: { version: "2", at: 3, detail: "no" } });
    client.map = mapOf({ a: "3" });
    expect(state().state).toBe("STALE");
    client.next();
    client.ack();
    expect(state()).toEqual({ state: "SYNCED", acceptedAt: 4 });
  });

  test("a name that was not asked for is NOT_SENT", () => {
    const client = new Client(endpoint, "delta", { a: "1" });
    client.send({ subscribe: ["b"] });
    client.drain();
    expect(statusOf(client.subscription, resource("a", "1")).state).toBe("NOT_SENT");
    expect(statusOf(undefined, resource("a", "1")).state).toBe("NOT_SENT");
  });
});

describe("what clients share", () => {
  const names = Array.from({ length: 400 }, (_, i) => `n${i}`);
  const versions = (version: string) => Object.fromEntries(names.map((name) => [name, version]));

  /** Clients of one map, each with what it was sent. */
  function fleet(count: number, typeUrl: string, request: Partial<SubscriptionRequest>) {
    const clients = Array.from({ length: count }, () => new Client(typeUrl, "delta", {}));
    const map = mapOf(versions("1"));
    const sent = clients.map((client) => {
      client.map = map;
      client.send(request);
      client.drain();
      return client.last;
    });
    return { clients, sent };
  }

  test.each([
    ["everything", cluster, {}],
    ["names", endpoint, { subscribe: names }],
    ["what they held", cluster, { initialVersions: new Map(Object.entries(versions("1"))) }],
  ])("%s: a client that holds what others hold costs nothing by itself", (_, typeUrl, request) => {
    const { clients, sent } = fleet(3, typeUrl, request);
    expect(clients.map(({ subscription }) => subscription.ownSize)).toEqual([0, 0, 0]);
    if (!("initialVersions" in request)) expect(new Set(sent.map((push) => push?.resources)).size).toBe(1);
    for (const { subscription } of clients) expect(subscription.accepted("n7")?.version).toBe("1");
  });

  test("what changes afterwards is its own, until it is much; then it is shared again", () => {
    const { clients } = fleet(2, cluster, {});
    const [client] = clients as [Client];
    const change = (from: number, to: number, version: string) => {
      const next = names.slice(from, to).map((name) => [name, resource(name, version)] as const);
      client.map = new Map([...client.map, ...next]);
      client.drain();
      return client.subscription.ownSize;
    };
    expect(change(0, 3, "2")).toBe(3);
    expect(change(0, 256, "3")).toBe(256);
    expect(change(300, 301, "4")).toBe(0);
    expect(["n2", "n299", "n300"].map((name) => client.subscription.accepted(name)?.version)).toEqual(["3", "1", "4"]);
    expect(clients[1]?.subscription.accepted("n2")?.version).toBe("1");
  });

  test("names that come a few at a time make no lists", () => {
    const client = new Client(endpoint, "delta", versions("1"));
    client.send({ subscribe: names.slice(0, 2) });
    client.drain();
    for (let i = 2; i < 400; i += 2) client.send({ subscribe: names.slice(i, i + 2) });
    expect(client.drain()).toHaveLength(1);
    client.send({ unsubscribe: ["n7"] });
    expect(client.subscription.nameCount).toBe(399);
    expect([client.subscription.holds("n6"), client.subscription.holds("n7")]).toEqual([true, false]);
  });
});
