import { expect, it } from "vitest";
import { normalizePath } from "./normalize-path.ts";

it.each<[string, string | undefined]>([
  ["/a/b?c=/../d", "/a/b?c=/../d"],
  ["/a/./b/../c", "/a/c"],
  ["/a/..", "/"],
  ["/a/b/.", "/a/b/"],
  ["/../../x", "/x"],
  ["/a/%2e%2E/b", "/b"],
  ["/%61%7e", "/a~"],
  ["/a%2fb", "/a%2Fb"],
  ["/a\\b", "/a/b"],
  ["/a//b", "/a//b"],
  ["/a%0", undefined],
  ["/a%zz", undefined],
  ["/a%00", undefined],
])("%s → %s", (path, expected) => expect(normalizePath(path, true, false)).toBe(expected));

it("merges slashes when told to, but not in the query", () => {
  expect(normalizePath("/a//b///c?d=//", false, true)).toBe("/a/b/c?d=//");
});
