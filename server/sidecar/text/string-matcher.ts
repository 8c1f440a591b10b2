import type { StringMatcher } from "../../gen/proto/envoy/type/matcher/v3/string_pb.js";
import { at } from "../config/problems.ts";
import { compileRegex } from "./regex.ts";

export type TextTest = (text: string) => boolean;

/** envoy.type.matcher.v3.StringMatcher; `ignore_case` has no effect on a regex. */
export function compileString(matcher: StringMatcher): TextTest {
  const pattern = matcher.matchPattern;
  const fold = matcher.ignoreCase;
  switch (pattern.case) {
    case "exact":
      return exact(pattern.value, fold);
    case "prefix":
      return prefix(pattern.value, fold);
    case "suffix":
      return suffix(pattern.value, fold);
    case "contains":
      return contains(pattern.value, fold);
    case "safeRegex":
      return at("safe_regex", () => compileRegex(pattern.value));
    default:
      throw new Error("match_pattern: required");
  }
}

export function exact(value: string, fold = false): TextTest {
  if (!fold) return (text) => text === value;
  const folded = value.toLowerCase();
  return (text) => text === value || text.toLowerCase() === folded;
}

export function prefix(value: string, fold = false): TextTest {
  if (!fold) return (text) => text.startsWith(value);
  const folded = value.toLowerCase();
  return (text) => text.toLowerCase().startsWith(folded);
}

export function suffix(value: string, fold = false): TextTest {
  if (!fold) return (text) => text.endsWith(value);
  const folded = value.toLowerCase();
  return (text) => text.toLowerCase().endsWith(folded);
}

export function contains(value: string, fold = false): TextTest {
  if (!fold) return (text) => text.includes(value);
  const folded = value.toLowerCase();
  return (text) => text.toLowerCase().includes(folded);
}
