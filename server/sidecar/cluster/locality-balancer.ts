import { type Balancer, smooth } from "./balancer.ts";
import type { Endpoint } from "./endpoint.ts";
import type { HostSet, PriorityPolicy } from "./priority-load.ts";

/** Shares among localities by weight, less for those that have lost hosts, then picks within one. Undefined: no locality has any weight. */
export function byLocality(
  set: HostSet,
  part: readonly Endpoint[],
  policy: PriorityPolicy,
  within: (endpoints: readonly Endpoint[]) => Balancer,
): Balancer | undefined {
  const all = Map.groupBy(set.hosts, localityKey);
  const localities = [...Map.groupBy(part, localityKey)].flatMap(([key, members]) => {
    const weight = effectiveWeight(all.get(key) ?? [], members, policy);
    return weight > 0 ? [{ weight, balancer: within(members) }] : [];
  });
  const [first] = localities;
  if (localities.length <= 1) return first?.balancer;
  const next = smooth(localities, ({ weight }) => weight);
  return { pick: (context, attempt) => next()?.balancer.pick(context, attempt) };
}

/** https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/locality_weight */
function effectiveWeight(all: readonly Endpoint[], members: readonly Endpoint[], policy: PriorityPolicy): number {
  const count = all.filter(({ health }) => !health.excluded).length;
  if (count === 0) return 0;
  const availability = Math.min(1, ((policy.overprovisioning / 100) * members.length) / count);
  return (all[0]?.config.locality.weight ?? 0) * availability;
}

/**
 * Weights of a flat set, for balancers by hash, which have one table for all localities; as in Envoy it doesn't go by how many of a
 * locality's hosts are healthy. Hosts of localities without weight are left out. Undefined: no locality has any.
 */
export function flatWeights(endpoints: readonly Endpoint[]): Map<Endpoint, number> | undefined {
  const localities = [...Map.groupBy(endpoints, localityKey).values()].filter(
    ([first]) => (first?.config.locality.weight ?? 0) > 0,
  );
  if (localities.length === 0) return undefined;
  return new Map(
    localities.flatMap((members) => {
      const total = members.reduce((sum, { config }) => sum + config.weight, 0);
      const share = members[0]?.config.locality.weight ?? 0;
      return members.map((endpoint) => [endpoint, (share * endpoint.config.weight) / total] as const);
    }),
  );
}

const localityKey = ({ config: { locality } }: Endpoint): string =>
  `${locality.region}/${locality.zone}/${locality.subZone}`;
