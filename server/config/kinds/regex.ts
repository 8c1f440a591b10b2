import { RE2JS } from "re2js";
import { type Told, told } from "../../contract/told.ts";

/**
 * What the patterns of one object may cost to compile, together; a pattern of some twenty characters is about a hundred. The whole takes
 * about a second: an object within its limit of bytes could hold minutes of them.
 */
const maxCost = 1_000_000;
let spent = 0;

/** A new object is checked: its patterns are counted from here on. */
export function beginPatterns(): void {
  spent = 0;
}

/** What keeps a text from being a regular expression that Envoy accepts: RE2's syntax, at most 1,024 characters. */
export function regexError(pattern: string): Told | undefined {
  if (pattern === "") return told("not-empty", {});
  if (pattern.length > 1_024) return told("max-characters", { count: 1_024 });
  spent += costOf(pattern);
  if (spent > maxCost) return told("regex-cost", {});
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : String(error);
    return told("regex-form", { why });
  }
}

/** Repetitions are written out, and classes of Unicode are hundreds of ranges, folded thrice. */
function costOf(pattern: string): number {
  const classes = pattern.split(/\\[pP]/).length - 1;
  const folded = pattern.includes("(?i") ? 3 : 1;
  return 80 + pattern.length + (pattern.includes("{") ? 1_500 : 0) + classes * 60 * folded;
}
