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

const defaults = { windowSec: 60, forMs: 60_000, receivers: undefined, suspended: false, service: undefined } as const;
const day = 24 * 3_600_000;

/** What everybody wants to be told of. An AlertRule of the root namespace with the same name stands in its place. */
export const builtInRules: readonly AlertRule[] = [
  {
    key: "services-failing",
    severity: "Critical" as const,
    when: { of: "health" as const, atLeast: "Failing" as const },
  },
  {
    key: "proxies-missing",
    severity: "Critical" as const,
    when: { of: "proxies" as const, states: ["Disconnected"] as const },
  },
  {
    key: "config-refused",
    severity: "Warning" as const,
    when: { of: "proxies" as const, states: ["Refused"] as const },
  },
  // Proxies' certificates live for a day and are renewed at half of it: what has an hour left was not renewed.
  {
    key: "certificates-ending",
    severity: "Critical" as const,
    when: { of: "certificates" as const, endWithinMs: day / 24 },
  },
].map((rule) => ({
  ...defaults,
  ...rule,
  builtIn: true,
  namespace: null,
  ...(rule.when.of === "proxies" && { forMs: 30_000 }),
}));

/** Those that are built in, and the objects'. */
export function rulesOf(objects: readonly ConfigObject[], rootNamespace: string): AlertRule[] {
  const own = objects.map((object) => ruleOf(object, rootNamespace));
  const replaced = new Set(own.flatMap(({ key, namespace }) => (namespace === null ? [key.split("/")[1]] : [])));
  return [...builtInRules.filter(({ key }) => !replaced.has(key)), ...own];
}

function ruleOf({ metadata, spec }: ConfigObject, rootNamespace: string): AlertRule {
  const { when, window, for: lasts, severity, receivers, suspended, service } = spec as AlertRuleSpec;
  const namespace = metadata.namespace ?? "default";
  return {
    key: `${namespace}/${metadata.name}`,
    builtIn: false,
    severity: severity ?? "Warning",
    windowSec: Math.round(ms(window, 60_000) / 1000),
    forMs: ms(lasts, 60_000),
    receivers,
    suspended: suspended ?? false,
    namespace: namespace === rootNamespace && service === undefined ? null : namespace,
    service,
    when: conditionOf(when),
  };
}

const ms = (text: string | undefined, otherwise: number): number =>
  text === undefined ? otherwise : (parseGoDuration(text) ?? otherwise);

function conditionOf(when: AlertRuleSpec["when"]): Condition {
  if (when.errors) return { of: "errors", above: when.errors.above };
  if (when.latency) {
    const percentile = (when.latency.percentile ?? "P95").toLowerCase() as "p50" | "p90" | "p95" | "p99";
    return { of: "latency", above: ms(when.latency.above, 0), measure: `latency-${percentile}` };
  }
  if (when.health) return { of: "health", atLeast: when.health.atLeast };
  if (when.proxies) return { of: "proxies", states: when.proxies.states };
  if (when.certificates) return { of: "certificates", endWithinMs: ms(when.certificates.endWithin, day) };
  const { above, below } = when.rate ?? {};
  return { of: "rate", ...(above !== undefined && { above }), ...(below !== undefined && { below }) };
}
