import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "../lib/clock.ts";
import { type ConfigObject, formatKey, keyOf, type ResourceKey } from "./object.ts";
import { type Commit, CompactedError, type ConfigStore, ConflictError, NotFoundError, type Write } from "./store.ts";

/** How the suite gets at one implementation. */
export interface StoreUnderTest {
  open(options: { clock: Clock; maxHistory?: number }): Promise<ConfigStore>;
  /** Opens what the store kept; absent where nothing outlives the process. */
  reopen?(options: { clock: Clock; maxHistory?: number }): Promise<ConfigStore>;
  cleanup(): Promise<void>;
}

/** What every ConfigStore has to do, whatever it stands on. */
export function describeConfigStore(name: string, setUp: () => StoreUnderTest): void {
  describe(`ConfigStore: ${name}`, () => {
    let subject: StoreUnderTest;
    let store: ConfigStore;
    let now: number;
    const clock: Clock = { now: () => now, setTimeout: () => ({ cancel() {} }) };
    const open: ConfigStore[] = [];
    const openWith = async (options: { maxHistory?: number } = {}) => {
      const opened = await subject.open({ clock, ...options });
      open.push(opened);
      return opened;
    };

    beforeEach(async () => {
      now = Date.parse("2026-03-01T10:00:00.500Z");
      subject = setUp();
      store = await openWith();
    });
    afterEach(async () => {
      for (const opened of open.splice(0)) await opened.close();
      await subject.cleanup();
    });

    test("history goes on below a revision", async () => {
      for (const name of ["a", "b", "c"]) await store.commit([put(rule(name))], "ann");
      const [newest] = await store.history({ limit: 1 });
      const older = await store.history({ before: newest?.revision ?? 0, limit: 1 });
      expect(older.map(({ changes }) => changes[0]?.key.name)).toEqual(["b"]);
      expect(await store.history({ before: 1, limit: 5 })).toEqual([]);
      await store.check();
    });

    test("is empty at first, at a positive revision", async () => {
      const { items, revision } = await store.list();
      expect(items).toEqual([]);
      expect(revision).toBeGreaterThan(0);
      expect(await store.revision()).toBe(revision);
      expect(await store.history({ limit: 10 })).toEqual([]);
      expect(await store.get(keyOf(rule("reviews")))).toBeUndefined();
    });

    test("gives a new object its uid, generation, creation time and version", async () => {
      const before = await store.revision();
      const commit = await store.commit([put(rule("reviews"))], "ann", { reason: "first" });
      expect(commit).toMatchObject({ revision: before + 1, at: now, author: "ann", reason: "first" });
      expect(commit.changes.map(({ type, key }) => [type, formatKey(key)])).toEqual([
        ["ADDED", "VirtualService/default/reviews"],
      ]);
      const stored = await store.get(keyOf(rule("reviews")));
      expect(stored?.metadata).toMatchObject({
        generation: 1,
        creationTimestamp: "2026-03-01T10:00:00Z",
        resourceVersion: String(commit.revision),
        uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
      expect(stored?.spec).toEqual(rule("reviews").spec);
      expect(commit.changes[0]?.after).toEqual(stored);
      expect(commit.changes[0]?.before).toBeUndefined();
    });

    test("counts generations by changes of spec only; uid and creation time stay", async () => {
      await store.commit([put(rule("reviews"))], "ann");
      const first = await mustGet(store, "reviews");
      now += 60_000;
      await store.commit([put(rule("reviews", { weight: 20 }))], "ann");
      const second = await mustGet(store, "reviews");
      expect(second.metadata.generation).toBe(2);
      expect(second.metadata.uid).toBe(first.metadata.uid);
      expect(second.metadata.creationTimestamp).toBe(first.metadata.creationTimestamp);
      await store.commit([put(rule("reviews", { weight: 20, labels: { a: "b" } }))], "ann");
      const third = await mustGet(store, "reviews");
      expect(third.metadata.generation).toBe(2);
      expect(Number(third.metadata.resourceVersion)).toBe(Number(second.metadata.resourceVersion) + 1);
      await store.commit([{ op: "delete", key: keyOf(third) }, put(rule("reviews"))], "ann");
      const reborn = await mustGet(store, "reviews");
      expect(reborn.metadata.generation).toBe(1);
      expect(reborn.metadata.uid).not.toBe(first.metadata.uid);
    });

    test("keeps the status when a writer gives none, and counts no generation for one", async () => {
      await store.commit([put({ ...rule("reviews"), status: { proxies: 7 } })], "control-plane");
      await store.commit([put(rule("reviews", { weight: 30 }))], "ann");
      expect(await mustGet(store, "reviews")).toMatchObject({ status: { proxies: 7 }, metadata: { generation: 2 } });
      await store.commit([put({ ...rule("reviews", { weight: 30 }), status: { proxies: 8 } })], "control-plane");
      expect(await mustGet(store, "reviews")).toMatchObject({ status: { proxies: 8 }, metadata: { generation: 2 } });
    });

    test("makes no revision of a commit in which nothing changes", async () => {
      const first = await store.commit([put(rule("reviews"))], "ann");
      const stored = await mustGet(store, "reviews");
      const reordered = {
        ...rule("reviews"),
        spec: Object.fromEntries(Object.entries(rule("reviews").spec).reverse()),
      };
      for (const same of [rule("reviews"), stored, reordered]) {
        const commit = await store.commit([put(same)], "bob");
        expect(commit).toMatchObject({ revision: first.revision, changes: [] });
      }
      expect(await store.commit([], "bob")).toMatchObject({ revision: first.revision, changes: [] });
      expect(await store.revision()).toBe(first.revision);
      expect(await mustGet(store, "reviews")).toEqual(stored);
      const mixed = await store.commit([put(rule("reviews")), put(rule("ratings"))], "bob");
      expect(mixed.changes.map((change) => change.key.name)).toEqual(["ratings"]);
      expect(await mustGet(store, "reviews")).toEqual(stored);
    });

    test("refuses a write whose precondition fails, and says what is there", async () => {
      await expect(store.commit([put(rule("reviews"), "7")], "ann")).rejects.toThrow(ConflictError);
      await store.commit([put(rule("reviews"), "absent")], "ann");
      const stored = await mustGet(store, "reviews");
      const conflict = await rejection(store.commit([put(rule("reviews", { weight: 1 }), "absent")], "ann"));
      expect(conflict).toBeInstanceOf(ConflictError);
      expect((conflict as ConflictError).current).toEqual(stored);
      const version = String(stored.metadata.resourceVersion);
      await store.commit([put(rule("reviews", { weight: 1 }), version)], "ann");
      const stale = await rejection(store.commit([put(rule("reviews", { weight: 2 }), version)], "ann"));
      expect(stale).toBeInstanceOf(ConflictError);
      expect((stale as ConflictError).current?.spec).toEqual(rule("reviews", { weight: 1 }).spec);
      await expect(store.commit([{ op: "delete", key: keyOf(stored), expect: version }], "ann")).rejects.toThrow(
        ConflictError,
      );
      const other = { ...rule("reviews"), metadata: { ...rule("reviews").metadata, uid: "of another life" } };
      await expect(store.commit([put(other)], "ann")).rejects.toThrow(ConflictError);
      await expect(store.commit([{ op: "delete", key: keyOf(rule("nobody")) }], "ann")).rejects.toThrow(NotFoundError);
    });

    test("writes a set whole or not at all", async () => {
      await store.commit([put(rule("ratings"))], "ann");
      const before = await store.list();
      const writes: Write[] = [put(rule("a")), put(rule("ratings", { weight: 9 })), put(rule("b"), "123")];
      await expect(store.commit(writes, "ann")).rejects.toThrow(ConflictError);
      expect(await store.list()).toEqual(before);
      expect(await store.history({ limit: 10 })).toHaveLength(1);
      const commit = await store.commit(
        [put(rule("a")), put(rule("ratings", { weight: 9 })), { op: "delete", key: keyOf(rule("a")) }, put(rule("b"))],
        "ann",
      );
      // "a" came and went within the commit: nobody needs to hear of it.
      expect(commit.changes.map(({ type, key }) => [type, key.name])).toEqual([
        ["MODIFIED", "ratings"],
        ["ADDED", "b"],
      ]);
    });

    test("takes a set of a thousand objects", async () => {
      const many = Array.from({ length: 1_000 }, (_, index) => put(rule(`s${String(index).padStart(4, "0")}`)));
      expect((await store.commit(many, "ann")).changes).toHaveLength(1_000);
      expect((await store.list()).items).toHaveLength(1_000);
      expect((await store.commit(many, "ann")).changes).toHaveLength(0);
    });

    test("a dry run says what would be stored and stores nothing", async () => {
      await store.commit([put(rule("reviews"))], "ann");
      const before = await store.list();
      const dry = await store.commit([put(rule("reviews", { weight: 70 })), put(rule("new"))], "ann", { dryRun: true });
      expect(dry.revision).toBe(before.revision);
      expect(dry.changes.map(({ type }) => type)).toEqual(["MODIFIED", "ADDED"]);
      expect(dry.changes[0]?.after?.metadata.generation).toBe(2);
      expect(await store.list()).toEqual(before);
      expect(await store.history({ limit: 10 })).toHaveLength(1);
      await expect(store.commit([put(rule("new"), "5")], "ann", { dryRun: true })).rejects.toThrow(ConflictError);
      const real = await store.commit([put(rule("reviews", { weight: 70 }))], "ann");
      expect(real.revision).toBe(before.revision + 1);
    });

    test("lists by kind and namespace, in order", async () => {
      const ns: ConfigObject = {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: "prod", namespace: "" },
        spec: {},
      };
      const gateway: ConfigObject = { ...rule("a"), kind: "Gateway" };
      await store.commit([put(rule("b")), put(rule("a")), put(rule("a", {}, "prod")), put(gateway), put(ns)], "ann");
      const names = async (query?: { kind?: string; namespace?: string }) =>
        (await store.list(query)).items.map((object) => formatKey(keyOf(object)));
      expect(await names()).toEqual([
        "Namespace//prod",
        "Gateway/default/a",
        "VirtualService/default/a",
        "VirtualService/default/b",
        "VirtualService/prod/a",
      ]);
      expect(await names({ kind: "VirtualService" })).toHaveLength(3);
      expect(await names({ kind: "VirtualService", namespace: "prod" })).toEqual(["VirtualService/prod/a"]);
      expect(await names({ namespace: "default" })).toHaveLength(3);
      expect(await names({ kind: "DestinationRule" })).toEqual([]);
    });

    test("what it returns can't be changed under other readers", async () => {
      const object = rule("reviews");
      await store.commit([put(object)], "ann");
      object.spec.hosts = ["changed after the write"];
      const stored = await mustGet(store, "reviews");
      expect(stored.spec.hosts).toEqual(["reviews"]);
      expect(() => {
        stored.spec.hosts = [];
      }).toThrow(TypeError);
    });

    test("history is newest first, with before and after, by key, time and number", async () => {
      await store.commit([put(rule("reviews"))], "ann");
      now += 1_000;
      const middle = now;
      await store.commit([put(rule("reviews", { weight: 50 })), put(rule("ratings"))], "bob", { reason: "canary" });
      now += 1_000;
      await store.commit([{ op: "delete", key: keyOf(rule("reviews")) }], "cid");
      const all = await store.history({ limit: 10 });
      expect(all.map((commit) => commit.author)).toEqual(["cid", "bob", "ann"]);
      expect(all[1]).toMatchObject({ reason: "canary", at: middle });
      expect(all[1]?.changes.map(({ type, key }) => [type, key.name])).toEqual([
        ["MODIFIED", "reviews"],
        ["ADDED", "ratings"],
      ]);
      expect(all[1]?.changes[0]?.before?.spec).toEqual(rule("reviews").spec);
      expect(all[1]?.changes[0]?.after?.spec).toEqual(rule("reviews", { weight: 50 }).spec);
      expect(all[0]?.changes[0]?.before?.spec).toEqual(rule("reviews", { weight: 50 }).spec);
      expect(all[0]?.changes[0]?.after).toBeUndefined();
      const authors = async (query: { sinceMs?: number; key?: ResourceKey; limit: number }) =>
        (await store.history(query)).map((commit) => commit.author);
      expect(await authors({ sinceMs: middle, limit: 10 })).toEqual(["cid", "bob"]);
      expect(await authors({ key: keyOf(rule("ratings")), limit: 10 })).toEqual(["bob"]);
      expect(await authors({ key: keyOf(rule("reviews")), limit: 2 })).toEqual(["cid", "bob"]);
    });

    test("a watch gives the past after its revision, then what comes, then ends when aborted", async () => {
      const start = await store.revision();
      await store.commit([put(rule("a"))], "ann");
      await store.commit([put(rule("b"))], "ann");
      const stop = new AbortController();
      const seen = collect(store.watch(start + 1, stop.signal));
      await seen.reached(1);
      await store.commit([put(rule("c")), put(rule("d"))], "bob", { reason: "live" });
      await seen.reached(2);
      expect(seen.commits.map((commit) => commit.revision)).toEqual([start + 2, start + 3]);
      expect(seen.commits[1]).toMatchObject({ author: "bob", reason: "live" });
      expect(seen.commits[1]?.changes[0]?.after).toEqual(await mustGet(store, "c"));
      stop.abort();
      await seen.ended;
      await store.commit([put(rule("e"))], "ann");
      expect(seen.commits).toHaveLength(2);
      const late = collect(store.watch(start, stop.signal));
      await late.ended;
      expect(late.commits).toEqual([]);
    });

    test("a watch sees neither failed nor dry commits", async () => {
      const stop = new AbortController();
      const seen = collect(store.watch(await store.revision(), stop.signal));
      await store.commit([put(rule("a"))], "ann", { dryRun: true });
      await rejection(store.commit([put(rule("a"), "9")], "ann"));
      await store.commit([put(rule("b"))], "ann");
      await seen.reached(1);
      expect(seen.commits[0]?.changes.map((change) => change.key.name)).toEqual(["b"]);
      stop.abort();
      await seen.ended;
    });

    test("watches have no gap and no repetition while many write at once", async () => {
      const start = await store.revision();
      const stop = new AbortController();
      const early = collect(store.watch(start, stop.signal));
      const writers = 8;
      const each = 12;
      const late: ReturnType<typeof collect>[] = [];
      await Promise.all(
        Array.from({ length: writers }, async (_, writer) => {
          for (let count = 0; count < each; count++) {
            const commit = await store.commit([put(rule(`w${writer}`, { weight: count }))], `w${writer}`);
            if (count === 5) late.push(collect(store.watch(commit.revision - 1, stop.signal)));
          }
        }),
      );
      const total = writers * each;
      await early.reached(total);
      expect(early.commits.map((commit) => commit.revision)).toEqual(range(start + 1, start + total));
      for (const watcher of late) {
        await watcher.until((commit) => commit.revision === start + total);
        const first = watcher.commits[0]?.revision ?? 0;
        expect(watcher.commits.map((commit) => commit.revision)).toEqual(range(first, start + total));
      }
      stop.abort();
      await Promise.all([early, ...late].map((watcher) => watcher.ended));
    });

    test("reads are answered at any moment of a commit, with all that was committed before they began", async () => {
      const reviews = keyOf(rule("reviews"));
      for (let steps = 0; steps < 60; steps++) {
        const committing = store.commit([put(rule("reviews", { weight: steps }))], "ann");
        for (let step = 0; step < steps; step++) await undefined;
        const [object, { items }] = await Promise.all([store.get(reviews), store.list({ kind: reviews.kind })]);
        for (const seen of [object, items[0]]) expect(seen?.metadata.generation ?? 0).toBeGreaterThanOrEqual(steps);
        await committing;
      }
    });

    test("two writers with one version: one wins, the other hears of it", async () => {
      await store.commit([put(rule("reviews"))], "ann");
      const version = String((await mustGet(store, "reviews")).metadata.resourceVersion);
      const results = await Promise.allSettled(
        [10, 20, 30, 40].map((weight) => store.commit([put(rule("reviews", { weight }), version)], "x")),
      );
      expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
      for (const result of results) {
        if (result.status === "rejected") expect(result.reason).toBeInstanceOf(ConflictError);
      }
    });

    test("keeps a bounded history; a watch from before it is told so, and lists again", async () => {
      const small = await openWith({ maxHistory: 5 });
      const start = await small.revision();
      for (let weight = 0; weight < 20; weight++) await small.commit([put(rule("reviews", { weight }))], "ann");
      const end = start + 20;
      const kept = await small.history({ limit: 100 });
      expect(kept.map((commit) => commit.revision)).toEqual(range(end - 4, end).reverse());
      const never = new AbortController().signal;
      await expect(next(small.watch(start, never))).rejects.toThrow(CompactedError);
      await expect(next(small.watch(end - 6, never))).rejects.toThrow(CompactedError);
      expect((await next(small.watch(end - 5, never)))?.revision).toBe(end - 4);
      await expect(next(small.watch(end + 1, never))).rejects.toThrow(CompactedError);
      expect((await small.list()).items).toHaveLength(1);
    });

    test("close ends its watches and refuses writes", async () => {
      const seen = collect(store.watch(await store.revision(), new AbortController().signal));
      await store.close();
      await seen.ended;
      await expect(store.commit([put(rule("a"))], "ann")).rejects.toThrow(/closed/);
      await store.close();
    });

    test("opened again, it has everything and goes on from there", async ({ skip }) => {
      if (subject.reopen === undefined) return skip("nothing outlives the process");
      const start = await store.revision();
      await store.commit([put(rule("a")), put(rule("b", { labels: { x: "y" } }))], "ann", { reason: "why" });
      await store.commit([put(rule("a", { weight: 3 }))], "bob");
      const [list, history] = [await store.list(), await store.history({ limit: 10 })];
      await store.close();
      const again = await subject.reopen({ clock });
      open.push(again);
      expect(await again.list()).toEqual(list);
      expect(await again.history({ limit: 10 })).toEqual(history);
      const stop = new AbortController();
      const seen = collect(again.watch(start, stop.signal));
      await again.commit([{ op: "delete", key: keyOf(rule("b")) }], "cid");
      await seen.reached(3);
      expect(seen.commits.map((commit) => commit.revision)).toEqual(range(start + 1, start + 3));
      stop.abort();
      await seen.ended;
    });
  });
}

function rule(
  name: string,
  { weight = 100, labels }: { weight?: number; labels?: Record<string, string> } = {},
  namespace = "default",
): ConfigObject {
  const object: ConfigObject = {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name, namespace },
    spec: { hosts: [name], http: [{ route: [{ destination: { host: name, subset: "v1" }, weight }] }] },
  };
  if (labels !== undefined) object.metadata.labels = labels;
  return object;
}

function put(object: ConfigObject, expected?: string): Write {
  return expected === undefined ? { op: "put", object } : { op: "put", object, expect: expected };
}

async function mustGet(store: ConfigStore, name: string): Promise<ConfigObject> {
  const object = await store.get({ kind: "VirtualService", namespace: "default", name });
  if (object === undefined) throw new Error(`${name} is not in the store`);
  return object;
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

async function next(commits: AsyncIterable<Commit>): Promise<Commit | undefined> {
  for await (const commit of commits) return commit;
  return undefined;
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (outcome === undefined) throw new Error("it should have been refused");
  return outcome.error;
}

/** Reads a watch in the background. */
function collect(watch: AsyncIterable<Commit>) {
  const commits: Commit[] = [];
  const waiting = new Set<() => void>();
  const settle = () => {
    for (const check of waiting) check();
  };
  const ended = (async () => {
    for await (const commit of watch) {
      commits.push(commit);
      settle();
    }
  })();
  const until = (condition: (commit: Commit) => boolean) =>
    Promise.race([
      new Promise<void>((resolve) => {
        const check = () => {
          if (commits.some(condition)) resolve();
        };
        waiting.add(check);
        check();
      }),
      ended,
    ]);
  const reached = (count: number) => until((commit) => commits.indexOf(commit) === count - 1);
  return { commits, ended, until, reached };
}
