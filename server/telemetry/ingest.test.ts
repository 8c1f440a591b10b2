import { describe, expect, it } from "vitest";
import { silentLogger } from "../lib/logger.ts";
import { MemoryTelemetryStore } from "../store/telemetry/memory-store.ts";
import { edge, log, sample, span } from "../store/telemetry/testing/records.ts";
import { defaultLimits, type IngestLimits } from "./collector-limits.ts";
import { Ingest } from "./ingest.ts";
import type { CompactionPass, TelemetryBatch } from "./store.ts";
import { ManualClock } from "./testing/manual-clock.ts";

const start = 1_767_225_600_000;
const reviews = edge("productpage", "reviews/v1");

/** The memory store, with what was asked of it, and a switch that makes writes fail. */
class WatchedStore extends MemoryTelemetryStore {
  batches: TelemetryBatch[] = [];
  passes: CompactionPass[] = [];
  broken = false;
  override async write(batch: TelemetryBatch): Promise<void> {
    this.batches.push(batch);
    if (this.broken) throw new Error("disk full");
    await super.write(batch);
  }
  override async compact(pass: CompactionPass): Promise<{ more: boolean }> {
    this.passes.push(pass);
    return super.compact(pass);
  }
}

function setUp(limits: Partial<IngestLimits> = {}) {
  const store = new WatchedStore();
  const clock = new ManualClock(start);
  const ingest = new Ingest({ id: "c", store, clock, logger: silentLogger, limits: { ...defaultLimits, ...limits } });
  const total = async () => {
    const rows = await store.rollups({ fromMs: start - 3_600_000, toMs: start + 36_000_000, stepSec: 1 });
    return rows.reduce((sum, row) => sum + row.count, 0);
  };
  return { store, clock, ingest, total };
}

describe("Ingest", () => {
  it("writes one batch a second while records come, and then rests", async () => {
    const { store, clock, ingest, total } = setUp();
    await clock.advance(30_000);
    expect(store.batches).toEqual([]);
    for (let i = 0; i < 30; i++) {
      ingest.records([sample(reviews, clock.now() - 1)]);
      await clock.advance(100);
    }
    await clock.advance(1000);
    expect(await total()).toBe(30);
    expect(store.batches.length).toBeGreaterThanOrEqual(3);
    expect(store.batches.length).toBeLessThanOrEqual(5);
    await clock.advance(5000);
    const written = store.batches.length;
    expect(store.batches.at(-1)).toMatchObject({ rollups: [], collector: { active: false } });
    await clock.advance(600_000);
    expect(store.batches).toHaveLength(written);
  });

  it("takes what a clock that runs ahead, or was never set, says to have ended for ended now, and says so", async () => {
    const { store, clock, ingest } = setUp();
    const now = clock.now();
    for (const timeMs of [now + 86_400_000, 9.2e21, Number.NaN, 5]) ingest.records([sample(reviews, timeMs)]);
    ingest.spans([span("a".repeat(32), "b".repeat(16), (now + 3_600_000) * 1000)]);
    ingest.spans([span("a".repeat(32), "c".repeat(16), 3_600_000_000)]); // an hour after its clock began
    ingest.records([sample(reviews, now + 20)]); // nobody's fault
    await clock.advance(3000);
    const [batch] = store.batches;
    expect(batch?.samples.map(({ timeMs }) => timeMs)).toEqual([now, now, now, now, now]);
    expect(batch?.spans.map(({ startUs }) => startUs)).toEqual([now * 1000, now * 1000]);
    expect(ingest.stats().misdatedRecords).toBe(6);
    expect(batch?.collector.freshAtMs).toBe(now);
  });

  it("sheds spans and logs whose texts are too long to wait, and counts every request", async () => {
    const { store, clock, ingest, total } = setUp({ maxWaitingSpanBytes: 100_000, maxWaitingLogBytes: 100_000 });
    store.broken = true;
    ingest.records([sample(reviews, clock.now() - 1)]);
    await clock.advance(2000); // the first batch is not written, and what comes waits behind it
    const long = "x".repeat(10_000);
    const spanOf = (n: number) =>
      span("a".repeat(32), n.toString(16).padStart(16, "0"), clock.now() * 1000, { attributes: { long } });
    expect(ingest.spans(Array.from({ length: 30 }, (_, n) => spanOf(n)))).toBe(10);
    expect(ingest.spans([spanOf(30)])).toBe(0);
    expect(ingest.logs(Array.from({ length: 30 }, () => log(clock.now() * 1000, { body: long })))).toBe(10);
    for (let n = 0; n < 1000; n++) ingest.records([sample(reviews, clock.now() - 1)]);
    expect(ingest.stats()).toMatchObject({ shedSpans: 21, shedLogs: 20, waitingSpans: 10, waitingLogs: 10 });
    store.broken = false;
    await clock.advance(3000);
    expect(await total()).toBe(1001);
    expect(ingest.spans([spanOf(31)])).toBe(1); // there is room again
  });

  it("says which seconds are whole: the flush comes a grace after a full second", async () => {
    const { store, clock, ingest } = setUp({ graceMs: 800 });
    await clock.advance(300);
    ingest.records([sample(reviews, start + 250)]);
    await clock.advance(499);
    expect(store.batches).toHaveLength(0);
    await clock.advance(1);
    expect(store.batches[0]?.collector).toMatchObject({
      flushedAtMs: start + 800,
      completeUntilMs: start,
      freshAtMs: start + 250,
      active: true,
    });
    await clock.advance(1000);
    expect((await store.collectors())[0]).toMatchObject({ completeUntilMs: start + 1000 });
  });

  it("tries a batch that failed again, unchanged, and counts on meanwhile", async () => {
    const { store, clock, ingest, total } = setUp();
    store.broken = true;
    for (let i = 0; i < 50; i++) {
      ingest.records([sample(reviews, clock.now())]);
      await clock.advance(100);
    }
    expect(await total()).toBe(0);
    expect(ingest.stats().failedFlushes).toBeGreaterThan(2);
    expect(new Set(store.batches.map((batch) => batch.id)).size).toBe(1);
    store.broken = false;
    await clock.advance(5000);
    expect(await total()).toBe(50);
    expect(ingest.stats()).toMatchObject({ openEntries: 0, waitingSamples: 0 });
  });

  it("sheds samples and spans past their limits while the store is down, never counts", async () => {
    const { store, clock, ingest, total } = setUp({ maxWaitingErrors: 10, maxWaitingSpans: 3, maxEntries: 20 });
    store.broken = true;
    for (let i = 0; i < 100; i++) {
      ingest.records([sample(reviews, clock.now(), { code: 503 })]);
      ingest.spans([span("a".repeat(32), String(i).padStart(16, "0"), clock.now() * 1000)]);
      await clock.advance(1000);
    }
    const stats = ingest.stats();
    expect(stats.shedSamples).toBeGreaterThan(80);
    expect(stats.shedSpans).toBeGreaterThan(90);
    expect(stats.openEntries).toBeLessThanOrEqual(21);
    expect(stats.waitingSpans).toBeLessThanOrEqual(3);
    store.broken = false;
    await clock.advance(5000);
    expect(await total()).toBe(100);
  });

  it("says so when it stood still while records came, and not when none did", async () => {
    const { store, clock, ingest } = setUp();
    const stalls = () => store.batches.flatMap(({ collector }) => collector.stalledFromMs ?? []);
    ingest.records([sample(reviews, clock.now())]);
    await clock.advance(1000);
    ingest.records([sample(reviews, clock.now())]);
    const before = clock.now() + 26_000;
    clock.freeze(25_000);
    await clock.advance(1000);
    expect(stalls()).toEqual([]); // proxies bear that
    ingest.records([sample(reviews, clock.now())]);
    clock.freeze(90_000);
    await clock.advance(1000);
    expect(stalls()).toHaveLength(1);
    expect(stalls()[0]).toBeGreaterThan(before - 1100);
    await clock.advance(600_000);
    ingest.records([sample(reviews, clock.now())]);
    await clock.advance(5000);
    expect(stalls()).toHaveLength(1);
  });

  it("compacts every half minute under traffic, up to what can't change, and once a minute at rest", async () => {
    const { store, clock, ingest } = setUp({ lateMs: 20_000 });
    await clock.advance(300_000);
    expect(store.passes).toHaveLength(5);
    store.passes = [];
    for (let i = 0; i < 120; i++) {
      ingest.records([sample(reviews, clock.now())]);
      await clock.advance(1000);
    }
    expect(store.passes.length).toBeGreaterThanOrEqual(3);
    for (const pass of store.passes) expect(pass.settledUntilMs).toBeLessThanOrEqual(pass.nowMs - 21_000);
  });

  it("does not compact while a batch waits, which may hold older seconds", async () => {
    const { store, clock, ingest } = setUp();
    store.broken = true;
    ingest.records([sample(reviews, clock.now())]);
    await clock.advance(300_000);
    expect(store.passes).toHaveLength(0);
  });

  it("writes what is waiting when it stops, and leaves no timer", async () => {
    const { clock, ingest, store, total } = setUp();
    ingest.records([sample(reviews, clock.now())]);
    await ingest.stop();
    expect(await total()).toBe(1);
    expect(store.batches.at(-1)?.collector.active).toBe(false);
    expect(clock.pending).toBe(0);
  });
});
