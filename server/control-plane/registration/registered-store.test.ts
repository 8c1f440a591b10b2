import { expect, test } from "vitest";
import { MemoryConfigStore } from "../../config/memory-store.ts";
import { type ConfigObject, keyOf } from "../../config/object.ts";
import { FakeClock } from "../../lib/testing/fake-clock.ts";
import { objectsOf } from "../../translate/testing/cases.ts";
import { createChangeLog } from "./change-log.ts";
import { registeredStore } from "./registered-store.ts";

const entryOf = (name: string, more = "") =>
  objectsOf(`
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ${name}, namespace: default${more} }
spec: { address: 10.0.0.1 }
`)[0] as ConfigObject;

const registered = entryOf("cart-10.0.0.1", ", annotations: { istio.io/autoRegistrationGroup: cart }");
const key = keyOf(registered);
const written = entryOf("written");

async function setUp() {
  const inner = new MemoryConfigStore({ clock: new FakeClock() });
  await inner.commit([{ op: "put", object: written }], "test");
  let entries = [registered];
  const removed: string[] = [];
  const store = registeredStore(inner, {
    entries: () => entries,
    remove(name) {
      removed.push(name);
      entries = [];
      return true;
    },
    log: createChangeLog(),
  });
  return { inner, store, removed };
}

const names = (items: readonly ConfigObject[]) => items.map(({ metadata }) => metadata.name);

test("who registered is read among the written ones, of its kind and namespace alone", async () => {
  const { store } = await setUp();
  expect(await store.get(key)).toBe(registered);
  expect(names((await store.list()).items)).toEqual(["cart-10.0.0.1", "written"]);
  expect(names((await store.list({ kind: "WorkloadEntry", namespace: "other" })).items)).toEqual([]);
  expect(names((await store.list({ kind: "ServiceEntry" })).items)).toEqual([]);
});

test("deleting who registered is told as such, and is no revision of the config", async () => {
  const { inner, store, removed } = await setUp();
  const before = await inner.revision();
  const { changes } = await store.commit([{ op: "delete", key }], "me");
  expect(changes).toEqual([{ type: "DELETED", key, before: registered }]);
  expect(removed).toEqual(["default/cart-10.0.0.1"]);
  expect(await inner.revision()).toBe(before);
  expect(await store.get(key)).toBeUndefined();
});

test("together with written ones both go; a dry run deletes neither", async () => {
  const { inner, store, removed } = await setUp();
  const both = [
    { op: "delete" as const, key },
    { op: "delete" as const, key: keyOf(written) },
  ];
  const tried = await store.commit(both, "me", { dryRun: true });
  expect(tried.changes.map(({ type, key: { name } }) => [type, name])).toEqual([
    ["DELETED", "written"],
    ["DELETED", "cart-10.0.0.1"],
  ]);
  expect([removed, names((await store.list()).items)]).toEqual([[], ["cart-10.0.0.1", "written"]]);
  await store.commit(both, "me");
  expect([removed, names((await inner.list()).items)]).toEqual([["default/cart-10.0.0.1"], []]);
});

test("where the commit is refused, who registered stays", async () => {
  const { store, removed } = await setUp();
  const wrong = { op: "delete" as const, key: keyOf(written), expect: "999" };
  await expect(store.commit([{ op: "delete", key }, wrong], "me")).rejects.toThrow();
  expect(removed).toEqual([]);
});

test("writing it is refused with its group's name, and what somebody wrote under its name before is theirs", async () => {
  const { inner, store, removed } = await setUp();
  await expect(store.commit([{ op: "put", object: registered }], "me")).rejects.toThrow(
    "WorkloadEntry default/cart-10.0.0.1 is that of a workload that registered itself: change the WorkloadGroup default/cart",
  );
  const own = entryOf("cart-10.0.0.1");
  await inner.commit([{ op: "put", object: own }], "test");
  expect((await store.get(key))?.metadata.annotations).toBeUndefined();
  expect(names((await store.list()).items)).toEqual(["cart-10.0.0.1", "written"]);
  await store.commit([{ op: "delete", key }], "me");
  expect(removed).toEqual([]);
  // It shows again, as it was all the while.
  expect(await store.get(key)).toBe(registered);
});
