import type { HTTPMatchRequest, HTTPRoute, StringMatch } from "./specs.ts";

/** A match that is in force, and which of the delegate's own it came of; undefined: it is the root's alone. */
export interface DelegatedMatch {
  readonly match: HTTPMatchRequest;
  readonly place: number | undefined;
}

/** Fields of a root's rule that a delegate's rule takes where it has none of its own: whole, never joined. */
const inherited = [
  "rewrite",
  "directResponse",
  "timeout",
  "retries",
  "fault",
  "mirror",
  "mirrorPercent",
  "mirror_percent",
  "mirrorPercentage",
  "mirrors",
  "corsPolicy",
  "headers",
] as const satisfies readonly (keyof HTTPRoute)[];

/**
 * A delegate's rule as it is in force under a rule of its root, both with full names; undefined where their matches contradict each other, and nothing
 * comes of it. https://istio.io/latest/docs/reference/config/networking/virtual-service/#Delegate
 */
export function delegatedRule(
  root: HTTPRoute,
  own: HTTPRoute,
): { rule: HTTPRoute; matches: readonly DelegatedMatch[] } | undefined {
  const matches = delegatedMatches(root.match ?? [], own.match ?? []);
  if (matches === undefined) return undefined;
  const name = joinedName(root.name, own.name);
  const taken = Object.fromEntries(inherited.map((field) => [field, own[field] ?? root[field]] as const));
  const set = Object.fromEntries(Object.entries(taken).filter(([, value]) => value !== undefined));
  const { match: _, name: __, delegate: ___, ...rest } = own;
  const rule = {
    ...(name && { name }),
    ...(matches.length > 0 && { match: matches.map(({ match }) => match) }),
    ...rest,
    ...set,
  };
  return { rule, matches };
}

const joinedName = (root: string | undefined, own: string | undefined): string | undefined =>
  root && own ? `${root}-${own}` : own || root;

/** Each match of the delegate under each of the root's that it narrows. One that narrows none makes its whole rule void. */
function delegatedMatches(
  root: readonly HTTPMatchRequest[],
  own: readonly HTTPMatchRequest[],
): readonly DelegatedMatch[] | undefined {
  if (own.length === 0) return root.map((match) => ({ match, place: undefined }));
  if (root.length === 0) return own.map((match, place) => ({ match, place }));
  const found = own.map((match, place) =>
    root.filter((outer) => !contradicts(outer, match)).map((outer) => ({ match: joined(outer, match), place })),
  );
  return found.some((under) => under.length === 0) ? undefined : found.flat();
}

/** The places of the delegate's matches that narrow none of the root's: what makes the rule void. */
export const voidMatches = (root: HTTPRoute, own: HTTPRoute): number[] =>
  (root.match ?? []).length === 0
    ? []
    : (own.match ?? []).flatMap((match, place) =>
        (root.match ?? []).every((outer) => contradicts(outer, match)) ? [place] : [],
      );

const texts = ["uri", "scheme", "method", "authority"] as const;
const maps = ["headers", "withoutHeaders", "queryParams"] as const;

/**
 * Whether a delegate's match may take what the root's does not let through. By Istio's words it must be a subset; what it looks at is this, field by
 * field: a text that is narrower, the same port, labels that don't differ, gateways of the root's, and, where the root names one, the same namespace.
 */
function contradicts(root: HTTPMatchRequest, own: HTTPMatchRequest): boolean {
  if (texts.some((field) => !narrows(root[field], own[field]))) return true;
  for (const field of maps) {
    const outer = root[field] ?? {};
    if (Object.entries(own[field] ?? {}).some(([key, condition]) => !narrows(outer[key], condition))) return true;
  }
  if ((root.ignoreUriCase ?? false) !== (own.ignoreUriCase ?? false)) return true;
  if (root.port && own.port && root.port !== own.port) return true;
  if (root.sourceNamespace && root.sourceNamespace !== own.sourceNamespace) return true;
  const labels = root.sourceLabels ?? {};
  if (Object.entries(own.sourceLabels ?? {}).some(([key, value]) => (labels[key] ?? value) !== value)) return true;
  const gateways = root.gateways ?? [];
  return gateways.length > 0 && (own.gateways ?? []).some((name) => !gateways.includes(name));
}

/** Of two regular expressions, or of one and a plain text, nobody says that one is narrower. */
function narrows(root: StringMatch | undefined, own: StringMatch | undefined): boolean {
  if (root === undefined || own === undefined) return true;
  if (root.regex || own.regex) return false;
  if (root.exact) return own.exact === root.exact;
  const text = own.prefix || own.exact;
  return Boolean(root.prefix && text?.startsWith(root.prefix));
}

function joined(root: HTTPMatchRequest, own: HTTPMatchRequest): HTTPMatchRequest {
  const name = joinedName(root.name, own.name);
  const result: HTTPMatchRequest = { ...root, ...own };
  for (const field of [...maps, "sourceLabels"] as const) {
    const both = { ...root[field], ...own[field] };
    if (Object.keys(both).length > 0) Object.assign(result, { [field]: both });
  }
  if (name) result.name = name;
  if (!own.port && root.port) result.port = root.port;
  if (!own.statPrefix && root.statPrefix) result.statPrefix = root.statPrefix;
  if (!own.gateways?.length && root.gateways) result.gateways = root.gateways;
  return result;
}
