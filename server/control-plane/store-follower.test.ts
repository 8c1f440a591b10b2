import { afterEach, expect, test, vi } from "vitest";
import { MemoryConfigStore } from "../config/memory-store.ts";
import type { ConfigObject } from "../config/object.ts";
import { CompactedError, type ConfigStore } from "../config/store.ts";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { followStore, type StoreFollower } from "./store-follower.ts";

const followers: StoreFollower[] = [];
afterEach(async () => {
  for (const follower of followers.splice(0)) await follower.stop();
});

const object = (name: string): ConfigObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "default" },
  spec: {},
});
const put = (store: ConfigStore, name: string) => store.commit([{ op: "put", object: object(name) }], "test");

function follow(store: ConfigStore) {
  const seen: string[] = [];
  const follower = followStore({
    store,
    clock: systemClock,
    logger: silentLogger,
    onList: (objects) => seen.push(`list ${objects.map(({ metadata }) => metadata.name)}`),
    onCommit: (commit) => seen.push(commit.changes.map(({ key }) => key.name).join()),
  });
  followers.push(follower);
  return { follower, seen };
}

test("a full list, then every commit", async () => {
  const store = new MemoryConfigStore();
  await put(store, "a");
  const { follower, seen } = follow(store);
  await follower.start();
  expect(seen).toEqual(["list a"]);
  await put(store, "b");
  await put(store, "c");
  await vi.waitFor(() => expect(seen).toEqual(["list a", "b", "c"]));
});

test("a history that no longer reaches back is listed anew", async () => {
  const store = new MemoryConfigStore({ maxHistory: 1 });
  await put(store, "a");
  const { follower, seen } = follow(store);
  // Falls behind before the watch begins: the list is of an older revision than the history knows.
  const list = store.list.bind(store);
  vi.spyOn(store, "list").mockImplementationOnce(async (query) => {
    const result = await list(query);
    for (const name of ["b", "c", "d"]) await put(store, name);
    return result;
  });
  await follower.start();
  await vi.waitFor(() => expect(seen).toEqual(["list a", "list a,b,c,d"]));
});

test("comes back where it was when the watch fails", async () => {
  const store = new MemoryConfigStore();
  const { follower, seen } = follow(store);
  const watch = vi.spyOn(store, "watch").mockImplementationOnce(() => {
    throw new Error("the database is away");
  });
  await follower.start();
  await put(store, "a");
  await vi.waitFor(() => expect(seen).toEqual(["list ", "a"]));
  expect(watch).toHaveBeenCalledTimes(2);
});

test("an empty store in place of a full one is refused, and said, until the mesh is back", async () => {
  const full = new MemoryConfigStore({ maxHistory: 1 });
  await put(full, "a");
  let current: ConfigStore = full;
  const broken = new AbortController();
  const store: ConfigStore = {
    get: (key) => current.get(key),
    list: (query) => current.list(query),
    commit: (...args) => current.commit(...args),
    async *watch(revision, signal) {
      if (!broken.signal.aborted) yield* current.watch(revision, AbortSignal.any([signal, broken.signal]));
      if (!signal.aborted) throw new CompactedError("the history goes on from another file");
    },
    history: (query) => current.history(query),
    revision: () => current.revision(),
    check: () => current.check(),
    close: () => current.close(),
  };
  const { follower, seen } = follow(store);
  await follower.start();
  current = new MemoryConfigStore();
  broken.abort();
  await vi.waitFor(() => expect(follower.problem()).toContain("it is empty, and a mesh was in it"));
  expect(seen).toEqual(["list a"]);
  current = full;
  await vi.waitFor(() => expect(seen.slice(0, 2)).toEqual(["list a", "list a"]), 5_000);
});

test("a mesh whose last object was deleted may be listed empty", async () => {
  const store = new MemoryConfigStore({ maxHistory: 1 });
  await put(store, "a");
  const { follower, seen } = follow(store);
  await follower.start();
  await store.commit([{ op: "delete", key: { kind: "Service", namespace: "default", name: "a" } }], "test");
  await vi.waitFor(() => expect(seen).toEqual(["list a", "a"]));
  expect(follower.problem()).toBeUndefined();
});
