import { expect, it } from "vitest";
import { fairShare } from "./log-shares.ts";

it.each([
  ["there is room for all", [1, 2, 3], 6, Number.POSITIVE_INFINITY],
  ["one is loud", [5, 10, 1000], 100, 85],
  ["two are loud", [5, 300, 1000], 100, 47],
  ["all are alike", [50, 50, 50, 50], 100, 25],
  ["there are more applications than room", [1, 1, 1], 2, 0],
  ["there are none", [], 10, Number.POSITIVE_INFINITY],
])("when %s, nobody keeps more than that", (_, wanted, room, share) => {
  expect(fairShare(wanted, room)).toBe(share);
  const kept = wanted.reduce((sum, each) => sum + Math.min(each, share), 0);
  expect(kept).toBeLessThanOrEqual(room);
});
