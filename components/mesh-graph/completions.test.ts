import { expect, it } from "vitest";
import { completionsOf, findPresets, hidePresets } from "./completions.ts";
import { parseFind } from "./find.ts";

it("offers presets at first, each of them an expression", () => {
  expect(completionsOf("", ["reviews"], findPresets)).toEqual([...findPresets]);
  for (const preset of [...findPresets, ...hidePresets]) expect(parseFind(preset)).toMatchObject({ ok: true });
});

it("goes on from the last word, and keeps what stands before it", () => {
  expect(completionsOf("errors > 1% and rev", ["reviews", "ratings"], [])).toEqual(["errors > 1% and reviews"]);
  expect(completionsOf("not (fa", [], [])).toEqual(["not (fault", "not (failing"]);
  expect(completionsOf("errors > 1% and ", ["reviews"], [])).toEqual([]);
  expect(completionsOf("names", [], [])).toEqual(["namespace"]);
});

it("knows what a field's value may be", () => {
  expect(completionsOf("not name = ", ["reviews", "v1"], [])).toEqual(["not name = reviews", "not name = v1"]);
  expect(completionsOf("name=re", ["reviews", "ratings"], [])).toEqual(["name=reviews"]);
  expect(completionsOf("protocol = g", ["gateway"], [])).toEqual(["protocol = grpc"]);
  expect(completionsOf("code = ", ["reviews"], [])).toEqual([]);
});
