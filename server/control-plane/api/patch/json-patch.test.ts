import { describe, expect, test } from "vitest";
import { StatusError } from "../status-error.ts";
import { applyJsonPatch } from "./json-patch.ts";

const add = (path: string, value: unknown) => ({ op: "add", path, value });
const failure = (run: () => unknown): StatusError => {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error("it worked");
};

// Cases of RFC 6902, appendix A, and of json-patch/json-patch-tests.
test.each<[string, unknown, object[], unknown]>([
  ["adds a member", { foo: "bar" }, [add("/baz", "qux")], { foo: "bar", baz: "qux" }],
  ["adds an element", { foo: ["bar", "baz"] }, [add("/foo/1", "qux")], { foo: ["bar", "qux", "baz"] }],
  ["appends an element", { foo: ["bar"] }, [add("/foo/-", ["abc"])], { foo: ["bar", ["abc"]] }],
  ["removes a member", { baz: 1, foo: 2 }, [{ op: "remove", path: "/baz" }], { foo: 2 }],
  ["removes an element", { foo: [1, 2, 3] }, [{ op: "remove", path: "/foo/1" }], { foo: [1, 3] }],
  ["replaces", { baz: 1 }, [{ op: "replace", path: "/baz", value: null }], { baz: null }],
  ["replaces all", { baz: 1 }, [{ op: "replace", path: "", value: { a: 1 } }], { a: 1 }],
  [
    "moves",
    { foo: { bar: 1 }, qux: {} },
    [{ op: "move", from: "/foo/bar", path: "/qux/thud" }],
    { foo: {}, qux: { thud: 1 } },
  ],
  ["moves within a list", { foo: [1, 2, 3] }, [{ op: "move", from: "/foo/0", path: "/foo/2" }], { foo: [2, 3, 1] }],
  [
    "copies, and the copies are two",
    { a: { b: 1 } },
    [{ op: "copy", from: "/a", path: "/c" }, add("/c/d", 2)],
    { a: { b: 1 }, c: { b: 1, d: 2 } },
  ],
  [
    "copies, and the original is no copy",
    { a: { b: 1 } },
    [add("/a/e", 3), { op: "copy", from: "/a", path: "/c" }, add("/a/d", 2)],
    { a: { b: 1, e: 3, d: 2 }, c: { b: 1, e: 3 } },
  ],
  [
    "tests",
    { a: { b: [1, { c: 2 }] } },
    [{ op: "test", path: "/a", value: { b: [1, { c: 2 }] } }],
    { a: { b: [1, { c: 2 }] } },
  ],
  ["tests null", { a: null }, [{ op: "test", path: "/a", value: null }], { a: null }],
  [
    "escapes",
    { "a/b": 1, "m~n": 2 },
    [
      { op: "replace", path: "/a~1b", value: 3 },
      { op: "remove", path: "/m~0n" },
    ],
    { "a/b": 3 },
  ],
])("%s", (_, target, patch, expected) => {
  const before = structuredClone(target);
  expect(applyJsonPatch(target, patch)).toEqual(expected);
  expect(target).toEqual(before);
});

test.each<[string, object[], string]>([
  ["a test that fails", [{ op: "test", path: "/a", value: 2 }], 'operation 0: test of "/a" failed'],
  [
    "what is not there",
    [add("/b", 1), { op: "replace", path: "/x", value: 1 }],
    'operation 1: there is nothing at "/x"',
  ],
  ["a parent that is not there", [add("/x/y", 1)], 'operation 0: there is nothing at "/x"'],
  ["an index past the end", [add("/list/3", 1)], "the list has no index 3"],
  ["an index with a leading zero", [add("/list/01", 1)], '"01" is no index of a list'],
  ["an unknown op", [{ op: "spam", path: "/a" }], 'has the unknown op "spam"'],
  ["no pointer", [{ op: "remove", path: "a" }], "needs a JSON pointer as path"],
  ["no value", [{ op: "add", path: "/a" }], "add needs a value"],
  ["a move into itself", [{ op: "move", from: "/map", path: "/map/x" }], 'can\'t move "/map" into itself'],
  ["the prototype", [add("/__proto__", {})], "the key __proto__ is not allowed"],
  ["a member of a scalar", [add("/a/b", {})], '"/a" holds nothing'],
])("refuses %s", (_, patch, text) => {
  const error = failure(() => applyJsonPatch({ a: 1, map: {}, list: [1, 2] }, patch));
  expect(error.code).toBe(422);
  expect(error.message).toContain(text);
});

const map = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, 1]));

describe("work is in proportion", () => {
  test("copies that double are refused by their size together, as by kube-apiserver", () => {
    const copies = Array.from({ length: 26 }, (_, index) => ({
      op: "copy",
      from: "/metadata",
      path: `/metadata/z${index}`,
    }));
    const error = failure(() =>
      applyJsonPatch({ metadata: { name: "a" } }, [add("/metadata/x", "y".repeat(1000)), ...copies]),
    );
    expect(error).toMatchObject({ code: 413, reason: "RequestEntityTooLarge" });
    expect(error.message).toMatch(
      /^Unable to complete the copy, the accumulated size increase of copy is \d+, exceeding the limit 3145728$/,
    );
  });

  test.each<[string, unknown, object[]]>([
    ["tests of a large map", { map: { ...map } }, Array(10_000).fill({ op: "test", path: "/map", value: map })],
    ["insertions at the head", { list: Array(400_000).fill(1) }, Array(10_000).fill(add("/list/0", 1))],
    [
      "moves of a large list",
      { a: Array(400_000).fill({}), b: {} },
      Array.from({ length: 10_000 }, (_, index) => ({
        op: "move",
        from: index % 2 ? "/b/a" : "/a",
        path: index % 2 ? "/a" : "/b/a",
      })),
    ],
  ])("%s end, or are refused for what they cost", (_, target, patch) => {
    let outcome: unknown = "done";
    try {
      applyJsonPatch(target, patch);
    } catch (error) {
      outcome = error instanceof StatusError ? error.code : error;
    }
    expect(["done", 413]).toContain(outcome);
  });

  test("depth and number are bounded", () => {
    const deep = Array.from({ length: 100 }, (_, index) => add(`${"/a".repeat(index + 1)}`, {}));
    expect(failure(() => applyJsonPatch({}, deep)).message).toContain("deeper than 64 levels");
    expect(failure(() => applyJsonPatch({}, Array(10_001).fill(add("/a", 1)))).code).toBe(413);
  });
});
