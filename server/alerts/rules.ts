import type { AlertRuleSpec } from "../config/kinds/index.ts";
import type { ConfigObject } from "../config/object.ts";
import type { AlertMeasure, AlertSeverity } from "../contract/index.ts";
import { parseGoDuration } from "../lib/go-duration.ts";

/** A rule with everything in it that its object leaves to defaults. Durations in milliseconds. */
export interface AlertRule {
  /** `namespace/name`, or the name of one that is built in. */
  readonly key: string;
  readonly builtIn: boolean;
  readonly severity: AlertSeverity;
  readonly windowSec: number;
  readonly forMs: number;
  /** Undefined: everybody is told. */
  readonly receivers: readonly string[] | undefined;
  readonly suspended: boolean;
  /** Unix milliseconds: no receiver is told before. */
  readonly mutedUntil: number;
  /** Whom it is about; null: the whole mesh. */
  readonly namespace: string | null;
  /** A service's name or host; undefined: every one. */
  readonly service: string | undefined;
  readonly when: Condition;
}

export type Condition =
  | { of: "errors"; above: number }
  | { of: "latency"; above: number; measure: AlertMeasure & `latency-${string}` }
  | { of: "rate"; above?: number; below?: number }
  | { of: "health"; atLeast: "Degraded" | "Failing" }
  | { of: "proxies"; states: readonly ("Disconnected" | "Refused" | "Lagging")[] }
  | { of: "certificates"; endWithinMs: number };

/** What everybody wants to be told of. An AlertRule of the root namespace with the same name stands in its place. */
const builtInSpecs: Readonly<Record<string, AlertRuleSpec>> = {
  "services-failing": { when: { health: { atLeast: "Failing" } }, severity: "Critical" },
  "proxies-missing": { when: { proxies: { states: ["Disconnected"] } }, for: "30s", severity: "Critical" },
  "config-refused": { when: { proxies: { states: ["Refused"] } }, for: "30s", severity: "Warning" },
  // Proxies' certificates live for a day and are renewed at half of it: what has an hour left was not renewed.
  "certificates-ending": { when: { certificates: { endWithin: "1h" } }, severity: "Critical" },
};

export const builtInRules: readonly AlertRule[] = Object.entries(builtInSpecs).map(([key, spec]) => ({
  ...readSpec(spec),
  ...{ key, builtIn: true, namespace: null },
}));

/**
 * How notices name a rule: one that stands in place of a built-in one goes on with what that told of, so that who mutes it hears of no end.
 */
function keyOfRule({ namespace, name }: Pick<WrittenRule, "namespace" | "name">, rootNamespace: string): string {
  return namespace === rootNamespace && builtInSpecs[name] ? name : `${namespace}/${name}`;
}

/** Those that are built in, and the objects'. */
export const rulesOf = (objects: readonly ConfigObject[], rootNamespace: string): AlertRule[] =>
  writtenRules(objects, rootNamespace).map(({ key, namespace, spec }) => {
    const read = readSpec(spec);
    return {
      ...{ ...read, key, builtIn: !key.includes("/") },
      namespace: namespace === rootNamespace && read.service === undefined ? null : namespace,
    };
  });

/** The rules as people write them, for a page of them; those that are built in are of the root namespace. */
export function writtenRules(objects: readonly ConfigObject[], rootNamespace: string): WrittenRule[] {
  const own = objects.map(({ metadata: { namespace, name, resourceVersion = null }, spec }) => ({
    ...{ namespace, name, builtIn: false, spec: spec as AlertRuleSpec, resourceVersion },
  }));
  const replaced = new Set(own.flatMap(({ namespace, name }) => (namespace === rootNamespace ? [name] : [])));
  const builtIn = Object.entries(builtInSpecs)
    .filter(([name]) => !replaced.has(name))
    .map(([name, spec]) => ({ namespace: rootNamespace, name, builtIn: true, spec, resourceVersion: null }));
  return [...builtIn, ...own].map((rule) => ({ ...rule, key: keyOfRule(rule, rootNamespace) }));
}
export interface WrittenRule {
  /** As notices name it. */
  key: string;
  namespace: string;
  name: string;
  builtIn: boolean;
  spec: AlertRuleSpec;
  resourceVersion: string | null;
}

function readSpec(spec: AlertRuleSpec): Omit<AlertRule, "key" | "builtIn" | "namespace"> {
  const { when, window, for: lasts, severity, receivers, suspended, service, mutedUntil } = spec;
  return {
    severity: severity ?? "Warning",
    windowSec: Math.round(ms(window, 60_000) / 1000),
    forMs: ms(lasts, 60_000),
    receivers,
    suspended: suspended ?? false,
    mutedUntil: mutedUntil === undefined ? 0 : Date.parse(mutedUntil),
    service,
    when: conditionOf(when),
  };
}

function ms(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : (parseGoDuration(text) ?? otherwise);
}

function conditionOf(when: AlertRuleSpec["when"]): Condition {
  if (when.errors) return { of: "errors", above: when.errors.above };
  if (when.latency) {
    const percentile = (when.latency.percentile ?? "P95").toLowerCase() as "p50" | "p90" | "p95" | "p99";
    return { of: "latency", above: ms(when.latency.above, 0), measure: `latency-${percentile}` };
  }
  if (when.health) return { of: "health", atLeast: when.health.atLeast };
  if (when.proxies) return { of: "proxies", states: when.proxies.states };
  if (when.certificates) return { of: "certificates", endWithinMs: ms(when.certificates.endWithin, 24 * 3_600_000) };
  const { above, below } = when.rate ?? {};
  return { of: "rate", ...(above !== undefined && { above }), ...(below !== undefined && { below }) };
}
