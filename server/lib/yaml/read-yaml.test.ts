import { describe, expect, test } from "vitest";
import { parseDocument } from "yaml";
import { readYaml, YamlLimitError, yamlFileLimits } from "./read-yaml.ts";

const one = (text: string, limits = {}) => readYaml(text, { ...yamlFileLimits, ...limits }).documents[0];
const value = (text: string) => {
  const document = one(text);
  expect(document?.problems).toEqual([]);
  return document?.value;
};
const problem = (text: string) => one(text)?.problems[0]?.message;
const limitOf = (text: string, limits = {}) => {
  try {
    one(text, limits);
  } catch (error) {
    expect(error).toBeInstanceOf(YamlLimitError);
    return (error as Error).message;
  }
  return undefined;
};

test.each([
  "a: 1\nb: [x, 'y', \"z\"]\nc: { d: true, e: null, f: 1.5 }\n",
  "- a\n- b: c\n  d: e\n-\n  - f\n",
  "a: |\n  text\n  more\nb: >-\n  folded\n  text\n",
  "? a\n: b\n? c\n",
  "1: a\ntrue: b\nnull: c\n",
  '{"a": [1, {"b": null}], "c": "\\u00e4"}',
  "a: &x { b: 1 }\nc: *x\nd: [*x, *x]\n",
  "[a: b, c]",
  "[{ a: }, { b }]",
  "[:a, a:b, http://x:80]",
  "a: 0x1f\nb: 0o17\nc: 1e3\nd: .inf\n",
])("reads as yaml does: %j", (text) => {
  expect(value(text) ?? null).toEqual(parseDocument(text).toJS() ?? null);
});

test("a plain scalar that ends in a colon within a flow list is text, as kubectl reads it", () => {
  expect(value("cidrs: [2001:db8::, fe80::/10, 001:db8::]")).toEqual({
    cidrs: ["2001:db8::", "fe80::/10", "001:db8::"],
  });
  expect(value("[a: , { b: }, { 'c': }]")).toEqual(
    [{ a: null }, { b: null }, { c: null }].map((one, index) => (index === 0 ? "a:" : one)),
  );
});

test("merge keys: what a map says itself goes before, and the first of several maps", () => {
  expect(value("a: &a { x: 1, y: 1 }\nb: &b { y: 2, z: 2 }\nc:\n  <<: [*a, *b]\n  x: 3\n")).toMatchObject({
    c: { x: 3, y: 1, z: 2 },
  });
  expect(value("a: &a { x: 1 }\nc:\n  x: 3\n  <<: *a\n")).toMatchObject({ c: { x: 3 } });
  expect(problem("a:\n  <<: 1\n")).toContain("merge keys (<<) need a map");
});

test("what is wrong is named", () => {
  expect(problem("a: 1\nb: 2\na: 3\n")).toBe('Map keys must be unique; "a" is there twice');
  expect(problem("a: *x")).toContain("*x");
  expect(problem("a: &x [*x]")).toContain("stands within what it stands for");
  expect(problem("__proto__: 1")).toBe("the key __proto__ is not allowed");
  expect(problem("? [a]\n: b")).toBe("a key must be a scalar");
  expect(problem("a: [1, 2")).toBeDefined();
  const { documents, lineAt } = readYaml("a: 1\n---\nb: 1\nb: 2\n", yamlFileLimits);
  expect(lineAt(documents[1]?.problems[0]?.offset ?? 0)).toBe(4);
});

describe("budgets", () => {
  test("depth, in every style, before the stack overflows", () => {
    for (const text of [
      "[".repeat(5000),
      "{a: ".repeat(5000),
      "- ".repeat(5000),
      Array.from({ length: 900 }, (_, index) => `${" ".repeat(index)}k:`).join("\n"),
    ]) {
      expect(limitOf(text)).toBe("is nested deeper than 64 levels");
    }
    expect(limitOf("[".repeat(60) + "]".repeat(60))).toBeUndefined();
  });

  test("what aliases stand for", () => {
    const laughs = ["a: &a [x, x, x, x, x, x, x, x, x]"];
    for (let index = 1; index < 9; index++) {
      const [from, to] = ["abcdefghi"[index - 1], "abcdefghi"[index]];
      laughs.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(", ")}]`);
    }
    expect(limitOf(laughs.join("\n"))).toContain("must have at most 2000000 values");
  });

  test("bytes, values and time", () => {
    expect(limitOf("a: b", { bytes: 3 })).toBe("must have at most 3 bytes, not 4");
    expect(limitOf("[a, b, c, d]", { values: 3 })).toContain("must have at most 3 values");
    expect(limitOf(Array.from({ length: 5000 }, (_, index) => `k${index}: v`).join("\n"), { timeMs: -1 })).toContain(
      "JSON is quicker",
    );
  });

  test("keys, anchors and aliases by the thousand take time in proportion", () => {
    const flat = Array.from({ length: 20_000 }, (_, index) => `k${index}: v`).join("\n");
    expect(Object.keys(value(flat) as object)).toHaveLength(20_000);
    const anchors = Array.from({ length: 10_000 }, (_, index) => `k${index}: &a${index} v\nj${index}: *a${index}`).join(
      "\n",
    );
    expect(Object.keys(value(anchors) as object)).toHaveLength(20_000);
  });
});
