import { afterEach, expect, it } from "vitest";
import { MemoryConfigStore } from "../../../config/memory-store.ts";
import type { ConfigObject } from "../../../config/object.ts";
import type { BadgesThen } from "../../../contract/index.ts";
import { systemClock } from "../../../lib/clock.ts";
import { buildMesh } from "../../../model/mesh.ts";
import { type ApiHarness, startApi } from "../testing/api-harness.ts";
import { modelAt } from "./badges-then.ts";

let api: ApiHarness | undefined;
afterEach(() => api?.close());

const entry = {
  apiVersion: "networking.istio.io/v1",
  kind: "ServiceEntry",
  metadata: { name: "echo", namespace: "default" },
  spec: {
    hosts: ["echo.shop.test"],
    resolution: "STATIC",
    ports: [{ number: 80, name: "http", protocol: "HTTP" }],
    endpoints: [{ address: "127.0.0.1" }],
  },
};
const route = (rule: object) => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "echo", namespace: "default" },
  spec: {
    hosts: ["echo.shop.test"],
    http: [{ ...rule, route: [{ destination: { host: "echo.shop.test" } }] }],
  },
});

it("says where config acted at a moment, by the rules that were in force then", async () => {
  let now = 1000;
  api = await startApi({ clock: { ...systemClock, now: () => now } });
  const write = async (...objects: object[]) => {
    now += 1000;
    const { status } = (await api?.call("POST", "/limpid/v1/transactions", {
      writes: objects.map((object) => ({ op: "put", object })),
    })) ?? { status: 0 };
    expect(status).toBe(200);
    return now;
  };
  const at = async (ms: number) => {
    const { body } = (await api?.call("GET", `/limpid/v1/badges?at=${ms}`)) ?? {};
    return (body as BadgesThen).services.find(({ hostname }) => hostname === "echo.shop.test")?.badges;
  };
  const plain = await write(entry, route({}));
  const slow = await write(route({ timeout: "2s" }));
  await write(route({ fault: { abort: { httpStatus: 503, percentage: { value: 50 } } } }));
  expect([await at(plain), await at(slow), await at(slow + 500), await at(now)]).toEqual([
    [],
    ["timeout"],
    ["timeout"],
    ["fault"],
  ]);
});

it("makes the mesh of then from the one that is there, which stays what it is where nothing differs", async () => {
  const store = new MemoryConfigStore();
  const put = async (object: object) =>
    (await store.commit([{ op: "put", object: object as ConfigObject }], "test")).revision;
  await put(entry);
  const then = await put(route({}));
  const last = await put(route({ timeout: "2s" }));
  const { items, revision } = await store.list();
  const now = buildMesh(items, revision);
  const at = async (moment: number) => (await modelAt({ store, mesh: async () => now }, { revision: moment })).mesh();
  expect(await at(last)).toBe(now);
  const before = await at(then);
  expect(before).not.toBe(now);
  expect(before.services).toBe(now.services);
});
