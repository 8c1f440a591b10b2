import type { RE2JS } from "re2js";
import type { RegexMatchAndSubstitute, RegexMatcher } from "../../gen/proto/envoy/type/matcher/v3/regex_pb.js";
import { re2 } from "../../lib/re2.ts";

/** RE2 semantics, like Envoy's: linear time, so that no route can be used to burn CPU. The whole text must match. */
export function compileRegex(matcher: RegexMatcher): (text: string) => boolean {
  const pattern = compile(matcher.regex);
  return (text) => pattern.testExact(text);
}

/** Replaces every match in a text; `\1` in the substitution is the first group. */
export function compileSubstitution(config: RegexMatchAndSubstitute): (text: string) => string {
  const pattern = compile(config.pattern?.regex ?? "");
  const replacement = config.substitution
    .replaceAll("$", "$$$$")
    .replace(/\\(\d)/g, (_, group: string) => (group === "0" ? "$&" : `$${group}`));
  return (text) => pattern.matcher(text).replaceAll(replacement);
}

function compile(regex: string): RE2JS {
  try {
    return re2().compile(regex);
  } catch (cause) {
    throw new Error(`invalid regex ${JSON.stringify(regex)}: ${(cause as Error).message}`);
  }
}
