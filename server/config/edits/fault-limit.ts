import { RE2JS } from "re2js";
import type { FaultSource } from "../../contract/faults.ts";
import type { HTTPMatchRequest, HTTPRoute, StringMatch } from "../kinds/index.ts";

/** What a fault is limited to; both must hold. */
export interface Limit {
  /** Its name in lower case. */
  header: { name: string; exact: string } | null;
  source?: FaultSource | undefined;
  /** As `<namespace>/<name>`. */
  gateways?: readonly string[] | undefined;
}

/** The rule's matches with the limit asked for in addition. Undefined when no request can meet both. */
export function limitMatches(
  rule: Pick<HTTPRoute, "match">,
  { header, source, gateways }: Limit,
): HTTPMatchRequest[] | undefined {
  const alternatives = rule.match?.length ? rule.match : [{}];
  const limited = alternatives
    .flatMap((match) => (header === null ? [match] : byHeader(match, header.name.toLowerCase(), header.exact)))
    .flatMap((match) => (source === undefined ? [match] : bySource(match, source)))
    .flatMap((match) => (gateways === undefined ? [match] : byGateways(match, gateways)));
  return limited.length > 0 ? limited : undefined;
}

/** `end-user: jason`, `requests of productpage v1 in default`. */
export function limitText({ header, source, gateways }: Limit): string {
  const from =
    source && `requests of ${source.app}${source.version ? ` ${source.version}` : ""} in ${source.namespace}`;
  const through = gateways && `what comes through ${gateways.join(" or ")}`;
  return [header && `${header.name}: ${header.exact}`, from, through].filter(Boolean).join(", ");
}

/** The limit alone, as a match of its own. */
export const limitMatch = (limit: Limit): HTTPMatchRequest => limitMatches({}, limit)?.[0] ?? {};

/** Envoy holds one condition per header name here, so one that the rule has on this very header is weighed against the value and replaced. */
function byHeader(match: HTTPMatchRequest, header: string, value: string): HTTPMatchRequest[] {
  if (!conditionsOn(match.headers, header).every((condition) => accepts(condition, value))) return [];
  if (conditionsOn(match.withoutHeaders, header).some((condition) => accepts(condition, value))) return [];
  const others = Object.entries(match.headers ?? {}).filter(([key]) => key.toLowerCase() !== header);
  return [{ ...match, headers: { ...Object.fromEntries(others), [header]: { exact: value } } }];
}

/**
 * Gateways in a match stand in for the source, whose labels don't count then.
 * https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest
 */
function bySource(match: HTTPMatchRequest, { app, version, namespace }: FaultSource): HTTPMatchRequest[] {
  if (match.gateways?.length) return [];
  if (match.sourceNamespace !== undefined && match.sourceNamespace !== namespace) return [];
  const labels: Record<string, string> = { app, ...(version !== null && { version }) };
  const asked = match.sourceLabels ?? {};
  if (Object.entries(labels).some(([key, value]) => (asked[key] ?? value) !== value)) return [];
  return [{ ...match, sourceLabels: { ...asked, ...labels }, sourceNamespace: namespace }];
}

/** A match that names gateways keeps those that are asked for; their short names are left as they are, so this goes by full ones. */
function byGateways(match: HTTPMatchRequest, gateways: readonly string[]): HTTPMatchRequest[] {
  if (!match.gateways?.length) return [{ ...match, gateways: [...gateways] }];
  const both = match.gateways.filter((name) => gateways.some((key) => key === name || key.endsWith(`/${name}`)));
  return both.length > 0 ? [{ ...match, gateways: both }] : [];
}

const conditionsOn = (headers: Record<string, StringMatch> | undefined, name: string): StringMatch[] =>
  Object.entries(headers ?? {}).flatMap(([key, condition]) => (key.toLowerCase() === name ? [condition] : []));

function accepts(condition: StringMatch, value: string): boolean {
  if (condition.exact !== undefined) return value === condition.exact;
  if (condition.prefix !== undefined) return value.startsWith(condition.prefix);
  if (condition.regex === undefined || condition.regex === "*") return true;
  return RE2JS.compile(condition.regex).matches(value);
}
