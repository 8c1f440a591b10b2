import { expect, it } from "vitest";
import { readObject } from "./read-object.ts";

it("reads one object, with its aliases followed", () => {
  const text = "spec:\n  http:\n    - &rule { timeout: 3s }\n    - *rule\n";
  expect(readObject(text)).toEqual({ ok: true, object: { spec: { http: [{ timeout: "3s" }, { timeout: "3s" }] } } });
});

it.each([
  ["no map", "- a\n", "must be one object"],
  ["nothing", "", "must be one object"],
  ["a tab", "spec:\n\thosts: []\n", "Tabs are not allowed as indentation"],
  ["an alias of nothing", "spec: *gone\n", "Unresolved alias"],
  [
    "aliases that multiply",
    `a: &a [${"x,".repeat(9)}]\nb: &b [${"*a,".repeat(9)}]\nc: &c [${"*b,".repeat(9)}]\nd: [${"*c,".repeat(9)}]\n`,
    "Excessive alias count",
  ],
])("tells what is wrong with %s, and throws nothing", (_, text, message) => {
  const read = readObject(text);
  expect(read.ok ? [] : read.problems.map((problem) => problem.message)).toEqual([expect.stringContaining(message)]);
});
