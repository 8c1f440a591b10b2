import { describe, expect, test } from "vitest";
import { statusOf } from "./resource-status.ts";
import { Client, mapOf, resource } from "./testing/scripted-client.ts";
import { TypeUrl } from "./types.ts";

const { cluster, virtualHost } = TypeUrl;

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
