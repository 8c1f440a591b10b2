import { type DestinationRule, type DestinationRuleIndex, ruleSteps } from "../model/destination-rules.ts";
import type { Endpoint } from "../model/endpoints.ts";
import { compare, narrowerFirst } from "../model/hostname.ts";
import type { Labels } from "../model/labels.ts";
import type { Service } from "../model/service.ts";
import type { LocalityLbSetting, PolicySettings, TrafficPolicy } from "../model/specs.ts";

/** How localities count in one cluster. */
export interface LocalityPolicy {
  readonly setting: LocalityLbSetting;
  /** Endpoints further away are there for when the near ones fail. */
  readonly failsOver: boolean;
}

/** Where a client is: its locality, `region/zone/subzone` or empty, and its labels. */
export interface Whereabouts {
  readonly locality: string;
  readonly labels: Labels;
}

export interface LocalityGroup {
  readonly locality: string;
  readonly members: readonly Endpoint[];
  readonly weight: number;
  /** 0 first, without gaps. */
  readonly priority: number;
}

const region = "topology.kubernetes.io/region";
const zone = "topology.kubernetes.io/zone";
const subZone = "topology.istio.io/subzone";

/** What a Service's traffic distribution amounts to. */
const preferences = {
  PreferSameZone: [region, zone],
  PreferSameNode: [region, zone, subZone, "kubernetes.io/hostname"],
};

/**
 * The DestinationRule's setting, else the Service's traffic distribution, else Istio's default: with outlier detection, and only with it,
 * near endpoints go first. Undefined: localities count for nothing. https://istio.io/latest/docs/tasks/traffic-management/locality-load-balancing/
 */
export function localityPolicy(service: Service, policy: PolicySettings): LocalityPolicy | undefined {
  const setting = policy.loadBalancer?.localityLbSetting;
  const ejects = policy.outlierDetection !== undefined;
  if (setting) return setting.enabled === false ? undefined : { setting, failsOver: ejects };
  if (service.trafficDistribution) {
    return { setting: { failoverPriority: preferences[service.trafficDistribution] }, failsOver: true };
  }
  return ejects ? { setting: {}, failsOver: true } : undefined;
}

/** Whether Envoy is to share among localities before it balances within one. */
export const weighsLocalities = (policy: LocalityPolicy | undefined): boolean => {
  if (!policy) return false;
  const { distribute, failover, failoverPriority } = policy.setting;
  return distribute !== undefined || (policy.failsOver && (failover !== undefined || failoverPriority !== undefined));
};

/** The labels of clients that some rule compares with those of endpoints. */
export const comparedLabels = (rules: DestinationRuleIndex): readonly string[] =>
  ruleSteps.memo<readonly string[]>(
    rules,
    "compared-labels",
    [],
    () => {
      const all = [...rules.byNamespace.values()].flatMap(({ exact, wildcard }) => [
        ...[...exact.values()].flat(),
        ...wildcard,
      ]);
      return [...new Set(all.flatMap(labelsComparedBy))].sort(compare);
    },
    (before, { change }) => (change.rules.some((rule) => labelsComparedBy(rule).length > 0) ? undefined : before),
  );

function labelsComparedBy(rule: DestinationRule): string[] {
  const policies = [rule.trafficPolicy, ...rule.subsets.map((subset) => subset.trafficPolicy)];
  const settings = policies.flatMap((policy): (TrafficPolicy | undefined)[] => [
    policy,
    ...(policy?.portLevelSettings ?? []),
  ]);
  const names = settings.flatMap((it) => it?.loadBalancer?.localityLbSetting?.failoverPriority ?? []);
  return names.map((name) => name.split("=")[0] ?? "");
}

/** By locality, in order of name; with priorities and weights as a client at that place has them. */
export function groupByLocality(
  endpoints: readonly Endpoint[],
  policy: LocalityPolicy | undefined,
  client: Whereabouts,
): LocalityGroup[] {
  const groups = [...Map.groupBy(endpoints, ({ locality }) => locality)]
    .sort(([a], [b]) => compare(a, b))
    .map(([locality, members]): LocalityGroup => ({ locality, members, weight: weightOf(members), priority: 0 }));
  if (!policy) return groups;
  const { distribute, failover, failoverPriority } = policy.setting;
  if (distribute) return distributed(groups, distribute, client.locality);
  if (!policy.failsOver) return groups;
  if (!failoverPriority?.length) return nearestFirst(groups, failover ?? [], client.locality);
  const split = groups.flatMap((group) => splitByLabels(group, failoverPriority, client));
  const ordered = withoutGaps(split);
  return failover?.length ? nearestFirst(ordered, failover, client.locality) : ordered;
}

const weightOf = (members: readonly Endpoint[]): number => members.reduce((sum, { weight }) => sum + weight, 0);

/** Localities that the rule leaves out get nothing; one that several patterns have belongs to the narrowest. */
function distributed(
  groups: readonly LocalityGroup[],
  distribute: NonNullable<LocalityLbSetting["distribute"]>,
  own: string,
): LocalityGroup[] {
  const rule = distribute.find(({ from }) => matches(from, own));
  if (!rule) return [...groups];
  const left = new Set(groups);
  const shared: LocalityGroup[] = [];
  for (const [pattern, share] of Object.entries(rule.to).sort(([a], [b]) => narrowerFirst(a, b))) {
    const found = [...left].filter(({ locality }) => matches(pattern, locality));
    const total = found.reduce((sum, { weight }) => sum + weight, 0);
    for (const group of found) {
      left.delete(group);
      shared.push({ ...group, weight: Math.ceil((group.weight * share) / total) });
    }
  }
  return shared.sort((a, b) => compare(a.locality, b.locality));
}

/** `us-east/z1/*` and `us-east/z1` have every subzone, `us-east` every zone, `*` all. */
function matches(pattern: string, locality: string): boolean {
  const own = locality.split("/");
  return pattern.split("/").every((part, index) => part === "*" || part === (own[index] ?? ""));
}

/** 0: the same subzone, 1: zone, 2: region, 3: elsewhere, or 4 where a failover names another region for it. */
function nearestFirst(
  groups: readonly LocalityGroup[],
  failover: NonNullable<LocalityLbSetting["failover"]>,
  own: string,
): LocalityGroup[] {
  const mine = parts(own);
  const wanted = failover.find(({ from }) => from === mine[0])?.to;
  const distance = (locality: string): number => {
    const theirs = parts(locality);
    const differs = mine.findIndex((part, index) => part !== theirs[index]);
    if (differs === 0) return wanted === undefined || theirs[0] === wanted ? 3 : 4;
    return differs < 0 ? 0 : 3 - differs;
  };
  return withoutGaps(groups.map((it) => ({ ...it, priority: it.priority * 5 + distance(it.locality) })));
}

function parts(locality: string): [string, string, string] {
  const [first = "", second = "", third = ""] = locality.split("/");
  return [first, second, third];
}

/** Those that share the first labels with the client, one by one, go before those that differ earlier. */
function splitByLabels(group: LocalityGroup, names: readonly string[], client: Whereabouts): LocalityGroup[] {
  const wanted = withTopology(client.labels, client.locality);
  const byPriority = Map.groupBy(group.members, (endpoint) => {
    const its = withTopology(endpoint.labels, endpoint.locality);
    const differs = names.findIndex((name) => {
      const [label = "", value = wanted[label]] = name.split("=");
      return its[label] !== value;
    });
    return differs < 0 ? 0 : names.length - differs;
  });
  return [...byPriority]
    .sort(([a], [b]) => a - b)
    .map(([priority, members]) => ({ ...group, members, weight: weightOf(members), priority }));
}

/** A locality is labels, too. */
function withTopology(labels: Labels, locality: string): Labels {
  const [inRegion, inZone, inSubZone] = parts(locality);
  return {
    ...labels,
    ...(inRegion && { [region]: inRegion }),
    ...(inZone && { [zone]: inZone }),
    ...(inSubZone && { [subZone]: inSubZone }),
  };
}

/** Envoy's priorities go up one by one. */
function withoutGaps(groups: readonly LocalityGroup[]): LocalityGroup[] {
  const priorities = [...new Set(groups.map(({ priority }) => priority))].sort((a, b) => a - b);
  return groups.map((group) => ({ ...group, priority: priorities.indexOf(group.priority) }));
}
