import { expect, it } from "vitest";
import { versionColor, versionIndex } from "./version-color.ts";

it("gives v1 to v5 the five colours in order, however they are written", () => {
  expect(["v1", "v2", "v3", "v4", "v5"].map(versionIndex)).toEqual([1, 2, 3, 4, 5]);
  expect(["2", "v2.1.0", "2-rc1"].map(versionIndex)).toEqual([2, 2, 2]);
});

it("gives any other name one stable colour of the eight", () => {
  for (const name of ["canary", "2024-06-01", "v17", "abcdef0"]) {
    expect(versionIndex(name)).toBe(versionIndex(name));
    expect(versionIndex(name)).toBeGreaterThanOrEqual(1);
    expect(versionIndex(name)).toBeLessThanOrEqual(8);
  }
  expect(new Set(Array.from({ length: 60 }, (_, i) => versionIndex(`build-${i}`))).size).toBe(8);
});

it("is grey without a version", () => expect(versionColor(null)).toBe("var(--ink-3)"));
