import type { RouteRule, Routing, ServiceMetrics } from "../../server/contract/index.ts";
import { apportion, type SplitPart } from "./split.ts";

/** One version's share of a rule. */
export interface WeightPart extends SplitPart {
  version: string;
  subset: string;
  /** The version whose colour it has, where `version` says more than that. */
  colouredAs?: string;
}

export interface RuleSplit {
  /**
   * `weights`: the rule names versions. `alike`: it names the service only, or there is no rule, and every endpoint gets the same.
   * `fixed`: it redirects, or sends elsewhere too, and is edited as YAML.
   */
  kind: "weights" | "alike" | "fixed";
  parts: WeightPart[];
}

/** The index under which the API makes a VirtualService when there is none. */
const firstRule = 0;

/** What rules a service's page shows: those of its VirtualService, or the one that its absence amounts to. */
export function shownRules(routing: Routing): RouteRule[] {
  if (routing.rules.length > 0) return routing.rules;
  const implied: RouteRule = {
    index: firstRule,
    name: null,
    matches: [],
    destinations: [{ host: routing.hostname, ours: true, subset: null, version: null, weight: 100 }],
    timeout: null,
    retries: null,
    mirror: null,
    fault: null,
    redirect: null,
  };
  return [implied];
}

/** The versions that a rule shares its traffic between, those with nothing too, in the order of the versions. */
export function splitOf(rule: RouteRule, routing: Routing): RuleSplit {
  const { destinations } = rule;
  const subsets = destinations.map(({ subset }) => subset);
  if (destinations.length === 0 || destinations.some(({ ours }) => !ours)) return { kind: "fixed", parts: [] };
  if (subsets.every((subset) => subset === null)) return { kind: "alike", parts: evenParts(routing) };
  if (new Set(subsets).size < subsets.length || subsets.includes(null)) return { kind: "fixed", parts: [] };
  const known = routing.versions.map(({ version, subset }) => ({ version, subset }));
  const other = destinations
    .filter(({ subset }) => !known.some((entry) => entry.subset === subset))
    .map(({ subset, version }) => ({ version: version ?? subset ?? "", subset: subset ?? "" }));
  const weightOf = (subset: string) => destinations.find((entry) => entry.subset === subset)?.weight ?? 0;
  return {
    kind: "weights",
    parts: [...known, ...other].map((entry) => ({ ...entry, weight: weightOf(entry.subset), locked: false })),
  };
}

function evenParts({ versions }: Routing): WeightPart[] {
  const shares = apportion(
    100,
    versions.map(() => 1),
  );
  return versions.map(({ version, subset }, i) => ({ version, subset, weight: shares[i] ?? 0, locked: false }));
}

/** What moves where, per second: by version, positive where it gains. */
export function movedRates(
  before: readonly WeightPart[],
  after: readonly WeightPart[],
  requestRate: number,
): { version: string; rate: number }[] {
  return after
    .map(({ version, subset, weight }) => ({
      version,
      rate: ((weight - (before.find((part) => part.subset === subset)?.weight ?? 0)) / 100) * requestRate,
    }))
    .filter(({ rate }) => rate !== 0);
}

export const weightsText = (parts: readonly WeightPart[]): string => parts.map(({ weight }) => weight).join("/");

/** Nobody inside of the mesh calls it: what is ruled for callers inside hits nothing. */
export const entersByGatewaysOnly = ({ callers }: Pick<ServiceMetrics, "callers">): boolean => {
  const calling = callers.filter(({ signals }) => signals.requestRate > 0);
  return calling.length > 0 && calling.every(({ gateway }) => gateway);
};

/**
 * Whether the figures of the service, which are of all its requests, say something of the rule: it takes what no other does, or stands alone
 * where every request enters (`sole`).
 */
export const isMeasured = (rule: RouteRule, routing: Routing, { sole }: { sole: boolean }): boolean =>
  rule.matches.length === 0 || (sole && routing.rules.length === 1);
