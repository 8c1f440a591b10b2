import { describe, expect, it } from "vitest";
import { span } from "../store/telemetry/testing/records.ts";
import { defaultSampling, parseSampling, type SamplingSettings } from "./sampling-settings.ts";
import type { SpanRecord } from "./span.ts";
import { TailSampler } from "./tail-sampler.ts";
import { ManualClock } from "./testing/manual-clock.ts";

const start = 1_767_225_600_000;

function setUp(changes: Partial<SamplingSettings> = {}) {
  const clock = new ManualClock(start);
  const kept: SpanRecord[] = [];
  const sampler = new TailSampler({
    settings: { ...defaultSampling, share: 0, slowest: 0, waitMs: 5000, ...changes },
    clock,
    keep: (spans) => kept.push(...spans),
  });
  const keptTraces = () => [...new Set(kept.map(({ traceId }) => traceId))].toSorted();
  return { clock, kept, sampler, keptTraces };
}

/** The nth of traces whose ids are spread evenly. */
const id = (n: number, of = 100) => {
  const random = Math.floor(((n + 0.5) / of) * 2 ** 52);
  return n.toString(16).padStart(19, "a") + random.toString(16).padStart(13, "0");
};
let spans = 0;
const spanOf = (traceId: string, changes: Partial<SpanRecord> = {}) =>
  span(traceId, (++spans).toString(16).padStart(16, "0"), start * 1000, changes);

describe("TailSampler", () => {
  it("keeps all of a trace with an error anywhere, and nothing of one without", async () => {
    const { clock, kept, sampler } = setUp();
    sampler.add([spanOf(id(1)), spanOf(id(2))]);
    await clock.advance(4000);
    sampler.add([spanOf(id(1), { error: true }), spanOf(id(2))]);
    await clock.advance(9000);
    expect(kept.map(({ traceId }) => traceId)).toEqual([id(1), id(1)]);
    expect(sampler.stats()).toMatchObject({ keptErrors: 1, droppedTraces: 1, droppedSpans: 2, heldSpans: 0 });
    expect(clock.pending).toBe(0);
  });

  it("keeps the slowest of each operation in each round", async () => {
    const { clock, sampler, keptTraces } = setUp({ slowest: 2 });
    for (let n = 0; n < 20; n++) {
      const name = n % 2 === 0 ? "even" : "odd";
      sampler.add([spanOf(id(n), { name: "root", durationUs: 50 }), spanOf(id(n), { name, durationUs: n * 100 })]);
    }
    await clock.advance(10_000);
    // Of the roots, which all took as long, the first two stand for the operation.
    expect(keptTraces()).toEqual([id(0), id(1), id(16), id(17), id(18), id(19)].toSorted());
    sampler.add([spanOf(id(30), { name: "even", durationUs: 1 })]);
    await clock.advance(10_000);
    expect(keptTraces()).toContain(id(30)); // the slowest of its own round
    expect(sampler.stats().keptSlow).toBe(7);
  });

  it("keeps a share by the trace's id, the same one everywhere", async () => {
    const one = setUp({ share: 0.25 });
    const other = setUp({ share: 0.25 });
    for (let n = 0; n < 100; n++) {
      one.sampler.add([spanOf(id(n))]);
      other.sampler.add([spanOf(id(99 - n))]);
    }
    one.sampler.stop();
    other.sampler.stop();
    expect(one.keptTraces()).toHaveLength(25);
    expect(other.keptTraces()).toEqual(one.keptTraces());
    expect(one.sampler.stats()).toMatchObject({ keptRandom: 25, droppedTraces: 75, droppedSpans: 75 });
  });

  it("keeps everything at a share of one", () => {
    const { sampler, keptTraces } = setUp({ share: 1 });
    sampler.add([spanOf("0".repeat(31).concat("1")), spanOf("f".repeat(32))]);
    sampler.stop();
    expect(keptTraces()).toHaveLength(2);
  });

  it("lets late spans follow their trace, and never loses an error", async () => {
    const { clock, kept, sampler } = setUp();
    sampler.add([spanOf(id(1), { error: true }), spanOf(id(2))]);
    await clock.advance(10_000);
    const [followed, dropped, error, after] = [1, 2, 2, 2].map((n) => spanOf(id(n), { error: false }));
    sampler.add([followed, dropped].filter((each) => each !== undefined));
    sampler.add([{ ...error, error: true } as SpanRecord]);
    sampler.add([after as SpanRecord]);
    expect(kept.slice(1).map(({ spanId }) => spanId)).toEqual([followed?.spanId, error?.spanId, after?.spanId]);
    expect(sampler.stats()).toMatchObject({ lateSpans: 4, droppedSpans: 2, keptErrors: 2, heldSpans: 0 });
  });

  it("holds a bounded number of traces and spans, and decides sooner when more comes", async () => {
    const { sampler, keptTraces } = setUp({ slowest: 1, maxTraces: 100, maxSpans: 150, maxSpansPerTrace: 3 });
    for (let n = 0; n < 1000; n++) {
      sampler.add([spanOf(id(n, 1000), { durationUs: n }), spanOf(id(n, 1000), { durationUs: 0, error: n === 500 })]);
      expect(sampler.stats().heldTraces).toBeLessThanOrEqual(100);
      expect(sampler.stats().heldSpans).toBeLessThanOrEqual(150);
    }
    sampler.stop();
    const stats = sampler.stats();
    expect(stats.earlyRounds).toBeGreaterThan(5);
    expect(keptTraces()).toContain(id(500, 1000));
    expect(keptTraces()).toContain(id(999, 1000));
    expect(stats.keptErrors + stats.keptSlow + stats.droppedTraces).toBe(1000);
    expect(stats.heldSpans).toBe(0);
  });

  it("holds a bounded number of bytes, however few spans they are of", () => {
    const { sampler, kept } = setUp({ share: 1 });
    const body = "x".repeat(1 << 20);
    for (let n = 0; n < 300; n++) sampler.add([spanOf(id(n, 1000), { attributes: { body: `${n}${body}` } })]);
    expect(sampler.stats().earlyRounds).toBeGreaterThan(0);
    sampler.stop();
    expect(kept).toHaveLength(300);
    expect(sampler.stats().truncatedSpans).toBe(0);
  });

  it("leaves out what one trace has too much of, but sees its errors", () => {
    const { kept, sampler } = setUp({ maxSpansPerTrace: 3 });
    sampler.add(Array.from({ length: 9 }, (_, n) => spanOf(id(1), { error: n === 8 })));
    sampler.stop();
    expect(kept).toHaveLength(3);
    expect(sampler.stats()).toMatchObject({ truncatedSpans: 6, keptErrors: 1 });
  });
});

describe("TailSampler beside another one", () => {
  /** Two, each told at once of what the other keeps. */
  function two(changes: Partial<SamplingSettings> = {}) {
    const clock = new ManualClock(start);
    const settings = { ...defaultSampling, share: 0, slowest: 0, waitMs: 5000, ...changes };
    const of = (other: () => TailSampler) => {
      const kept: SpanRecord[] = [];
      const tell = (ids: readonly string[]) => other().keptElsewhere(ids);
      const sampler = new TailSampler({ settings, clock, keep: (spans) => kept.push(...spans), tell });
      return { kept, sampler };
    };
    const one: ReturnType<typeof of> = of(() => other.sampler);
    const other: ReturnType<typeof of> = of(() => one.sampler);
    return { clock, one, other };
  }

  it("keeps its spans of what has an error there, or is slow there, and no others", async () => {
    const { clock, one, other } = two({ slowest: 1 });
    // The callers' halves are all at one, and as long as each other; the callees' at the other, where one fails and one takes its time.
    one.sampler.add([
      spanOf(id(1), { name: "call" }),
      spanOf(id(2), { name: "call" }),
      spanOf(id(3), { name: "call" }),
    ]);
    one.sampler.add([spanOf(id(4), { name: "call" })]);
    await clock.advance(3000);
    other.sampler.add([spanOf(id(2), { error: true, name: "answer", durationUs: 1 })]);
    other.sampler.add([spanOf(id(3), { name: "answer", durationUs: 9e6 }), spanOf(id(4), { name: "answer" })]);
    await clock.advance(20_000);
    const keptBy = ({ kept }: { kept: readonly SpanRecord[] }) => kept.map(({ traceId }) => traceId).toSorted();
    expect(keptBy(one)).toEqual([id(1), id(2), id(3)]); // the first is the slowest of the calls
    expect(keptBy(other)).toEqual([id(2), id(3)]);
    expect(one.sampler.stats()).toMatchObject({ keptSlow: 1, keptElsewhere: 2, droppedTraces: 1, heldSpans: 0 });
    expect(other.sampler.stats()).toMatchObject({ keptErrors: 1, keptSlow: 1, droppedTraces: 1, heldTraces: 0 });
    expect(clock.pending).toBe(0);
  });

  it("keeps what comes after it was told, and an error that comes when the trace was about to leave", async () => {
    const { clock, one, other } = two();
    one.sampler.add([spanOf(id(1), { error: true }), spanOf(id(2))]);
    other.sampler.add([spanOf(id(1)), spanOf(id(2))]);
    await clock.advance(12_000);
    other.sampler.add([spanOf(id(2), { error: true })]);
    one.sampler.add([spanOf(id(1)), spanOf(id(2))]);
    expect(one.kept.map(({ traceId }) => traceId)).toEqual([id(1), id(2), id(1), id(2)]);
    expect(other.kept.map(({ traceId }) => traceId)).toEqual([id(1), id(2), id(2)]);
    await clock.advance(10_000);
    expect(one.sampler.stats()).toMatchObject({ keptErrors: 1, keptElsewhere: 1, droppedTraces: 0, heldSpans: 0 });
  });

  it("holds no more than it may", () => {
    const { one } = two({ maxTraces: 100 });
    for (let n = 0; n < 1000; n++) {
      one.sampler.add([spanOf(id(n, 1000))]);
      expect(one.sampler.stats().heldTraces).toBeLessThanOrEqual(100);
    }
    one.sampler.stop();
    expect(one.sampler.stats()).toMatchObject({ droppedTraces: 1000, droppedSpans: 1000, heldSpans: 0, heldTraces: 0 });
  });
});

describe("parseSampling", () => {
  it("reads settings, and keeps every trace without any", () => {
    expect(parseSampling(undefined)).toBeUndefined();
    expect(parseSampling(" ")).toBeUndefined();
    expect(parseSampling("keep=5%, slowest=0,wait=2s,max-traces=10")).toEqual({
      ...defaultSampling,
      share: 0.05,
      slowest: 0,
      waitMs: 2000,
      maxTraces: 10,
    });
    expect(parseSampling("keep=0.5")?.share).toBe(0.5);
    expect(parseSampling("keep=100%")?.share).toBe(1);
  });

  it("says all that is wrong at once", () => {
    expect(() => parseSampling("keep=120%,wait=1ms,slow=3,max-spans=0")).toThrow(
      "trace sampling: keep=120%: must be a share such as 5% or 0.05; wait=1ms: must be a duration of 100ms to 5m, such as 5s; " +
        "slow: must be one of keep, slowest, wait, max-traces, max-spans, max-spans-per-trace; max-spans=0: must be a whole number from 1 up",
    );
  });
});
