import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { MemoryConfigStore } from "../../../config/memory-store.ts";
import type { ListQuery } from "../../../config/store.ts";
import { type ApiHarness, reviews, startApi, virtualServices } from "../testing/api-harness.ts";

let api: ApiHarness;
const ends: (() => void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) end();
  await api.close();
});

interface Event {
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: events carry objects, tables and statuses
  object: any;
}

/** The events of a watch, as they come. */
async function watch(
  query: string,
  accept = "application/json",
): Promise<{ status: number; events: Event[]; ended(): boolean }> {
  const stop = new AbortController();
  ends.push(() => stop.abort());
  const response = await fetch(`${api.url}${virtualServices}?watch=true&${query}`, {
    signal: stop.signal,
    headers: { accept },
  });
  const events: Event[] = [];
  let ended = false;
  const read = async (): Promise<void> => {
    let rest = "";
    for await (const text of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      events.push(...lines.map((line) => JSON.parse(line) as Event));
    }
  };
  read()
    .catch(() => undefined)
    .finally(() => {
      ended = true;
    });
  return { status: response.status, events, ended: () => ended };
}

const create = (name: string, labels: Record<string, string> = {}) => {
  const object = reviews({ v1: 100 }, name);
  return api.call("POST", virtualServices, { ...object, metadata: { ...object.metadata, labels } });
};
const label = (name: string, labels: Record<string, string | null>) =>
  api.call(
    "PATCH",
    `${virtualServices}/${name}`,
    { metadata: { labels } },
    { "content-type": "application/merge-patch+json" },
  );
const names = (events: Event[]): string[] => events.map(({ type, object }) => `${type} ${object.metadata?.name}`);

test("without a version: what is there, then what happens", async () => {
  api = await startApi();
  await create("a");
  const { events } = await watch("");
  await expect.poll(() => names(events)).toEqual(["ADDED a"]);
  await create("b");
  await api.call("DELETE", `${virtualServices}/a`);
  await expect.poll(() => names(events)).toEqual(["ADDED a", "ADDED b", "DELETED a"]);
  expect(events[2]?.object.metadata.resourceVersion).toBe(String(await api.store.revision()));
});

test("from a version: everything since, without gaps", async () => {
  api = await startApi();
  const revision = await api.store.revision();
  await create("a");
  await label("a", { x: "1" });
  const { events } = await watch(`resourceVersion=${revision}`);
  await expect.poll(() => names(events)).toEqual(["ADDED a", "MODIFIED a"]);
});

test("an object that comes into the selection or leaves it is added or deleted for this watcher", async () => {
  api = await startApi();
  await create("a");
  await create("b", { team: "x" });
  const { events } = await watch("labelSelector=team%3Dx");
  await expect.poll(() => names(events)).toEqual(["ADDED b"]);
  await label("a", { team: "x" });
  await label("b", { team: null });
  await label("b", { other: "1" });
  await label("a", { other: "1" });
  await expect.poll(() => names(events)).toEqual(["ADDED b", "ADDED a", "DELETED b", "MODIFIED a"]);
});

test("a version that the history has forgotten is 410 Gone; one that isn't yet is refused", async () => {
  api = await startApi({ maxHistory: 2 });
  for (const name of ["a", "b", "c", "d"]) await create(name);
  const { status, events, ended } = await watch("resourceVersion=2");
  expect(status).toBe(200);
  await expect
    .poll(() => events)
    .toMatchObject([{ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } }]);
  await expect.poll(ended).toBe(true);
  expect((await watch("resourceVersion=9999")).status).toBe(504);
});

test("bookmarks tell the version of a quiet watch, and timeoutSeconds ends it", async () => {
  api = await startApi({ limits: { bookmarkIntervalMs: 20 } });
  const revision = await api.store.revision();
  const { events, ended } = await watch("allowWatchBookmarks=true&timeoutSeconds=1");
  await expect
    .poll(() => events[0])
    .toMatchObject({
      type: "BOOKMARK",
      object: { kind: "VirtualService", metadata: { resourceVersion: String(revision) } },
    });
  await expect.poll(ended, { timeout: 5_000 }).toBe(true);
});

test("sendInitialEvents ends the beginning with a marked bookmark", async () => {
  api = await startApi();
  await create("a");
  const query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  const { events } = await watch(query);
  await expect.poll(() => events.map((event) => event.type)).toEqual(["ADDED", "BOOKMARK"]);
  expect(events[1]?.object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
});

test("a table watch has a row per event", async () => {
  api = await startApi();
  await create("a");
  const { events } = await watch("", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
  await expect.poll(() => events).toHaveLength(1);
  expect(events[0]).toMatchObject({
    type: "ADDED",
    object: {
      kind: "Table",
      rows: [{ cells: expect.arrayContaining(["a"]), object: { kind: "PartialObjectMetadata" } }],
    },
  });
});

test("past the limit of watches the next one is told to come back; one that ends makes room", async () => {
  api = await startApi({ limits: { maxWatches: 1 } });
  await watch("");
  expect((await watch("")).status).toBe(429);
  for (const end of ends.splice(0)) end();
  await expect.poll(async () => (await watch("")).status).toBe(200);
});

test("the limit holds for watches that are opened all at once", async () => {
  // A database answers later, when other requests have been read.
  class LateStore extends MemoryConfigStore {
    override async list(query?: ListQuery) {
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
      return super.list(query);
    }
  }
  api = await startApi({ store: new LateStore(), limits: { maxWatches: 3 } });
  const opened = await Promise.all(Array.from({ length: 12 }, () => watch("")));
  expect(opened.map(({ status }) => status).sort()).toEqual([...Array(3).fill(200), ...Array(9).fill(429)]);
});

test("a watch that can't begin leaves its place to others", async () => {
  api = await startApi({ limits: { maxWatches: 1 } });
  expect((await watch("resourceVersion=9999")).status).toBe(504);
  expect((await watch("")).status).toBe(200);
});

test("a watcher that doesn't read is dropped and holds nobody up", async () => {
  // It reads again after many writes, which takes a busy machine longer than the end of a stream is kept otherwise.
  api = await startApi({ limits: { maxPendingBytes: 64 * 1024, slowReaderMs: 100, streamEndMs: 120_000 } });
  const big = { ...reviews({ v1: 100 }, "big"), metadata: { name: "big", annotations: { text: "x".repeat(200_000) } } };
  const socket = connect(api.port, "127.0.0.1");
  ends.push(() => socket.destroy());
  socket.pause();
  socket.write(`GET ${virtualServices}?watch=true HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  const reader = await watch("");
  await api.call("POST", virtualServices, big);
  for (let turn = 0; turn < 40; turn++) await label("big", { turn: String(turn) });
  await expect.poll(() => reader.events.length, { timeout: 60_000 }).toBe(41);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume();
  await closed;
  expect(text.split('"type":"MODIFIED"').length).toBeLessThan(40);
  expect(text).toContain('"reason":"Expired"');
});

test("a watcher that reads gets a beginning and a commit far beyond the pending limit", async () => {
  api = await startApi({ limits: { maxPendingBytes: 16 * 1024 } });
  for (let index = 0; index < 60; index++) {
    const metadata = { name: `before-${index}`, annotations: { text: "x".repeat(5_000) } };
    await api.call("POST", virtualServices, { ...reviews({ v1: 100 }), metadata });
  }
  const { events } = await watch("");
  await expect.poll(() => events.length).toBe(60);
  const writes = Array.from({ length: 60 }, (_, index) => ({
    op: "put" as const,
    object: {
      ...reviews({ v1: 100 }),
      metadata: { name: `after-${index}`, namespace: "default", annotations: { text: "x".repeat(5_000) } },
    },
  }));
  await api.store.commit(writes, "test");
  await expect.poll(() => events.length).toBe(120);
  expect(events.every((event) => event.type === "ADDED")).toBe(true);
});

test("timeoutSeconds that is no number is refused, and one beyond every timer is none of its own", async () => {
  api = await startApi();
  expect((await watch("timeoutSeconds=soon")).status).toBe(400);
  const { events, ended } = await watch("timeoutSeconds=99999999999");
  await create("a");
  await expect.poll(() => names(events)).toEqual(["ADDED a"]);
  expect(ended()).toBe(false);
});
