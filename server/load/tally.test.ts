import { expect, test } from "vitest";
import { Tally } from "./tally.ts";

test("no percentile is above the slowest, however near the sketch comes", () => {
  const above = [1.1, 7, 33.3, 154.1, 999, 2043.7, 8123].filter((ms) => {
    const tally = new Tally(0);
    tally.due(0, 0);
    tally.ended({ dueAt: 0, sentAt: 0, endedAt: ms, request: 0, result: { status: 200, ok: true, bytes: 0 } });
    const { p50, p999, max } = tally.outcome(1).latency;
    return max !== ms || (p50 ?? 0) > ms || (p999 ?? 0) > ms;
  });
  expect(above).toEqual([]);
});
