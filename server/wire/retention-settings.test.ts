import { expect, it } from "vitest";
import { defaultRetention } from "./retention.ts";
import { describeRetention, parseRetention, retentionSettings } from "./retention-settings.ts";

it("reads what is named and leaves the rest", () => {
  expect(parseRetention(undefined)).toEqual(defaultRetention);
  expect(parseRetention("")).toEqual(defaultRetention);
  expect(parseRetention("access-logs=36h, max-spans=5,rollup-1h=60d,")).toEqual({
    ...defaultRetention,
    samplesSec: 36 * 3600,
    maxSpans: 5,
    steps: { ...defaultRetention.steps, 3600: 60 * 86_400 },
  });
});

it("says all that is wrong at once, with what would be right", () => {
  expect(() => parseRetention("acess-logs=1d,traces=soon,max-logs=-1,logs")).toThrow(
    /acess-logs: must be one of .*; traces=soon: must be a duration.*; max-logs=-1: must be a whole number; logs=: must be a duration/,
  );
  expect(() => parseRetention("rollup-1m=1h")).toThrow("a coarser step must be kept as long as a finer one");
});

it("says of every setting what it is and what disk it takes", () => {
  const rows = describeRetention(defaultRetention);
  expect(rows.map(([name]) => name)).toEqual(Object.keys(retentionSettings));
  expect(rows).toContainEqual(["access-logs", "1d", "", "access logs"]);
  expect(rows.find(([name]) => name === "max-spans")?.[2]).toMatch(/^\d+ MB$/);
});
