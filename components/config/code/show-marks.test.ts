import { expect, it } from "vitest";
import type { CodeMark } from "./marks.ts";
import { smallestChange } from "./replace-text.ts";
import { rangeOf } from "./show-marks.ts";

const text = "kind: X\nspec:\n  http:\n    - timeout: soon\n      route: []\n";
const mark = (path: string, line: number | null): CodeMark => ({ severity: "error", message: "m", path, line });
const marked = (one: CodeMark, of = text) => {
  const range = rangeOf(of, one);
  return range && of.slice(range.from, range.to);
};

it("stands under the field that is wrong", () => {
  expect(marked(mark("spec.http[0].timeout", 4))).toBe("timeout");
  expect(marked(mark("spec.http[0].timeout", null))).toBe("timeout");
  // What is missing is marked where it should be.
  expect(marked(mark("spec.http[0].retries.attempts", null))).toBe("timeout: soon");
});

it("stands under the line that was said, where the field is on another", () => {
  expect(marked(mark("spec.http[0].timeout", 5))).toBe("route: []");
  expect(marked(mark("", 2))).toBe("spec:");
  expect(marked(mark("spec.hosts", 11), `${text}---\n${text}`)).toBe("route: []");
  expect(rangeOf(text, mark("", 99))).toBeNull();
  expect(rangeOf(text, mark("", null))).toBeNull();
});

it("replaces only what differs between two texts", () => {
  expect(smallestChange("weight: 80\n", "weight: 85\n")).toEqual({ from: 9, to: 10, insert: "5" });
  expect(smallestChange("aa", "aaa")).toEqual({ from: 2, to: 2, insert: "a" });
  expect(smallestChange("abc", "")).toEqual({ from: 0, to: 3, insert: "" });
  for (const [before, after] of [
    ["abcabc", "abc"],
    ["abc", "abcabc"],
    ["xay", "xby"],
  ] as const) {
    const { from, to, insert } = smallestChange(before, after);
    expect(before.slice(0, from) + insert + before.slice(to)).toBe(after);
  }
});
