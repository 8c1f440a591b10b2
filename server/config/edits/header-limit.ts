import { RE2JS } from "re2js";
import type { HTTPMatchRequest, HTTPRoute, StringMatch } from "../kinds/index.ts";

/**
 * The rule's matches with a header's value asked for in addition. Undefined when no request can meet both. Envoy holds one condition per
 * header name here, so a condition that the rule has on this very header is weighed against the value and replaced.
 */
export function limitByHeader(rule: HTTPRoute, name: string, value: string): HTTPMatchRequest[] | undefined {
  const header = name.toLowerCase();
  const alternatives = rule.match ?? [];
  if (alternatives.length === 0) return [{ headers: { [header]: { exact: value } } }];
  const limited = alternatives.flatMap((match): HTTPMatchRequest[] => {
    if (!conditionsOn(match.headers, header).every((condition) => accepts(condition, value))) return [];
    if (conditionsOn(match.withoutHeaders, header).some((condition) => accepts(condition, value))) return [];
    const others = Object.entries(match.headers ?? {}).filter(([key]) => key.toLowerCase() !== header);
    return [{ ...match, headers: { ...Object.fromEntries(others), [header]: { exact: value } } }];
  });
  return limited.length > 0 ? limited : undefined;
}

const conditionsOn = (headers: Record<string, StringMatch> | undefined, name: string): StringMatch[] =>
  Object.entries(headers ?? {}).flatMap(([key, condition]) => (key.toLowerCase() === name ? [condition] : []));

function accepts(condition: StringMatch, value: string): boolean {
  if (condition.exact !== undefined) return value === condition.exact;
  if (condition.prefix !== undefined) return value.startsWith(condition.prefix);
  if (condition.regex === undefined || condition.regex === "*") return true;
  return RE2JS.compile(condition.regex).matches(value);
}
