import { expect, test } from "vitest";
import type { HTTPRoute } from "../kinds/index.ts";
import { MemoryConfigStore } from "../memory-store.ts";
import type { ConfigObject } from "../object.ts";
import type { Write } from "../store.ts";
import { changeOf } from "./summary.ts";

const put = (http: HTTPRoute[], name = "reviews"): Write => ({
  op: "put",
  object: {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name, namespace: "default" },
    spec: { hosts: [name], http },
  } as ConfigObject,
});
const split = (v1: number, v2: number): HTTPRoute => ({
  route: [
    { destination: { host: "reviews", subset: "v1" }, weight: v1 },
    { destination: { host: "reviews", subset: "v2" }, weight: v2 },
  ],
});

test("says what a commit was about", async () => {
  const store = new MemoryConfigStore();
  const said = async (writes: Write[], reason?: string) => {
    const { kind, summary } = changeOf(await store.commit(writes, "ann", { reason }));
    return [kind, summary];
  };
  const fault = { abort: { httpStatus: 503, percentage: { value: 50 } } };
  expect(await said([put([split(80, 20)])])).toEqual(["config", "VirtualService reviews added"]);
  expect(await said([put([split(70, 30)])])).toEqual(["traffic", "reviews 80/20 → 70/30"]);
  expect(await said([put([{ route: [{ destination: { host: "reviews", subset: "v3" } }] }])])).toEqual([
    "traffic",
    "reviews 70/30/0 → 0/0/100",
  ]);
  expect(await said([put([{ ...split(70, 30), fault }])])).toEqual([
    "fault-start",
    "fault on reviews: 50 % aborted with 503",
  ]);
  expect(await said([put([split(70, 30)])])).toEqual(["fault-end", "fault on reviews ended"]);
  expect(await said([put([{ ...split(70, 30), timeout: "1s" }])])).toEqual([
    "config",
    "VirtualService reviews changed",
  ]);
  expect(await said([put([split(1, 99)])], "canary of the week")).toEqual(["traffic", "canary of the week"]);
  expect(await said([put([split(1, 1)], "a"), put([split(1, 1)], "b"), put([split(1, 1)], "c")])).toEqual([
    "config",
    "VirtualService a added and 2 more",
  ]);
  const key = { kind: "VirtualService", namespace: "default", name: "reviews" };
  const last = changeOf(await store.commit([{ op: "delete", key }], "bob"));
  expect(last).toMatchObject({
    author: "bob",
    summary: "VirtualService reviews deleted",
    objects: [{ type: "DELETED", ...key }],
  });
});
