import type { ConfigObject } from "../config/object.ts";
import { Lineage, mapSteps, withEntries } from "../lib/lineage.ts";
import { memo } from "../lib/memo.ts";
import { compare, covers, isWildcard, narrowerFirst, resolveHost } from "./hostname.ts";
import { type Labels, matchesLabels } from "./labels.ts";
import { olderFirst } from "./service.ts";
import type { DestinationRuleSpec, Subset, TrafficPolicy } from "./specs.ts";
import { isVisible } from "./visibility.ts";

/** What all DestinationRules of one namespace say of one host, merged; of those with a selector each that select alike. */
export interface DestinationRule {
  /** Of the oldest resource in it. */
  readonly name: string;
  readonly namespace: string;
  /** FQDN or wildcard. */
  readonly host: string;
  readonly exportTo: readonly string[];
  /** Labels of the clients that it is for, in its own namespace; undefined: everybody who sees it. */
  readonly selector: Labels | undefined;
  readonly trafficPolicy: TrafficPolicy | undefined;
  readonly subsets: readonly Subset[];
  /** Oldest first. */
  readonly sources: readonly ConfigObject[];
}

export interface DestinationRuleIndex {
  readonly byNamespace: ReadonlyMap<string, NamespaceRules>;
  /** Whether any rule balances by a hash of the call: routes need to look for it. */
  readonly hashes: boolean;
}

interface NamespaceRules {
  /** By host, in the order in which they are asked: those with a selector first, each kind oldest first. */
  readonly exact: ReadonlyMap<string, readonly DestinationRule[]>;
  /** Narrowest first, those of one host in the same order. */
  readonly wildcard: readonly DestinationRule[];
  /** Those with a selector. */
  readonly selected: readonly DestinationRule[];
}

export function indexDestinationRules(objects: Iterable<ConfigObject>, domain: string): DestinationRuleIndex {
  const groups = new Map<string, Map<string, ConfigObject[]>>();
  for (const object of [...objects].sort(olderFirst)) {
    const { namespace } = object.metadata;
    const host = hostOf(object, domain);
    const hosts = groups.get(namespace) ?? new Map<string, ConfigObject[]>();
    groups.set(namespace, hosts);
    hosts.set(host, [...(hosts.get(host) ?? []), object]);
  }
  const byNamespace = new Map<string, NamespaceRules>();
  for (const [namespace, hosts] of [...groups].sort(([a], [b]) => compare(a, b))) {
    const rules = [...hosts].map(([host, sources]) => [host, rulesOf(host, sources)] as const);
    rules.sort(([a], [b]) => narrowerFirst(a, b));
    byNamespace.set(namespace, {
      exact: new Map(rules.filter(([host]) => !isWildcard(host))),
      wildcard: rules.filter(([host]) => isWildcard(host)).flatMap(([, own]) => own),
      selected: rules.flatMap(([, own]) => own).filter(({ selector }) => selector !== undefined),
    });
  }
  const hashes = [...groups.values()].some((hosts) => [...hosts.values()].flat().some(balancesByHash));
  return { byNamespace, hashes };
}

/** By what one index differs from the one that it came of. */
interface RuleChange {
  /** Exact ones: what rules any other host is the same. */
  readonly hosts: readonly string[];
  /** What there is, and was, of these. */
  readonly rules: readonly DestinationRule[];
}

export const ruleSteps = new Lineage<DestinationRuleIndex, RuleChange>();

/** The index of objects by key; of objects that came of others, at the cost of what they differ in. */
export const rulesAmong = (objects: ReadonlyMap<string, ConfigObject>, domain: string): DestinationRuleIndex =>
  mapSteps.memo(
    objects,
    "rules",
    [domain],
    () => indexDestinationRules(objects.values(), domain),
    (before, { from, change }) => {
      const old = from as typeof objects;
      const touched = Array.from(change, (key) => ({ before: old.get(key), after: objects.get(key) }));
      return amended(before, touched, domain);
    },
  );

/** Undefined where a wildcard or a hash is concerned: these touch more than one host. */
function amended(
  from: DestinationRuleIndex,
  changes: readonly { before: ConfigObject | undefined; after: ConfigObject | undefined }[],
  domain: string,
): DestinationRuleIndex | undefined {
  const byNamespace = new Map(from.byNamespace);
  const hosts: string[] = [];
  const rules: DestinationRule[] = [];
  for (const { before, after } of changes) {
    for (const object of [before, after]) {
      if (object === undefined) continue;
      const { namespace } = object.metadata;
      const host = hostOf(object, domain);
      if (isWildcard(host) || balancesByHash(object)) return undefined;
      const own: NamespaceRules = byNamespace.get(namespace) ?? { exact: new Map(), wildcard: [], selected: [] };
      const known = own.exact.get(host) ?? [];
      const others = known.flatMap(({ sources }) => sources).filter((it) => it !== before && it !== after);
      const sources = (object === after ? [...others, after] : others).sort(olderFirst);
      const now = rulesOf(host, sources);
      const isSelected = ({ selector }: DestinationRule) => selector !== undefined;
      const selected = [...known, ...now].some(isSelected)
        ? [...own.selected.filter((it) => it.host !== host), ...now.filter(isSelected)]
        : own.selected;
      const exact = withEntries(own.exact, [[host, now.length > 0 ? now : undefined]]);
      byNamespace.set(namespace, { ...own, exact, selected });
      hosts.push(host);
      rules.push(...known, ...now);
    }
  }
  return ruleSteps.record({ byNamespace, hashes: from.hashes }, from, { hosts, rules });
}

const hostOf = ({ spec, metadata }: ConfigObject, domain: string): string =>
  resolveHost((spec as unknown as DestinationRuleSpec).host, metadata.namespace, domain);

/**
 * The rule a client applies to a host: the client's own namespace first, then the service's, then the root namespace; within
 * one the narrowest host. https://istio.io/latest/docs/ops/best-practices/traffic-management/#cross-namespace-configuration
 * Rules of its own namespace that select it by its `labels` go before those for everybody; one that doesn't is as if it were not there.
 */
export function findDestinationRule(
  index: DestinationRuleIndex,
  host: string,
  serviceNamespace: string | undefined,
  clientNamespace: string,
  rootNamespace: string,
  labels?: Labels,
): DestinationRule | undefined {
  for (const namespace of new Set([clientNamespace, serviceNamespace, rootNamespace])) {
    const rules = namespace === undefined ? undefined : index.byNamespace.get(namespace);
    if (!rules) continue;
    const isFor = ({ selector }: DestinationRule) => selector === undefined || selects(selector, labels);
    const visible = (rule: DestinationRule) => isVisible(rule.exportTo, rule.namespace, clientNamespace) && isFor(rule);
    const found =
      rules.exact.get(host)?.find(visible) ?? rules.wildcard.find((rule) => covers(rule.host, host) && visible(rule));
    if (found) return found;
  }
  return undefined;
}

const selects = (selector: Labels, labels: Labels | undefined): boolean =>
  labels !== undefined && matchesLabels(selector, labels);

/** The rules of a namespace that select clients by their labels, all of them or those for a host. */
export const selectedRules = (
  index: DestinationRuleIndex,
  namespace: string,
  host?: string,
): readonly DestinationRule[] => {
  const { selected } = index.byNamespace.get(namespace) ?? { selected: [] };
  return host === undefined || selected.length === 0 ? selected : selected.filter((rule) => covers(rule.host, host));
};

/** Which of them a client has, in words that two clients share who have the same. */
export const selectionOf = (index: DestinationRuleIndex, namespace: string, labels: Labels): string =>
  selectedRules(index, namespace)
    .filter(({ selector = {} }) => selects(selector, labels))
    .map(({ name, host }) => `${name} ${host}`)
    .sort()
    .join();

const balancesByHash = (object: ConfigObject): boolean =>
  memo(object, "balances-by-hash", [], () => {
    const { trafficPolicy, subsets = [] } = object.spec as unknown as DestinationRuleSpec;
    const policies = [trafficPolicy, ...subsets.map((subset) => subset.trafficPolicy)];
    return policies
      .flatMap((policy) => [policy, ...(policy?.portLevelSettings ?? [])])
      .some((policy) => policy?.loadBalancer?.consistentHash !== undefined);
  });

/** Of one host's resources, oldest first: a rule for each selector, which are asked first, and one of the others. */
function rulesOf(host: string, sources: readonly ConfigObject[]): DestinationRule[] {
  const groups = Map.groupBy(sources, (source) => {
    const selector = selectorOf(source);
    return selector && JSON.stringify(Object.entries(selector).sort(([a], [b]) => compare(a, b)));
  });
  const others = groups.get(undefined);
  groups.delete(undefined);
  return [...groups.values(), ...(others ? [others] : [])].map((own) => merge(host, own));
}

/** One without labels selects every client of its namespace. */
const selectorOf = ({ spec }: ConfigObject): Labels | undefined => {
  const { workloadSelector } = spec as unknown as DestinationRuleSpec;
  return workloadSelector && (workloadSelector.matchLabels ?? {});
};

/** Subsets add up, the first of a name stays; the first rule that has a traffic policy gives it. https://istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services */
function merge(host: string, sources: readonly ConfigObject[]): DestinationRule {
  const [oldest] = sources;
  if (!oldest) throw new Error(`no DestinationRule to merge for ${host}`);
  return memo(oldest, `rule|${host}`, sources, () => {
    const specs = sources.map((source) => source.spec as unknown as DestinationRuleSpec);
    const subsets = new Map<string, Subset>();
    for (const subset of specs.flatMap((spec) => spec.subsets ?? [])) {
      if (!subsets.has(subset.name)) subsets.set(subset.name, subset);
    }
    const selector = selectorOf(oldest);
    return {
      name: oldest.metadata.name,
      namespace: oldest.metadata.namespace,
      host,
      // Selectors don't reach beyond their namespace.
      exportTo: selector ? ["."] : (specs.find((spec) => spec.exportTo?.length)?.exportTo ?? []),
      selector,
      trafficPolicy: specs.find((spec) => spec.trafficPolicy)?.trafficPolicy,
      subsets: [...subsets.values()],
      sources,
    };
  });
}
