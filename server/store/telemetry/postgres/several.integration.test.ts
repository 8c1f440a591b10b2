import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Logger } from "../../../lib/logger.ts";
import { silentLogger } from "../../../lib/logger.ts";
import type { TelemetryReader } from "../../../query/reader.ts";
import { defaultLimits } from "../../../telemetry/collector-limits.ts";
import { Ingest } from "../../../telemetry/ingest.ts";
import type { TelemetryStore } from "../../../telemetry/store.ts";
import { ManualClock } from "../../../telemetry/testing/manual-clock.ts";
import { defaultRetention } from "../../../wire/retention.ts";
import { MigrationError, UnusableDatabaseError } from "../../errors.ts";
import { openPostgresConfigStore } from "../../postgres/postgres-config-store.ts";
import { findPostgres, type PostgresServer, startPostgres } from "../../postgres/testing/postgres-server.ts";
import { retentionBook } from "../../retention-book.ts";
import { batch, edge, rollup, sample, span } from "../testing/records.ts";
import { openPostgresTelemetryReader } from "./reader.ts";
import { openPostgresTelemetryStore } from "./store.ts";

const binaries = findPostgres();

/** A full hour; Unix seconds. */
const t0 = 1_767_225_600;
const reviews = edge("page", "reviews/v1");
const ratings = edge("reviews/v1", "ratings");

describe.skipIf(binaries === undefined)("telemetry on a PostgreSQL server", () => {
  let server: PostgresServer;
  let count = 0;
  const open: { close(): Promise<void> }[] = [];
  beforeAll(async () => {
    server = await startPostgres(binaries ?? "");
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });
  afterAll(() => server.stop());

  const database = () => server.database(`several_${++count}`);
  async function storeOf(url: string, options: object = {}): Promise<TelemetryStore> {
    const store = await openPostgresTelemetryStore({ url, ...options });
    open.push(store);
    return store;
  }
  async function readerOf(url: string): Promise<TelemetryReader> {
    const reader = await openPostgresTelemetryReader({ url });
    open.push(reader);
    return reader;
  }
  const failure = (run: Promise<unknown>): Promise<Error> =>
    run.then(
      () => new Error("it worked"),
      (error: Error) => error,
    );
  const all = { fromMs: t0 * 1000, toMs: (t0 + 7200) * 1000 };
  const total = (rows: readonly { count: number }[]) => rows.reduce((sum, row) => sum + row.count, 0);
  const compacted = async (store: TelemetryStore, settled: number, changes: object = {}) => {
    const retention = { ...defaultRetention, ...changes };
    const pass = { nowMs: (settled + 21) * 1000, settledUntilMs: settled * 1000, retention };
    while ((await store.compact(pass)).more);
  };

  it("several collectors write to one database, and several dashboards read it whole, live and folded", async () => {
    const url = await database();
    const ids = ["a", "b", "c"];
    const stores = await Promise.all(ids.map(() => storeOf(url)));
    const readers = await Promise.all([readerOf(url), readerOf(url)]);
    const seen: string[] = [];
    await (stores[0] as TelemetryStore).write(batch({ samples: [sample(reviews, 0, { requestId: "before" })] }));
    let { lastId } = await (readers[0] as TelemetryReader).newLogs({ afterId: 0, limit: 1 });
    const look = async () => {
      const news = await (readers[0] as TelemetryReader).newLogs({ afterId: lastId, limit: 1000 });
      lastId = news.lastId;
      seen.push(...news.rows.map(({ requestId }) => requestId));
    };
    const traceId = "a".repeat(32);
    await Promise.all([
      ...stores.map(async (store, i) => {
        for (let second = t0; second < t0 + 40; second++) {
          // The third runs behind, so that what it tells comes after the others have folded it.
          const of = i === 2 ? second - 15 : second;
          await store.write({
            ...batch({
              collector: {
                id: ids[i] as string,
                flushedAtMs: second * 1000,
                completeUntilMs: of * 1000,
                settledUntilMs: (of - 21) * 1000,
              },
              rollups: [rollup(reviews, of), rollup(i === 1 ? ratings : reviews, of, { code: 503 })],
              samples: [sample(reviews, of * 1000, { requestId: `${i} ${second}` })],
              spans: [span(traceId, `${i}${String(second - t0).padStart(15, "0")}`, of * 1e6)],
            }),
            // Of the same second, as ticks are, and the same number.
            id: second * 1_000_000,
          });
          if (second % 20 === 0) await compacted(store, of - 21);
          if (i === 0) await look();
        }
      }),
    ]);
    await look();
    expect(seen).toHaveLength(120);
    expect(new Set(seen).size).toBe(120);
    for (const reader of readers) {
      const from = { ...all, fromMs: (t0 - 60) * 1000 };
      expect(total(await reader.rollups({ ...from, stepSec: 1 }))).toBe(240);
      expect(total(await reader.rollups({ ...from, stepSec: 60 }))).toBe(240);
      expect(total(await reader.sums(from))).toBe(240);
      expect(await reader.trace(traceId)).toHaveLength(120);
      expect(await reader.traces({ ...from, limit: 10 })).toMatchObject([{ spans: 120 }]);
      expect((await reader.collectors()).map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
    }
    for (const store of stores) await compacted(store, t0 + 3700);
    const fresh = await readerOf(url);
    const from = { ...all, fromMs: (t0 - 3600) * 1000 };
    expect(total(await fresh.rollups({ ...from, stepSec: 3600 }))).toBe(240);
    expect((await server.query(url, "SELECT FROM limpid_telemetry.edge")).length).toBe(2);
  });

  it("one that has nothing to say, or is gone, holds up nobody's folding", async () => {
    const url = await database();
    const [gone, alive] = (await Promise.all([storeOf(url), storeOf(url)])) as [TelemetryStore, TelemetryStore];
    const reader = await readerOf(url);
    const state = (id: string, second: number) => ({
      id,
      flushedAtMs: second * 1000,
      completeUntilMs: second * 1000,
      settledUntilMs: (second - 21) * 1000,
    });
    await gone.write(batch({ collector: state("gone", t0), rollups: [rollup(reviews, t0)] }));
    for (let second = t0; second < t0 + 300; second += 5) {
      await alive.write(batch({ collector: state("alive", second), rollups: [rollup(reviews, second)] }));
    }
    await compacted(alive, t0 + 279);
    const marks = await server.query(url, "SELECT until FROM limpid_telemetry.compaction WHERE step = 10");
    expect(Number(marks[0]?.until)).toBe(t0 + 270);
    expect(total(await reader.sums(all))).toBe(61);
    // It comes back with what it could not write, and who has read the settled seconds sees it all the same.
    await gone.write(batch({ collector: state("gone", t0 + 300), rollups: [rollup(ratings, t0 + 3)] }));
    expect(total(await reader.sums(all))).toBe(62);
    expect(total(await reader.rollups({ ...all, stepSec: 10 }))).toBe(62);
  });

  it("a server that goes away costs no request: what could not be written is tried again, and counts once", async () => {
    const url = (await database()).replace("limpid@", "limpid:secret@");
    const store = await storeOf(url);
    const reader = await readerOf(url);
    const clock = new ManualClock(t0 * 1000);
    const lines: string[] = [];
    const logger = { ...silentLogger, error: (...line: unknown[]) => lines.push(said(line)) } as unknown as Logger;
    const ingest = new Ingest({ id: "c", store, clock, logger, limits: { ...defaultLimits, maxWaitingSamples: 3 } });
    const send = () => ingest.records(Array.from({ length: 10 }, (_, i) => sample(reviews, clock.now() - i)));
    const until = async (done: () => Promise<boolean>) => {
      while (!(await done())) await clock.advance(1000);
    };
    send();
    await until(async () => ingest.stats().flushes > 0);
    const restarted = server.restart();
    let sent = 10;
    do {
      send();
      sent += 10;
      await clock.advance(1000);
    } while (ingest.stats().failedFlushes === 0);
    const health = await ingest.check();
    await restarted;
    expect(health.message).toMatch(/^the telemetry database postgres:\/\/127\.0\.0\.1:\d+\/several_\d+ can't be /);
    expect(lines.join()).not.toContain("secret");
    await until(async () => (await ingest.check()).ok && ingest.stats().waitingSamples === 0);
    await ingest.stop();
    const range = { fromMs: (t0 - 60) * 1000, toMs: clock.now() + 1000 };
    await until(async () => (await reader.sums(range).catch(() => [])).length > 0);
    expect(total(await reader.sums(range))).toBe(sent);
    expect((await reader.logs({ ...range, limit: 1000 })).length + ingest.stats().shedSamples).toBe(sent);
  });

  it("one that does not answer is told as such, and the health does not wait for it", async () => {
    const url = await database();
    const store = await storeOf(url);
    const clock = new ManualClock(t0 * 1000);
    const ingest = new Ingest({ id: "c", store, clock, logger: silentLogger, limits: defaultLimits });
    ingest.records([sample(reviews, clock.now())]);
    await clock.advance(2000);
    await expect.poll(() => ingest.stats().flushes, { timeout: 60_000 }).toBeGreaterThan(0);
    await server.query(url, "CREATE TABLE held (id int)");
    const held = await holdWriters(url);
    ingest.records([sample(reviews, clock.now())]);
    await clock.advance(2000);
    await clock.advance(5000);
    expect(await ingest.check()).toMatchObject({
      ok: false,
      message: expect.stringMatching(/^the telemetry store has not answered for \d+ s$/),
    });
    await held.release();
    await expect.poll(async () => (await ingest.check()).ok, { timeout: 60_000 }).toBe(true);
    await ingest.stop();
  });

  it("what is past its retention is out of sight, and its partitions go", async () => {
    const url = await database();
    const store = await storeOf(url);
    const reader = await readerOf(url);
    const partitions = async () =>
      (
        await server.query(
          url,
          `SELECT relname FROM pg_class JOIN pg_inherits ON inhrelid = oid WHERE relkind = 'r' AND relname ~ '^(access_log|span)_rows_' ORDER BY 1`,
        )
      ).map(({ relname }) => String(relname));
    const changes = { samplesSec: 7200, spansSec: 7200 };
    await compacted(store, t0 - 21, changes);
    for (let minute = 0; minute < 180; minute += 15) {
      const second = t0 + minute * 60;
      await store.write(
        batch({
          collector: { flushedAtMs: second * 1000, settledUntilMs: (second - 21) * 1000 },
          samples: [sample(reviews, second * 1000)],
          spans: [span(minute.toString().padStart(32, "0"), "1".repeat(16), second * 1e6)],
        }),
      );
      await compacted(store, second - 21, changes);
    }
    const logs = await reader.logs({ fromMs: 0, toMs: (t0 + 10_800) * 1000, limit: 1000 });
    expect(logs).toHaveLength(9);
    expect(await reader.traces({ fromMs: 0, toMs: (t0 + 10_800) * 1000, limit: 1000 })).toHaveLength(9);
    const kept = await partitions();
    for (const name of kept) expect(Number(name.split("_").at(-1)), name).toBeGreaterThan(t0 + 165 * 60 - 7200);
    expect(kept.length).toBeGreaterThan(10);
    const rest = "SELECT FROM limpid_telemetry.access_log_rest UNION ALL SELECT FROM limpid_telemetry.span_rest";
    expect(await server.query(url, rest)).toHaveLength(0);
  });

  it("shares a database with the config, is migrated in place, and one of a newer version is refused", async () => {
    const url = await database();
    const migrations = `${import.meta.dirname}/../../../../prisma/config-postgres/migrations`;
    open.push(await openPostgresConfigStore({ url, migrations }));
    await Promise.all([storeOf(url), storeOf(url), readerOf(url)]);
    await server.query(
      url,
      `INSERT INTO limpid_telemetry._prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '29990101000000_new', now())`,
    );
    for (const refused of [failure(storeOf(url)), failure(readerOf(url))]) {
      expect(await refused).toBeInstanceOf(MigrationError);
      expect((await refused).message).toMatch(/^the telemetry database postgres:.*it was used with a newer one$/);
    }
    const nobody = url.replace(/\/[^/]*$/, "/nothing").replace("limpid@", "limpid:secret@");
    const unknown = await failure(storeOf(nobody));
    expect(unknown).toBeInstanceOf(UnusableDatabaseError);
    expect(unknown.message).not.toContain("secret");
  });

  it("a proxy that goes from one collector to another is counted once", async () => {
    const url = await database();
    const reader = await readerOf(url);
    const clock = new ManualClock(t0 * 1000);
    const collectors = await Promise.all(
      ["a", "b"].map(async (id) => {
        const store = await storeOf(url);
        return new Ingest({ id, store, clock, logger: silentLogger, limits: defaultLimits });
      }),
    );
    const [a, b] = collectors as [Ingest, Ingest];
    const proxy = "0".repeat(32);
    const send = (to: Ingest, number: number) => {
      if (to.takes(proxy, number)) to.records([sample(reviews, clock.now())], proxy);
    };
    /** One tick, and what is written by it. */
    const written = async (by: Ingest) => {
      const all = by.written(false);
      await clock.advance(0); // the tick after the last one is armed
      await clock.advance(1000);
      await all;
    };
    const stream = async (to: Ingest, numbers: number[], meanwhile: () => Promise<void> = async () => {}) => {
      let open = false;
      const opened = to.introduce(proxy, numbers[0] ?? 1).then(() => {
        open = true;
      });
      await meanwhile();
      while (!open) await clock.advance(100);
      await opened;
      for (const number of numbers) send(to, number);
    };
    await stream(a, [1, 2, 3]);
    await written(a);
    // The answer to 3 was lost, and 4 is still waiting where the proxy was before.
    send(a, 4);
    await stream(b, [3, 4, 5], () => written(a));
    await written(b);
    await stream(a, [5, 6]);
    for (const each of collectors) await each.stop();
    expect(total(await reader.sums({ fromMs: t0 * 1000, toMs: clock.now() + 1000 }))).toBe(6);
  });

  it("nor is one counted twice, or lost, that does so while the server is away and the first collector still holds what it sent", async () => {
    const url = await database();
    const reader = await readerOf(url);
    /** Each with a time of its own: nothing is written but when a test says so. */
    const collector = async (id: string) => {
      const clock = new ManualClock(t0 * 1000);
      const store = await storeOf(url);
      return { clock, ingest: new Ingest({ id, store, clock, logger: silentLogger, limits: defaultLimits }) };
    };
    type Collector = Awaited<ReturnType<typeof collector>>;
    const [a, b] = [await collector("a"), await collector("b")];
    const proxy = "1".repeat(32);
    const other = "2".repeat(32);
    const take = ({ ingest, clock }: Collector, sender: string, number: number): boolean => {
      const isNew = ingest.takes(sender, number);
      if (isNew) ingest.records([sample(reviews, clock.now(), { code: 503 })], sender);
      return isNew;
    };
    const until = async ({ clock }: Collector, work: Promise<unknown>): Promise<unknown> => {
      let is: unknown = "";
      void work.then(
        () => {
          is = "done";
        },
        (error: unknown) => {
          is = error;
        },
      );
      while (is === "") await clock.advance(500);
      return is;
    };
    const introduced = (to: Collector, sender: string, first: number) => until(to, to.ingest.introduce(sender, first));
    const written = (by: Collector) => until(by, by.ingest.written(false));
    const range = { fromMs: (t0 - 60) * 1000, toMs: (t0 + 86_400) * 1000 };
    const count = async () => {
      for (;;) {
        const sums = await reader.sums(range).catch(() => undefined); // its connections went with the server
        if (sums !== undefined) return total(sums);
      }
    };
    expect(await introduced(a, proxy, 1)).toBe("done");
    expect(await introduced(a, other, 1)).toBe("done");
    take(a, proxy, 1);
    await written(a);
    // What is held: 2 in the batch that can't be written, 3 in the next one, beside another proxy's.
    const restarted = server.restart();
    take(a, proxy, 2);
    take(a, other, 1);
    while (a.ingest.stats().failedFlushes === 0) await a.clock.advance(1000);
    take(a, proxy, 3);
    await restarted;
    // Nothing of it was answered, so it comes again elsewhere, from the first number that was not.
    while ((await introduced(b, proxy, 2)) !== "done");
    for (const number of [2, 3, 4]) expect(take(b, proxy, number)).toBe(true);
    await written(a);
    expect(await count()).toBe(2); // 1, and the other proxy's
    await written(b);
    expect(await count()).toBe(5);
    // And back, where 4 was answered: what the first collector still knows of it does not stand in the way, nor does a stream that is long over.
    expect(await introduced(a, proxy, 5)).toBe("done");
    expect(take(a, proxy, 7)).toBe(false);
    expect(take(a, proxy, 4)).toBe(false);
    for (const number of [5, 6]) expect(take(a, proxy, number)).toBe(true);
    await written(a);
    expect(await count()).toBe(7);
    expect(await reader.logs({ ...range, limit: 100 })).toHaveLength(7);
    for (const { ingest } of [a, b]) await ingest.stop();
    expect(await count()).toBe(7);
  });

  it("settings of retention are kept with it, for all collectors", async () => {
    const place = { data: "", root: `${import.meta.dirname}/../../../..`, database: await database() };
    const [first, second] = [retentionBook(place), retentionBook(place)];
    expect(await first.read()).toBe("");
    await first.write("access-logs=3d,max-spans=5");
    expect(await second.read()).toBe("access-logs=3d,max-spans=5");
  });

  it("a server that can't be reached yet keeps nobody from starting", async () => {
    const told: Error[] = [];
    const url = "postgres://limpid:secret@127.0.0.1:1/none";
    const store = await storeOf(url, { onUnreachable: (error: Error) => told.push(error) });
    const reader = await readerOf(url);
    const errors = [...told, await failure(store.write(batch({}))), await failure(reader.collectors())];
    expect(errors).toHaveLength(3);
    for (const error of errors) {
      expect(error.message).toMatch(/^the telemetry database postgres:\/\/127\.0\.0\.1:1\/none can't be used: .*ECONN/);
    }
  });

  it("names past the limit are counted without them, whoever was first", async () => {
    const url = await database();
    const stores = await Promise.all([storeOf(url, { maxEdges: 3 }), storeOf(url, { maxEdges: 3 })]);
    const reader = await readerOf(url);
    for (const [i, store] of [...stores, ...stores].entries()) {
      const rollups = Array.from({ length: 3 }, (_, n) => rollup(edge("page", `s${(i % 2) * 2 + n}`), t0 + i));
      await store.write(batch({ collector: { id: `c${i % 2}` }, rollups }));
    }
    const sums = await reader.sums({ ...all, withLatency: false });
    expect(total(sums)).toBe(12);
    const services = new Map(sums.map((row) => [row.edge.service.split(".")[0], row.count]));
    expect(services).toEqual(
      new Map([
        ["s0", 2],
        ["s1", 2],
        ["s2", 4],
        ["overflow", 4],
      ]),
    );
  });

  /** Keeps every writer waiting, as a server does that is stuck. */
  async function holdWriters(url: string): Promise<{ release(): Promise<void> }> {
    const { Client } = await import("pg");
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query("SELECT pg_advisory_lock(7125630113)");
    return { release: () => client.end() };
  }
});

/** All that a line of the log would have of an error. */
const said = (line: unknown[]): string =>
  line.map((part) => JSON.stringify(part, (_, value) => (value instanceof Error ? String(value.stack) : value))).join();
