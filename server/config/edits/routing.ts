import { conditionsOf } from "../../contract/conditions.ts";
import type { RouteDestination, RouteRule, Routing } from "../../contract/traffic.ts";
import type { HTTPRoute, HTTPRouteDestination } from "../kinds/index.ts";
import type { ConfigObject } from "../object.ts";
import { toYaml } from "../to-yaml.ts";
import { describeFault, describeMatch, describeMirrors, describeRedirect, describeRetries } from "./describe.ts";
import type { EntranceRules, PlacedRules } from "./entrances.ts";
import { type DestinationRule, isHostOf, type ServiceRef, type VirtualService } from "./service-host.ts";
import { versionOf, versionSubsets } from "./subsets.ts";

export interface RoutingInput {
  service: ServiceRef;
  virtualService: VirtualService | undefined;
  destinationRule: DestinationRule | undefined;
  /** Versions that the service's workloads have, by their label. */
  versions: readonly string[];
  /** How many proxies hold the service's routes. */
  proxies: number;
  entrances: readonly EntranceRules[];
  /** To which the VirtualService delegates. */
  delegates?: readonly PlacedRules[];
}

/** A service's rules for people, and what a change of them has to know. */
export function routingOf(input: RoutingInput): Routing {
  const { service, virtualService, destinationRule, versions, proxies, entrances, delegates = [] } = input;
  const { layer = "http" } = service;
  const whose = (object: VirtualService | undefined): Whose => {
    const namespace = object?.metadata.namespace ?? "";
    return { namespace, destinationRule, isOurs: (host) => isHostOf(host, namespace, service) };
  };
  const placed = ({ virtualService: object, hosts, roots, rules }: PlacedRules) => ({
    ...held(object),
    hosts: [...hosts],
    roots: roots.map(({ metadata: { namespace, name } }) => ({ namespace, name })),
    rules: rules.flatMap((index) => {
      const rule = object.spec.http?.[index];
      return rule ? [routeRule(rule, index, whose(object))] : [];
    }),
  });
  return {
    hostname: service.hostname,
    virtualService: virtualService === undefined ? null : held(virtualService),
    destinationRule: destinationRule === undefined ? null : held(destinationRule),
    rules: (virtualService?.spec[layer] ?? []).map((rule, index) =>
      routeRule(rule as HTTPRoute, index, whose(virtualService)),
    ),
    layer,
    versions: versionSubsets(versions, destinationRule?.spec.subsets ?? []),
    proxies,
    entrances: entrances.map((one) => ({ ...placed(one), gateways: one.gateways })),
    delegates: delegates.map((one) => ({ ...placed(one), gateways: one.through.filter((name) => name !== "mesh") })),
  };
}

const held = (object: VirtualService | DestinationRule) => ({
  namespace: object.metadata.namespace,
  name: object.metadata.name,
  resourceVersion: object.metadata.resourceVersion ?? "",
  yaml: toYaml(object as ConfigObject),
});

/** A rule on its own: which of its destinations are whose versions is not asked. */
export const describeRule = (rule: HTTPRoute, index: number): RouteRule =>
  routeRule(rule, index, { namespace: "", destinationRule: undefined, isOurs: () => false });

/** Of the object that a rule stands in, and of the service that it is shown for. */
interface Whose {
  namespace: string;
  destinationRule: DestinationRule | undefined;
  isOurs: (host: string) => boolean;
}

function routeRule(rule: HTTPRoute, index: number, { namespace, destinationRule, isOurs }: Whose): RouteRule {
  return {
    index,
    name: rule.name ?? null,
    matches: (rule.match ?? []).map(describeMatch),
    conditions: (rule.match ?? []).map(conditionsOf),
    destinations: destinations(rule.route ?? [], destinationRule, isOurs),
    timeout: rule.timeout ?? null,
    retries: describeRetries(rule),
    mirror: describeMirrors(rule),
    fault: rule.fault === undefined ? null : describeFault(rule.fault),
    redirect: describeRedirect(rule),
    ...(rule.delegate && { delegate: { namespace: rule.delegate.namespace || namespace, name: rule.delegate.name } }),
  };
}

function destinations(
  route: readonly HTTPRouteDestination[],
  destinationRule: DestinationRule | undefined,
  isOurs: (host: string) => boolean,
): RouteDestination[] {
  const shares = percents(route.length === 1 ? [1] : route.map((entry) => entry.weight ?? 0));
  return route.map(({ destination }, index) => {
    const subset = destinationRule?.spec.subsets?.find((entry) => entry.name === destination.subset);
    return {
      host: destination.host,
      ours: isOurs(destination.host),
      subset: destination.subset ?? null,
      version: (subset === undefined ? undefined : versionOf(subset)) ?? null,
      weight: shares[index] ?? 0,
    };
  });
}

/** Weights as whole percents that sum to 100, the largest remainders rounded up: Istio's weights may have any sum. */
export function percents(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return weights.map(() => 0);
  const exact = weights.map((weight) => (weight * 100) / total);
  const shares = exact.map(Math.floor);
  const byRemainder = exact
    .map((value, index) => ({ index, rest: value - Math.floor(value) }))
    .sort((a, b) => b.rest - a.rest);
  let missing = 100 - shares.reduce((sum, share) => sum + share, 0);
  for (const { index } of byRemainder) {
    if (missing-- <= 0) break;
    shares[index] = (shares[index] ?? 0) + 1;
  }
  return shares;
}
