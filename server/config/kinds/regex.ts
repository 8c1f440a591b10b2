import { RE2JS } from "re2js";

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
export function regexError(pattern: string): string | undefined {
  if (pattern === "") return "must not be empty";
  if (pattern.length > 1_024) return "must have at most 1024 characters";
  spent += costOf(pattern);
  if (spent > maxCost) return "the regular expressions of one object are too many, or too large: divide it";
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : String(error);
    return `must be an RE2 regular expression (no look-around or back-references; https://github.com/google/re2/wiki/Syntax): ${why}`;
  }
}

/** Repetitions are written out, and classes of Unicode are hundreds of ranges, folded thrice. */
function costOf(pattern: string): number {
  const classes = pattern.split(/\\[pP]/).length - 1;
  const folded = pattern.includes("(?i") ? 3 : 1;
  return 80 + pattern.length + (pattern.includes("{") ? 1_500 : 0) + classes * 60 * folded;
}
