import { expect, it } from "vitest";
import { flagsOf } from "./span-flags.ts";

it.each([
  ["UF,URX", ["UF", "URX"]],
  ["DC", ["DC"]],
  ["-", []],
  ["", []],
])("reads %j", (told, flags) => {
  expect(flagsOf({ attributes: { response_flags: told } })).toEqual(flags);
});

it("finds none in a span of an application", () => {
  expect(flagsOf({ attributes: { "http.route": "/reviews" } })).toEqual([]);
});
