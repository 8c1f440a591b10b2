import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { MetadataMatcherSchema } from "../../gen/proto/envoy/type/matcher/v3/metadata_pb.js";
import { compileMetadata } from "./metadata-matcher.ts";

const metadata = {
  f: { text: "abc", number: 2, yes: true, nothing: null, list: ["a", 1, ["b"]], deep: { er: { still: "x" } } },
};
const compile = (path: string, value: JsonObject, more: JsonObject = {}) =>
  compileMetadata(
    fromJson(MetadataMatcherSchema, {
      filter: "f",
      path: path === "" ? [] : path.split(".").map((key) => ({ key })),
      value,
      ...more,
    }),
  );
const text = (exact: string): JsonObject => ({ string_match: { exact } });

describe("metadata", () => {
  it.each<[string, JsonObject, boolean]>([
    ["text", text("abc"), true],
    ["text", text("ab"), false],
    ["number", text("2"), false],
    ["absent", text(""), false],
    ["deep.er.still", text("x"), true],
    ["text.er", { present_match: true }, false],
    ["list.0", { present_match: true }, false],
    ["toString", { present_match: true }, false],
    ["number", { double_match: { exact: 2 } }, true],
    ["number", { double_match: { range: { start: 1, end: 2 } } }, false],
    ["number", { double_match: { range: { start: 2, end: 3 } } }, true],
    ["yes", { bool_match: true }, true],
    ["yes", { bool_match: false }, false],
    ["text", { bool_match: false }, false],
    ["nothing", { null_match: {} }, true],
    ["absent", { null_match: {} }, false],
    ["nothing", { present_match: true }, true],
    ["absent", { present_match: false }, true],
    ["list", { list_match: { one_of: text("a") } }, true],
    ["list", { list_match: { one_of: { list_match: { one_of: text("b") } } } }, true],
    ["list", { list_match: { one_of: text("b") } }, false],
    ["text", { list_match: { one_of: text("abc") } }, false],
    ["text", { or_match: { value_matchers: [text("x"), text("abc")] } }, true],
  ])("%s %j: %s", (path, value, matches) => {
    expect(compile(path, value)(metadata)).toBe(matches);
    expect(compile(path, value, { invert: true })(metadata)).toBe(!matches);
  });

  it("of nobody matches what asks for nothing", () => {
    expect([compile("a", text("a"))(undefined), compile("a", { present_match: false })(undefined)]).toEqual([
      false,
      true,
    ]);
    expect(compile("a", text("a"), { filter: "g" })(metadata)).toBe(false);
  });

  it.each<[string, JsonObject, JsonObject, string]>([
    ["", text("a"), {}, "path: required"],
    ["a", {}, {}, "value.match_pattern: required"],
    ["a", text("a"), { filter: "" }, "filter: required"],
    ["a", { list_match: {} }, {}, "value.list_match.one_of: required"],
    ["a", { or_match: { value_matchers: [{}] } }, {}, "value.or_match.value_matchers[0].match_pattern: required"],
  ])("%s %j %j: %s", (path, value, more, problem) => {
    expect(() => compile(path, value, more)).toThrow(problem);
  });
});
