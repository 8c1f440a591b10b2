import type { HeaderMatcher } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { at, each } from "../config/problems.ts";
import { compileRegex } from "../text/regex.ts";
import { compileString, contains, exact, prefix, suffix, type TextTest } from "../text/string-matcher.ts";
import { type RequestView, viewHeader } from "./request-view.ts";

export type RequestTest = (view: RequestView) => boolean;

/** envoy.config.route.v3.HeaderMatcher. A missing header matches nothing, inverted or not, unless treated as empty. */
export function compileHeader(matcher: HeaderMatcher): RequestTest {
  const name = matcher.name.toLowerCase();
  const { invertMatch, treatMissingHeaderAsEmpty } = matcher;
  const specifier = matcher.headerMatchSpecifier;
  if (specifier.case === undefined || specifier.case === "presentMatch") {
    const wanted = specifier.case === undefined || specifier.value;
    return (view) => (viewHeader(view, name) !== undefined || treatMissingHeaderAsEmpty) === (wanted !== invertMatch);
  }
  const test = compileSpecifier(specifier);
  const pseudo = name === "host" || name.startsWith(":");
  return (view) => {
    if (pseudo) return test(viewHeader(view, name) ?? "") !== invertMatch;
    let present = false;
    // Each of repeated headers is judged for itself, as Envoy 1.40 does.
    for (let i = 0; i < view.headers.length; i += 2) {
      if (view.headers[i] !== name) continue;
      present = true;
      if (test(view.headers[i + 1] as string)) return !invertMatch;
    }
    if (present) return invertMatch;
    return treatMissingHeaderAsEmpty && test("") !== invertMatch;
  };
}

/** @param path of the list, for errors */
export const compileHeaders = (matchers: readonly HeaderMatcher[], path = "headers"): RequestTest[] =>
  each(path, matchers, compileHeader);

export function allMatch(tests: readonly RequestTest[], view: RequestView): boolean {
  for (const test of tests) if (!test(view)) return false;
  return true;
}

function compileSpecifier(specifier: HeaderMatcher["headerMatchSpecifier"]): TextTest {
  switch (specifier.case) {
    case "exactMatch":
      return exact(specifier.value);
    case "prefixMatch":
      return prefix(specifier.value);
    case "suffixMatch":
      return suffix(specifier.value);
    case "containsMatch":
      return contains(specifier.value);
    case "safeRegexMatch":
      return at("safe_regex_match", () => compileRegex(specifier.value));
    case "stringMatch":
      return at("string_match", () => compileString(specifier.value));
    case "rangeMatch": {
      const { start, end } = specifier.value;
      // A signed decimal without anything around it, from start up to but not including end.
      return (text) => /^[+-]?\d{1,19}$/.test(text) && BigInt(text) >= start && BigInt(text) < end;
    }
    default:
      throw new Error("header_match_specifier: not supported");
  }
}
