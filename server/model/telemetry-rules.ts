import type { MeshSettings } from "./mesh-settings.ts";
import { ownProvider, standardMetrics, type TelemetrySpec } from "./specs.ts";
import { isForMode, type Telemetry } from "./telemetries.ts";

// What several Telemetries say together, for calls that a workload makes (CLIENT) or takes (SERVER).
// https://github.com/istio/istio/blob/master/pilot/pkg/model/telemetry.go

export type Mode = "CLIENT" | "SERVER";
type Tracing = NonNullable<TelemetrySpec["tracing"]>[number];
export type CustomTag = NonNullable<Tracing["customTags"]>[string];

/** Names are compared without case, as Istio does. */
const nameOf = (name: string): string => name.toLowerCase();
const namesOf = (providers: readonly { name: string }[] | undefined): string[] =>
  (providers ?? []).map(({ name }) => nameOf(name));

export interface LogRule {
  /** In lower case. */
  readonly provider: string;
  /** An expression; undefined: everything is logged. */
  readonly filter: string | undefined;
}

/** Undefined: nobody says anything, and what `accessLogFile` of the MeshConfig says counts. */
export function accessLogRules(
  telemetries: readonly Telemetry[],
  { defaultProviders, accessLogFile }: MeshSettings,
  mode: Mode,
): readonly LogRule[] | undefined {
  const levels = telemetries.flatMap(({ spec: { accessLogging = [] } }) =>
    accessLogging.length > 0 ? [accessLogging.filter(({ match }) => isForMode(match, mode))] : [],
  );
  const named = defaultProviders.accessLogging;
  if (levels.length === 0 && named === undefined) return undefined;
  // A mesh that says where proxies write has a provider, also where it calls it none.
  const defaults = (named ?? (accessLogFile ? ["envoy"] : [])).map(nameOf);
  const rules = new Map<string, string | undefined>(
    levels.length === 0 ? defaults.map((name) => [name, undefined]) : [],
  );
  const lowest = levels
    .map((level) => level.flatMap(({ providers }) => namesOf(providers)))
    .filter((it) => it.length > 0);
  const inScope = new Set(lowest.at(-1) ?? defaults);
  let parents = defaults;
  for (const { providers, disabled, filter } of levels.flat()) {
    const own = namesOf(providers);
    parents = own.length > 0 ? own : parents;
    for (const name of parents.filter((it) => inScope.has(it))) {
      if (disabled) rules.delete(name);
      else rules.set(name, filter?.expression ?? (own.length > 0 ? undefined : rules.get(name)));
    }
  }
  return [...rules]
    .map(([provider, filter]) => ({ provider, filter }))
    .sort((a, b) => (a.provider < b.provider ? -1 : 1));
}

export interface TracingRule {
  /** In lower case; `limpid`: the mesh's own collector. */
  readonly provider: string;
  readonly disabled: boolean;
  /** 0..100; undefined: what the installation has. */
  readonly sampling: number | undefined;
  /** By name, in order. */
  readonly customTags: readonly (readonly [string, CustomTag])[];
  readonly istioTags: boolean;
  readonly useRequestId: boolean;
}

/** Undefined: nobody says anything. */
export function tracingRule(
  telemetries: readonly Telemetry[],
  { defaultProviders }: MeshSettings,
  mode: Mode,
): TracingRule | undefined {
  const rules = telemetries.flatMap(({ spec }) => spec.tracing ?? []).filter(({ match }) => isForMode(match, mode));
  const [first] = defaultProviders.tracing ?? [];
  if (rules.length === 0 && first === undefined) return undefined;
  const last = <K extends keyof Tracing>(field: K): Tracing[K] | undefined =>
    rules.findLast((rule) => rule[field] !== undefined)?.[field];
  const named = rules.findLast(({ providers }) => namesOf(providers).length > 0)?.providers;
  return {
    provider: namesOf(named)[0] ?? nameOf(first ?? ownProvider),
    disabled: last("disableSpanReporting") ?? false,
    sampling: last("randomSamplingPercentage"),
    customTags: Object.entries(last("customTags") ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
    istioTags: last("enableIstioTags") ?? true,
    useRequestId: last("useRequestIdForTraceSampling") ?? true,
  };
}

export interface MetricRule {
  readonly metric: string;
  readonly disabled: boolean;
  /** By name, in order: an expression, or null for a tag that is left out. */
  readonly tags: readonly (readonly [string, string | null])[];
}

const allMetrics = standardMetrics.filter((metric) => metric !== "ALL_METRICS");

/** What is changed of Istio's standard metrics, by metric; those that are as ever are left out. `prometheus`: names of the providers that are meant, in lower case. */
export function metricRules(
  telemetries: readonly Telemetry[],
  { defaultProviders }: MeshSettings,
  mode: Mode,
  prometheus: ReadonlySet<string>,
): readonly MetricRule[] {
  const changes = new Map<string, { disabled: boolean; tags: Map<string, string | null> }>();
  let parents = (defaultProviders.metrics ?? ["prometheus"]).map(nameOf);
  for (const { providers, overrides = [] } of telemetries.flatMap(({ spec }) => spec.metrics ?? [])) {
    const own = namesOf(providers);
    parents = own.length > 0 ? own : parents;
    if (!parents.some((name) => prometheus.has(name))) continue;
    for (const { match, disabled, tagOverrides = {} } of overrides.filter((it) => isForMode(it.match, mode))) {
      const { metric = "ALL_METRICS", customMetric } = match ?? {};
      const all = metric === "ALL_METRICS" ? allMetrics : [metric];
      for (const name of customMetric === undefined ? all : [customMetric]) {
        const change = changes.get(name) ?? { disabled: false, tags: new Map<string, string | null>() };
        changes.set(name, change);
        change.disabled = disabled ?? change.disabled;
        for (const [tag, { operation, value = "" }] of Object.entries(tagOverrides))
          change.tags.set(tag, operation === "REMOVE" ? null : value);
      }
    }
  }
  return [...changes]
    .filter(([, { disabled, tags }]) => disabled || tags.size > 0)
    .map(([metric, { disabled, tags }]) => ({
      metric,
      disabled,
      tags: [...tags].sort(([a], [b]) => (a < b ? -1 : 1)),
    }))
    .sort((a, b) => (a.metric < b.metric ? -1 : 1));
}
