import { expect, it } from "vitest";
import { earlierRange } from "./earlier-range.ts";

it("moves on with steps of a moving window, and stands where the range does", () => {
  const moving = { windowSec: 60, at: null };
  expect(earlierRange(moving, "before", 1_000_000)).toEqual({ windowSec: 60, at: 940_000 });
  expect(earlierRange(moving, "before", 1_009_999)).toEqual({ windowSec: 60, at: 940_000 });
  expect(earlierRange({ windowSec: 60, at: 1_003_000 }, "day", 1_009_999)?.at).toBe(1_003_000 - 86_400_000);
  expect(earlierRange(moving, null, 1_000_000)).toBeNull();
  expect(earlierRange(moving, "week", 0)).toBeNull();
});
