import { type Told, told } from "../../contract/index.ts";
import { type FieldError, fail, ok, type Result } from "../../lib/result.ts";
import { suggest } from "../../lib/suggest.ts";
import { destinationRule as destinationRuleKind } from "../kinds/destination-rule.ts";
import type { HTTPRoute, HTTPRouteDestination, TrafficPolicy } from "../kinds/index.ts";
import { virtualService as virtualServiceKind } from "../kinds/virtual-service.ts";
import type { ConfigObject } from "../object.ts";
import { sameJson } from "../plan-commit.ts";
import { plainRules, plainVirtualService } from "./fault.ts";
import { copyOf, type FaultRecords, readRecords } from "./fault-record.ts";
import { type DestinationRule, isHostOf, type ServiceRef, shortHost, type VirtualService } from "./service-host.ts";
import type { VersionSubset } from "./subsets.ts";

export interface WeightsEdit {
  service: ServiceRef;
  /** Index into the rules of the service's layer; 0 when there is no VirtualService. */
  rule: number;
  /** By subset: whole numbers that sum to 100. A subset of the rule that isn't named gets nothing. */
  weights: Record<string, number>;
  /** What subsets could be made, and for which version. */
  versions: readonly VersionSubset[];
  /** What a rule for many hosts says of this one, which a rule of its own would hide. */
  inheritedPolicy?: TrafficPolicy | undefined;
}

/**
 * The objects to write so that one rule shares its traffic as asked: the VirtualService, and the DestinationRule where a subset is missing.
 * Only those that change; everything else in them stays. Errors have the paths of the request (`weights.v2`, `rule`).
 */
export function setWeights(
  virtualService: VirtualService | undefined,
  destinationRule: DestinationRule | undefined,
  edit: WeightsEdit,
): Result<ConfigObject[], FieldError> {
  const errors = weightErrors(destinationRule, edit);
  const base = virtualService ?? plainVirtualService(edit.service);
  const { layer = "http" } = edit.service;
  const rules = rulesIn(base, edit.service);
  const records = readRecords(base);
  const target = sourceOf(rules, edit.rule, records);
  if (target === undefined) errors.push({ path: "rule", ...ruleMissing(base, edit.rule, rules.length) });
  else errors.push(...routeErrors(target, base, edit.service));
  if (target === undefined || errors.length > 0) return fail(...errors);

  const route = shareRoute(target.route ?? [], edit);
  const shares = (rule: HTTPRoute) => rule === target || followsRule(rule, target, rules, records);
  const shared = rules.map((rule) => (shares(rule) ? { ...rule, route } : rule));
  const changed: ConfigObject[] = [];
  for (const result of [
    destinationRuleKind.parse(withSubsets(destinationRule, edit)),
    virtualServiceKind.parse({ ...base, spec: { ...base.spec, [layer]: shared } }),
  ]) {
    if (!result.ok) return result;
    const before = result.value.kind === "VirtualService" ? virtualService : destinationRule;
    if (before === undefined || !sameJson(before.spec, result.value.spec)) changed.push(result.value as ConfigObject);
  }
  return ok(changed);
}

/** Of a TCP service that has none, the one that its absence amounts to: rules of requests say nothing of connections. */
function rulesIn({ spec }: VirtualService, service: ServiceRef): readonly HTTPRoute[] {
  if (service.layer !== "tcp") return spec.http ?? [];
  return spec.tcp?.length ? spec.tcp : plainRules(service);
}

function weightErrors(destinationRule: DestinationRule | undefined, { weights, versions }: WeightsEdit): FieldError[] {
  const errors: FieldError[] = [];
  const known = [
    ...versions.map((version) => version.subset),
    ...(destinationRule?.spec.subsets ?? []).map((subset) => subset.name),
  ];
  for (const [subset, weight] of Object.entries(weights)) {
    const path = `weights.${subset}`;
    if (!Number.isInteger(weight) || weight < 0 || weight > 100)
      errors.push({ path, ...told("weight-number", { weight }) });
    if (known.includes(subset)) continue;
    const near = suggest(subset, known);
    const missing =
      near === undefined ? told("no-subset", { known: known.join(", ") || "none" }) : told("no-subset-near", { near });
    errors.push({ path, ...missing });
  }
  const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
  if (sum !== 100) errors.push({ path: "weights", ...told("weights-sum", { sum }) });
  return errors;
}

function ruleMissing({ metadata: { name } }: VirtualService, rule: number, count: number): Told {
  return count === 0 ? told("rules-tcp", { name }) : told("no-rule", { name, rule, count: `0…${count - 1}` });
}

/** What keeps a rule from being a split over this service's subsets. */
function routeErrors(rule: HTTPRoute, { metadata }: VirtualService, service: ServiceRef): FieldError[] {
  const destinations = (rule.route ?? []).map((entry) => entry.destination);
  if (destinations.length === 0) return [{ path: "rule", ...told("rule-answers", {}) }];
  const other = destinations.find(({ host }) => !isHostOf(host, metadata.namespace, service));
  if (other !== undefined) return [{ path: "rule", ...told("rule-elsewhere", { host: other.host }) }];
  const names = destinations.map(({ subset }) => subset ?? "");
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? [] : [{ path: "rule", ...told("rule-twice", { name: twice || service.name }) }];
}

/** The rule itself, or what it is a fault's copy of. */
function sourceOf(rules: readonly HTTPRoute[], index: number, records: FaultRecords): HTTPRoute | undefined {
  const rule = rules[index];
  const copy = rule === undefined ? undefined : copyOf(rule, records);
  if (rule === undefined || copy === undefined) return rule;
  const source = rules.filter((other) => copyOf(other, records) === undefined)[copy.source];
  return source !== undefined && sameJson(source.route, rule.route) ? source : rule;
}

/** A header-limited copy that still shares as its source does goes on doing so; one that somebody changed is left alone. */
function followsRule(rule: HTTPRoute, source: HTTPRoute, rules: readonly HTTPRoute[], records: FaultRecords): boolean {
  const copy = copyOf(rule, records);
  if (copy === undefined) return false;
  return (
    rules.filter((other) => copyOf(other, records) === undefined)[copy.source] === source &&
    sameJson(rule.route, source.route)
  );
}

/** Destinations that are there keep their place, port and headers; new ones follow, in the order of the versions. */
function shareRoute(
  route: readonly HTTPRouteDestination[],
  { service, weights, versions }: WeightsEdit,
): HTTPRouteDestination[] {
  const kept = route
    .filter((entry) => entry.destination.subset !== undefined)
    .map((entry) => ({ ...entry, weight: weights[entry.destination.subset ?? ""] ?? 0 }));
  const order = versions.map((version) => version.subset);
  const missing = Object.entries(weights)
    .filter(([subset, weight]) => weight > 0 && !kept.some((entry) => entry.destination.subset === subset))
    .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  // The whole service, without a subset, or else any destination, is the pattern for new ones.
  const pattern = route.find((entry) => entry.destination.subset === undefined) ?? route[0];
  const added = missing.map(([subset, weight]): HTTPRouteDestination => {
    const { weight: _, destination, ...rest } = pattern ?? { destination: { host: shortHost(service) } };
    const extra = destination.subset === undefined ? rest : {};
    return { ...extra, destination: { ...destination, subset }, weight };
  });
  return [...kept, ...added];
}

function withSubsets(
  current: DestinationRule | undefined,
  { service, weights, versions, inheritedPolicy }: WeightsEdit,
): DestinationRule {
  const base: DestinationRule = current ?? {
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: service.ruleNames?.destinationRule ?? service.name, namespace: service.namespace },
    spec: { host: shortHost(service), ...(inheritedPolicy && { trafficPolicy: inheritedPolicy }) },
  };
  const existing = base.spec.subsets ?? [];
  // A new rule names every version at once, so that the next shift needs no second object.
  const wanted = versions.filter(({ subset }) => current === undefined || (weights[subset] ?? 0) > 0);
  const missing = wanted.filter(({ subset }) => !existing.some((other) => other.name === subset));
  if (missing.length === 0) return base;
  const made = missing.map(({ subset, version }) => ({ name: subset, labels: { version } }));
  return { ...base, spec: { ...base.spec, subsets: [...existing, ...made] } };
}
