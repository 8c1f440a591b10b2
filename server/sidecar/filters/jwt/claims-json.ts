/**
 * An object of JSON (null is an empty one, as to protobuf), or undefined. A name that stands twice in one object makes the whole undefined: who reads the last may see another value than who reads the first
 * (RFC 7519, 4), and Envoy refuses it, too. So does nesting that is deeper than Envoy reads.
 */
export function parseClaims(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text) ?? {};
    if (typeof value !== "object" || Array.isArray(value)) return undefined;
    return namesIn(text) === namesOf(value, 0) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const maxDepth = 100;

/** How many names stand in a text that is JSON: strings before a colon. */
function namesIn(text: string): number {
  let count = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*(:)?/gs)) if (colon !== undefined) count++;
  return count;
}

function namesOf(value: unknown, depth: number): number {
  if (typeof value !== "object" || value === null) return 0;
  if (depth === maxDepth) throw new Error("too deep");
  let count = Array.isArray(value) ? 0 : Object.keys(value).length;
  for (const item of Object.values(value)) count += namesOf(item, depth + 1);
  return count;
}
