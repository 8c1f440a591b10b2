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
  const parts = config.substitution.split(/\\(\d)/);
  return (text) => replaceAll(pattern, text, parts);
}

/**
 * RE2's GlobalReplace: an empty match right after another match is none, so that `.*` replaces a text once and not once more at its end.
 * https://github.com/google/re2/blob/main/re2/re2.cc
 *
 * @param parts text, group number, text, …
 */
function replaceAll(pattern: RE2JS, text: string, parts: readonly string[]): string {
  const matcher = pattern.matcher(text);
  let replaced = "";
  let from = 0;
  let lastEnd = -1;
  while (from <= text.length && matcher.find(from)) {
    const [start, end] = [matcher.start(), matcher.end()];
    replaced += text.slice(from, start);
    if (start === end && start === lastEnd) {
      replaced += text.slice(start, start + 1);
      from = start + 1;
      continue;
    }
    for (const [i, part] of parts.entries()) {
      replaced += i % 2 === 0 ? part : Number(part) <= matcher.groupCount() ? (matcher.group(Number(part)) ?? "") : "";
    }
    from = end;
    lastEnd = end;
  }
  return replaced + text.slice(from);
}

function compile(regex: string): RE2JS {
  try {
    return re2().compile(regex);
  } catch (cause) {
    throw new Error(`regex: ${JSON.stringify(regex)} is invalid: ${(cause as Error).message}`);
  }
}
