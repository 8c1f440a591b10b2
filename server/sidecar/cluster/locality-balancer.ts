import { type Balancer, smooth } from "./balancer.ts";
import type { Endpoint } from "./endpoint.ts";
import type { HostSet, PriorityPolicy } from "./priority-load.ts";

/** What weight the locality of an endpoint has. */
export type LocalityWeight = (endpoint: Endpoint) => number;

const ownWeight: LocalityWeight = ({ config }) => config.locality.weight;

/** Shares among localities by weight, less for those that have lost hosts, then picks within one. Undefined: no locality has any weight. */
export function byLocality(
  set: HostSet,
  part: readonly Endpoint[],
  policy: PriorityPolicy,
  within: (endpoints: readonly Endpoint[]) => Balancer,
  weightOf: LocalityWeight = ownWeight,
): Balancer | undefined {
  const all = Map.groupBy(set.hosts, localityKey);
  const localities = [...Map.groupBy(part, localityKey)].flatMap(([key, members]) => {
    const weight = effectiveWeight(all.get(key) ?? [], members, policy, weightOf);
    return weight > 0 ? [{ weight, balancer: within(members) }] : [];
  });
  const [first] = localities;
  if (localities.length <= 1) return first?.balancer;
  const next = smooth(localities, ({ weight }) => weight);
  return { pick: (context, attempt) => next()?.balancer.pick(context, attempt) };
}

/** https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/locality_weight */
function effectiveWeight(
  all: readonly Endpoint[],
  members: readonly Endpoint[],
  policy: PriorityPolicy,
  weightOf: LocalityWeight,
): number {
  const [first] = all;
  const count = all.filter(({ health }) => !health.excluded).length;
  if (count === 0 || first === undefined) return 0;
  const availability = Math.min(1, ((policy.overprovisioning / 100) * members.length) / count);
  return weightOf(first) * availability;
}

/**
 * Weights of a flat set, for balancers by hash, which have one table for all localities; as in Envoy it doesn't go by how many of a
 * locality's hosts are healthy. Hosts of localities without weight are left out. Undefined: no locality has any.
 */
export function flatWeights(
  endpoints: readonly Endpoint[],
  weightOf: LocalityWeight = ownWeight,
): Map<Endpoint, number> | undefined {
  const localities = [...Map.groupBy(endpoints, localityKey).values()].filter(
    ([first]) => first !== undefined && weightOf(first) > 0,
  );
  if (localities.length === 0) return undefined;
  return new Map(
    localities.flatMap((members) => {
      const total = members.reduce((sum, { config }) => sum + config.weight, 0);
      const share = weightOf(members[0] as Endpoint);
      return members.map((endpoint) => [endpoint, (share * endpoint.config.weight) / total] as const);
    }),
  );
}

export const localityKey = ({ config: { locality } }: Endpoint): string =>
  `${locality.region}/${locality.zone}/${locality.subZone}`;
