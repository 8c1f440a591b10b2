import type { MetadataMatcher } from "../../gen/proto/envoy/type/matcher/v3/metadata_pb.js";
import type { DoubleMatcher } from "../../gen/proto/envoy/type/matcher/v3/number_pb.js";
import type { ValueMatcher } from "../../gen/proto/envoy/type/matcher/v3/value_pb.js";
import { at, each } from "../config/problems.ts";
import type { Metadata } from "../record.ts";
import { compileString } from "../text/string-matcher.ts";

export type MetadataTest = (metadata: Metadata | undefined) => boolean;

type ValueTest = (value: unknown) => boolean;

/** envoy.type.matcher.v3.MetadataMatcher. Throws an Error naming the field. */
export function compileMetadata({ filter, path, value, invert }: MetadataMatcher): MetadataTest {
  if (filter === "") throw new Error("filter: required");
  const keys = each("path", path, ({ segment }) => {
    if (segment.case !== "key" || segment.value === "") throw new Error("key: required");
    return segment.value;
  });
  if (keys.length === 0) throw new Error("path: required");
  const test = at("value", () => compileValue(value));
  return (metadata) => test(keys.reduce<unknown>(inside, metadata?.[filter])) !== invert;
}

/** What stands under a key; undefined: nothing does. */
function inside(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
    return undefined;
  return (value as Record<string, unknown>)[key];
}

function compileValue(matcher: ValueMatcher | undefined): ValueTest {
  const pattern = matcher?.matchPattern;
  switch (pattern?.case) {
    case "nullMatch":
      return (value) => value === null;
    case "doubleMatch": {
      const test = at("double_match", () => compileDouble(pattern.value));
      return (value) => typeof value === "number" && test(value);
    }
    case "stringMatch": {
      const test = at("string_match", () => compileString(pattern.value));
      return (value) => typeof value === "string" && test(value);
    }
    case "boolMatch":
      return (value) => value === pattern.value;
    case "presentMatch":
      return (value) => (value !== undefined) === pattern.value;
    case "listMatch": {
      const { matchPattern } = pattern.value;
      if (matchPattern.case !== "oneOf") throw new Error("list_match.one_of: required");
      const test = at("list_match.one_of", () => compileValue(matchPattern.value));
      return (value) => Array.isArray(value) && value.some(test);
    }
    case "orMatch": {
      const tests = at("or_match", () => each("value_matchers", pattern.value.valueMatchers, compileValue));
      return (value) => tests.some((test) => test(value));
    }
    default:
      throw new Error("match_pattern: required");
  }
}

function compileDouble({ matchPattern: pattern }: DoubleMatcher): (value: number) => boolean {
  if (pattern.case === "exact") return (value) => value === pattern.value;
  if (pattern.case !== "range") throw new Error("match_pattern: required");
  const { start, end } = pattern.value;
  return (value) => value >= start && value < end;
}

/** Fields of these matchers with an effect. */
export const metadataMatcherFields = {
  "envoy.type.matcher.v3.MetadataMatcher": ["filter", "path", "value", "invert"],
  "envoy.type.matcher.v3.MetadataMatcher.PathSegment": ["key"],
  "envoy.type.matcher.v3.ValueMatcher": [
    "null_match",
    "double_match",
    "string_match",
    "bool_match",
    "present_match",
    "list_match",
    "or_match",
  ],
  "envoy.type.matcher.v3.ValueMatcher.NullMatch": [],
  "envoy.type.matcher.v3.DoubleMatcher": ["range", "exact"],
  "envoy.type.v3.DoubleRange": ["start", "end"],
  "envoy.type.matcher.v3.ListMatcher": ["one_of"],
  "envoy.type.matcher.v3.OrMatcher": ["value_matchers"],
} as const;
