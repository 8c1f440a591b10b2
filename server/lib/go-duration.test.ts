import { expect, test } from "vitest";
import { formatGoDuration, parseGoDuration } from "./go-duration.ts";

test.each([
  ["0", 0],
  ["500ms", 500],
  ["1h2m3s", 3_723_000],
  ["1.5s", 1_500],
  [".5s", 500],
  ["1.1s", 1_100],
  ["-2s", -2_000],
  ["100us", 0.1],
  ["3ns", 0.000003],
])("reads %s", (text, ms) => expect(parseGoDuration(text)).toBe(ms));

test.each(["", "5", "5 s", "s", "1d", "1s2", "1.2.3s", "five", `${"1s".repeat(40)}`])("refuses %j", (text) =>
  expect(parseGoDuration(text)).toBeUndefined(),
);

test("writes what it reads", () => {
  for (const ms of [0, 1, 250, 1_000, 1_500, 60_000]) expect(parseGoDuration(formatGoDuration(ms))).toBe(ms);
  expect(formatGoDuration(2_500)).toBe("2.5s");
});
