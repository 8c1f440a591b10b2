import { describe, expect, it } from "vitest";
import { edge, sample } from "../store/telemetry/testing/records.ts";
import { RollUp } from "./roll-up.ts";

const now = 1_000_000_000;
const limits = { maxEdges: 100, maxEntries: 1000, lateMs: 20_000, maxLateMs: 20_000 };
const reviews = edge("productpage", "reviews/v1");

const brief = (rollUp: RollUp) =>
  rollUp.drain().map((entry) => [entry.second - now / 1000, entry.edge.service.split(".")[0], entry.code, entry.count]);

describe("RollUp", () => {
  it("counts per edge, second, code and flags", () => {
    const rollUp = new RollUp(limits);
    rollUp.add(sample(reviews, now - 2000, { durationMs: 10, requestBytes: 1, responseBytes: 2 }), now);
    rollUp.add(sample({ ...reviews }, now - 1001, { durationMs: 30, requestBytes: 1, responseBytes: 2 }), now);
    rollUp.add(sample(reviews, now - 1000), now);
    rollUp.add(sample(reviews, now - 1000, { code: 503 }), now);
    rollUp.add(sample(reviews, now - 1000, { code: 503, flags: 4 }), now);
    rollUp.add(sample(edge("productpage", "details"), now - 1000), now);
    expect(rollUp.size).toBe(5);
    const entries = rollUp.drain();
    expect(entries).toHaveLength(5);
    expect(entries[0]).toMatchObject({
      second: now / 1000 - 2,
      code: 200,
      count: 2,
      requestBytes: 2,
      responseBytes: 4,
    });
    expect(entries[0]?.latency.quantile(1)).toBeGreaterThan(29);
    expect(rollUp.size).toBe(0);
    expect(rollUp.drain()).toEqual([]);
  });

  it("takes late records into their own second up to the bound, then into the oldest open one, and says so", () => {
    const rollUp = new RollUp(limits);
    rollUp.add(sample(reviews, now - 20_000), now);
    expect(rollUp.late).toBe(0);
    rollUp.add(sample(reviews, now - 3_600_000), now);
    expect(rollUp.late).toBe(1);
    expect(brief(rollUp)).toEqual([[-20, "reviews", 200, 2]]);
  });

  it("never writes into the future", () => {
    const rollUp = new RollUp(limits);
    rollUp.add(sample(reviews, now + 60_000), now);
    expect(brief(rollUp)).toEqual([[0, "reviews", 200, 1]]);
  });

  it("counts calls of too many edges together", () => {
    const rollUp = new RollUp({ ...limits, maxEdges: 2 });
    for (let i = 0; i < 5; i++) rollUp.add(sample(edge("productpage", `service-${i}`), now), now);
    expect(rollUp.overflowed).toBe(3);
    expect(brief(rollUp)).toEqual([
      [0, "service-0", 200, 1],
      [0, "service-1", 200, 1],
      [0, "overflow", 200, 3],
    ]);
  });

  it("loses no count, only precision, when nothing is drained for long", () => {
    const rollUp = new RollUp({ ...limits, maxEntries: 10 });
    for (let i = 0; i < 1000; i++) rollUp.add(sample(reviews, now + i * 1000), now + i * 1000);
    expect(rollUp.size).toBeLessThanOrEqual(11);
    expect(rollUp.drain().reduce((sum, entry) => sum + entry.count, 0)).toBe(1000);
    rollUp.add(sample(reviews, now + 2_000_000), now + 2_000_000);
    expect(brief(rollUp)).toEqual([[2000, "reviews", 200, 1]]);
  });
});
