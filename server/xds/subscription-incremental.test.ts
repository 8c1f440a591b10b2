import { describe, expect, test } from "vitest";
import { Client, mapOf } from "./testing/scripted-client.ts";
import { TypeUrl } from "./types.ts";

const { cluster, endpoint, virtualHost } = TypeUrl;

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
