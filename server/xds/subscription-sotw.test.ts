import { describe, expect, test } from "vitest";
import { Client, mapOf } from "./testing/scripted-client.ts";
import { TypeUrl } from "./types.ts";

const { cluster, endpoint } = TypeUrl;

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

  test("what a client refused is told gone, since it may hold one from an earlier stream", () => {
    const client = new Client(cluster, "sotw", { a: "2", b: "1" });
    client.send();
    client.next();
    client.nack("Error adding/updating cluster(s) a: no");
    expect(client.drain()).toEqual([]);
    client.map = mapOf({ b: "1" });
    expect(client.drain()).toEqual(["+b@1 -a"]);
    expect(client.subscription.refused("a")).toBeUndefined();
    expect(client.drain()).toEqual([]);
  });
});
