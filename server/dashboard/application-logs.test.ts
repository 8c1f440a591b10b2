import { describe, expect, it } from "vitest";
import { ApplicationLogEvents, ApplicationLogPage, ApplicationLogSearch } from "../contract/index.ts";
import { systemClock } from "../lib/clock.ts";
import { createQueries } from "../query/queries.ts";
import { MemoryTelemetryStore } from "../store/telemetry/memory-store.ts";
import { batch, log } from "../store/telemetry/testing/records.ts";
import { createApplicationLogs } from "./application-logs.ts";

const now = 1_767_225_600_000;

async function setUp(count: number) {
  const store = new MemoryTelemetryStore();
  const logs = Array.from({ length: count }, (_, n) => log((now - 1000) * 1000 + n, { body: `line ${n}` }));
  await store.write(batch({ logs }));
  const queries = createQueries({ reader: store, clock: { ...systemClock, now: () => now } });
  const api = createApplicationLogs(
    async () => queries,
    () => now,
  );
  const page = async (query: Record<string, string>) =>
    ApplicationLogPage.parse(await api.applicationLogs(ApplicationLogSearch.parse(query)));
  return { store, api, page };
}

describe("applications' logs", () => {
  it("come page by page, newest first, each line once", async () => {
    const { page } = await setUp(25);
    const bodies: string[] = [];
    let sizes = "";
    for (let before: string | null = ""; before !== null; ) {
      const { entries, next }: ApplicationLogPage = await page({ limit: "10", ...(before && { before }) });
      bodies.push(...entries.map(({ body }) => body));
      sizes += `${entries.length} `;
      before = next;
    }
    expect(sizes).toBe("10 10 5 ");
    expect(bodies).toEqual(Array.from({ length: 25 }, (_, n) => `line ${24 - n}`));
    expect((await page({ limit: "25" })).next).toBeNull();
  });

  it("refuse a cursor that is none", () => {
    expect(ApplicationLogSearch.safeParse({ before: "1" }).success).toBe(false);
    expect(ApplicationLogSearch.safeParse({ before: "1767225600000000-12" }).success).toBe(true);
  });

  it("are sent as they are written, narrowed as a search is, until the reader goes", async () => {
    const { store, api } = await setUp(1);
    const stream = await api.liveApplicationLogs(ApplicationLogSearch.parse({ severity: "error" }));
    const reader = new AbortController();
    const events = stream.events(reader.signal)[Symbol.asyncIterator]();
    const first = events.next();
    let n = 0;
    // Whenever the stream has begun: it tells of what comes after.
    const writing = setInterval(() => {
      const bodies = [`failed ${++n}`, `fine ${n}`];
      const severities = [17, 9];
      const logs = bodies.map((body, i) => log(now * 1000, { body, severity: severities[i] ?? 0 }));
      void store.write(batch({ logs }));
    }, 50);
    const { entries, leftOut } = ApplicationLogEvents.parse((await first).value);
    clearInterval(writing);
    expect(leftOut).toBe(false);
    expect(entries.length).toBeGreaterThan(0);
    expect(entries.every(({ body, at }) => body.startsWith("failed") && at === now)).toBe(true);
    const rest = events.next();
    reader.abort();
    // What was written before it went may still be told.
    for (let next = await rest; !next.done; next = await events.next());
  });
});
