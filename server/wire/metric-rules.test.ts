import { expect, test } from "vitest";
import { changedLabels, constantOf, formatMetricChanges, parseMetricChanges } from "./metric-rules.ts";

test("what is changed alike is written once, and read as it was", () => {
  const tags = [["code", null] as const, ["place", "'here'"] as const];
  const text = formatMetricChanges([
    { metric: "A", disabled: false, tags },
    { metric: "B", disabled: true, tags },
    { metric: "C", disabled: false, tags },
  ]);
  expect(text).toBe('[[["A","C"],0,{"code":null,"place":"\'here\'"}],[["B"],1,{}]]');
  expect([...(parseMetricChanges(text) ?? [])]).toEqual([
    ["A", { disabled: false, tags }],
    ["C", { disabled: false, tags }],
    ["B", { disabled: true, tags: [] }],
  ]);
});

test.each(["", "x", "{}", "[1]", "[[1,2,3]]", '[["A"]]', `[${"1,".repeat(40_000)}1]`])("%.20s is none", (text) => {
  expect(parseMetricChanges(text)?.size ?? 0).toBe(0);
});

test("a label of no such form is left out, whoever sent it", () => {
  expect(parseMetricChanges('[[["A"],0,{"a\\n}x":"1","b":2,"c":"\'d\'"}]]')?.get("A")?.tags).toEqual([["c", "'d'"]]);
});

test("a label is taken out, set, or added", () => {
  const change = {
    disabled: false,
    tags: [["a", null] as const, ["b", "'2'"] as const, ["c", "request.host"] as const, ["d", "x"] as const],
  };
  const known = (text: string) => (text === "request.host" ? "shop" : undefined);
  expect(
    changedLabels(
      [
        ["a", "1"],
        ["b", "1"],
      ],
      change,
      known,
    ),
  ).toEqual([
    ["b", "2"],
    ["c", "shop"],
  ]);
  expect([constantOf(' "x" '), constantOf("''"), constantOf("'a' + 'b'"), constantOf("1")]).toEqual([
    "x",
    "",
    undefined,
    undefined,
  ]);
});
