import { afterEach, expect, test } from "vitest";
import { injectFault, listFaults, type VirtualService } from "../config/edits/index.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import type { ConfigObject } from "../config/object.ts";
import { type ConfigStore, ConflictError, type Write } from "../config/store.ts";
import type { Clock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { reviews } from "./api/testing/api-harness.ts";
import { createFaultFuse, type FaultFuse } from "./fault-fuse.ts";

/** Time that stands until it is moved. */
class ManualClock implements Clock {
  #now = 1_000_000;
  readonly timers = new Map<() => void, number>();
  now = () => this.#now;
  setTimeout(callback: () => void, ms: number) {
    this.timers.set(callback, this.#now + ms);
    return { cancel: () => void this.timers.delete(callback) };
  }
  advance(ms: number): void {
    this.#now += ms;
    for (const [callback, at] of [...this.timers]) {
      if (at > this.#now) continue;
      this.timers.delete(callback);
      callback();
    }
  }
}

const abort = { delay: null, abort: { percentage: 50, httpStatus: 503 }, header: null };
const fuses: FaultFuse[] = [];
afterEach(async () => {
  await Promise.all(fuses.splice(0).map((fuse) => fuse.close()));
});

function setUp(wrap: (store: ConfigStore) => ConfigStore = (store) => store) {
  const clock = new ManualClock();
  const memory = new MemoryConfigStore({ clock });
  const store = wrap(memory);
  const start = async (): Promise<FaultFuse> => {
    const fuse = createFaultFuse({ store, clock, logger: silentLogger });
    fuses.push(fuse);
    await fuse.start();
    return fuse;
  };
  const inject = async (name: string, durationSec: number | null): Promise<void> => {
    const service = { namespace: "default", name, hostname: `${name}.default.svc.cluster.local` };
    const origin = { id: `f${name}`, now: clock.now(), author: "ada" };
    const current = await memory.get({ kind: "VirtualService", namespace: "default", name });
    const result = injectFault(current as VirtualService | undefined, service, { ...abort, durationSec }, origin);
    if (!result.ok) throw new Error(JSON.stringify(result.errors));
    await memory.commit([{ op: "put", object: result.value as ConfigObject }], "ada");
  };
  const burning = async (): Promise<string[]> => {
    const { items } = await memory.list({ kind: "VirtualService" });
    return listFaults(items as unknown as VirtualService[]).map((fault) => fault.service);
  };
  return { clock, memory, start, inject, burning };
}

test("each fault ends at its time, one without an end burns on, and one timer is enough", async () => {
  const { clock, memory, start, inject, burning } = setUp();
  await start();
  await inject("a", 30);
  await inject("b", 10);
  await inject("c", null);
  await expect.poll(() => [...clock.timers.values()]).toEqual([1_010_000]);
  clock.advance(9_999);
  expect(await burning()).toEqual(["a", "b", "c"]);
  clock.advance(1);
  await expect.poll(burning).toEqual(["a", "c"]);
  await expect.poll(() => [...clock.timers.values()]).toEqual([1_030_000]);
  clock.advance(20_000);
  await expect.poll(burning).toEqual(["c"]);
  expect((await memory.history({ limit: 1 }))[0]).toMatchObject({ author: "limpid (fuse)" });
});

test("a fault that ran out while nothing ran ends at the start", async () => {
  const { clock, start, inject, burning } = setUp();
  await inject("a", 10);
  clock.advance(60_000);
  await start();
  expect(await burning()).toEqual([]);
});

test("a concurrent write costs another try, not the writer's change", async () => {
  let meddle = true;
  const { clock, memory, start, inject, burning } = setUp((store) => ({
    get: store.get.bind(store),
    list: store.list.bind(store),
    watch: store.watch.bind(store),
    history: store.history.bind(store),
    revision: store.revision.bind(store),
    check: store.check.bind(store),
    close: store.close.bind(store),
    async commit(writes: readonly Write[], author: string, options) {
      if (meddle) {
        meddle = false;
        const current = (await store.list({ kind: "VirtualService" })).items[0] as ConfigObject;
        const labelled = { ...current, metadata: { ...current.metadata, labels: { mine: "1" } } };
        await store.commit([{ op: "put", object: labelled }], "bob");
        await expect(store.commit(writes, author, options)).rejects.toThrow(ConflictError);
      }
      return store.commit(writes, author, options);
    },
  }));
  await memory.commit([{ op: "put", object: reviews({ v1: 80, v2: 20 }, "a") }], "ada");
  await inject("a", 10);
  await start();
  clock.advance(10_000);
  const burningNow = (): Promise<string[]> => {
    clock.advance(0);
    return burning();
  };
  await expect.poll(burningNow).toEqual([]);
  const object = await memory.get({ kind: "VirtualService", namespace: "default", name: "a" });
  expect(object).toMatchObject({ metadata: { labels: { mine: "1" } }, spec: reviews({ v1: 80, v2: 20 }, "a").spec });
});

test("a store that fails is tried again", async () => {
  let failures = 2;
  const { clock, start, inject, burning } = setUp((store) => ({
    get: store.get.bind(store),
    list: store.list.bind(store),
    watch: store.watch.bind(store),
    history: store.history.bind(store),
    revision: store.revision.bind(store),
    check: store.check.bind(store),
    close: store.close.bind(store),
    async commit(writes: readonly Write[], author: string, options) {
      if (failures-- > 0) throw new Error("the disk is full");
      return store.commit(writes, author, options);
    },
  }));
  await inject("a", 10);
  clock.advance(10_000);
  await start();
  expect(await burning()).toEqual(["a"]);
  for (let turn = 0; turn < 2; turn++) {
    await expect.poll(() => clock.timers.size).toBe(1);
    clock.advance(1_000);
  }
  await expect.poll(burning).toEqual([]);
});

test("closing cancels the timer", async () => {
  const { clock, start, inject } = setUp();
  await inject("a", 10);
  const fuse = await start();
  expect(clock.timers.size).toBe(1);
  await fuse.close();
  expect(clock.timers.size).toBe(0);
});

test("what was begun at a service and at its gateway ends as one, under the service's name", async () => {
  const { clock, memory, start, inject, burning } = setUp();
  await start();
  await inject("shop", 10);
  const [own] = (await memory.list({ kind: "VirtualService" })).items;
  if (!own) throw new Error("there is no fault");
  const entrance = { ...own, metadata: { ...own.metadata, name: "door" } };
  await memory.commit([{ op: "put", object: entrance, expect: "absent" }], "ada");
  const before = await memory.revision();
  clock.advance(10_000);
  await expect.poll(burning).toEqual([]);
  expect(await memory.history({ limit: 9 })).toMatchObject([
    { revision: before + 1, reason: "fault on shop ended: its time is over" },
    { revision: before },
    {},
  ]);
});

test("rules without a fault are changed without a look at all others", async () => {
  let looks = 0;
  const { clock, memory, start, inject } = setUp((store) => ({
    get: store.get.bind(store),
    list(...args) {
      looks++;
      return store.list(...args);
    },
    watch: store.watch.bind(store),
    history: store.history.bind(store),
    revision: store.revision.bind(store),
    check: store.check.bind(store),
    close: store.close.bind(store),
    commit: store.commit.bind(store),
  }));
  await start();
  expect(looks).toBe(1);
  await memory.commit([{ op: "put", object: reviews({ v1: 80, v2: 20 }) }], "ada");
  await inject("a", 10);
  await expect.poll(() => [...clock.timers.values()]).toEqual([1_010_000]);
  expect(looks).toBe(2);
  await memory.commit([{ op: "put", object: reviews({ v1: 70, v2: 30 }, "a") }], "ada");
  await expect.poll(() => [...clock.timers.values()]).toEqual([]);
  expect(looks).toBe(3);
});
