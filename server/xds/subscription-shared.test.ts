import { describe, expect, test } from "vitest";
import type { SubscriptionRequest } from "./exchange.ts";
import { Client, mapOf, resource } from "./testing/scripted-client.ts";
import { TypeUrl } from "./types.ts";

const { cluster, endpoint } = TypeUrl;

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
