import { describe, expect, test } from "vitest";
import { statusOf } from "./resource-status.ts";
import { Client, mapOf, resource } from "./testing/scripted-client.ts";
import { type Resource, TypeUrl } from "./types.ts";

const { cluster, endpoint } = TypeUrl;

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
