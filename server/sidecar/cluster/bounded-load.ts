import { MersenneTwister } from "../hash/mersenne-twister.ts";
import type { Bits64 } from "../hash/word64.ts";
import type { HashTable } from "./balancer-hash.ts";
import type { Endpoint } from "./endpoint.ts";

/**
 * Lets no endpoint have more than `factor` percent of its share of the requests in flight: what goes beyond goes to others, in an order
 * that the hash alone decides. Seat by seat as in Envoy. https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/load_balancers#ring-hash
 * @param weights that add up to 1, in the order of `endpoints`
 */
export function boundedLoad(
  table: HashTable,
  factor: number,
  endpoints: readonly Endpoint[],
  weights: readonly number[],
): HashTable {
  const weightOf = new Map(endpoints.map((endpoint, i) => [endpoint, weights[i] ?? 0]));
  return (hash, attempt) => {
    const first = table(hash, attempt);
    if (first === undefined) return undefined;
    const active = endpoints.reduce((sum, endpoint) => sum + endpoint.active, 0);
    const slots = Math.floor(((active + 1) * factor + 99) / 100);
    const load = (endpoint: Endpoint): number =>
      endpoint.active / Math.max(1, Math.ceil(slots * (weightOf.get(endpoint) ?? 0)));
    if (load(first) <= 1) return first;
    return leastLoaded(first, inOrderOf(hash, endpoints), load);
  };
}

/** The first that has room, else the one nearest to having some. */
function leastLoaded(first: Endpoint, others: Iterable<Endpoint>, load: (endpoint: Endpoint) => number): Endpoint {
  let best = first;
  let least = load(first);
  for (const other of others) {
    if (other === first) continue;
    const its = load(other);
    if (its <= 1) return other;
    if (its >= least) continue;
    best = other;
    least = its;
  }
  return best;
}

function* inOrderOf({ lo }: Bits64, endpoints: readonly Endpoint[]): Generator<Endpoint> {
  const random = new MersenneTwister(lo);
  const left = [...endpoints];
  for (let i = 0; i < left.length; i++) {
    const j = i + random.nextBelow(left.length - i);
    const taken = left[j] as Endpoint;
    left[j] = left[i] as Endpoint;
    left[i] = taken;
    yield taken;
  }
}
