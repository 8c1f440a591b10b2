import type { Bits64 } from "../hash/word64.ts";
import type { Metadata } from "../record.ts";
import { type BalancerConfig, usesHash } from "./balancer-config.ts";
import { byHash, type HashTables } from "./balancer-hash.ts";
import type { Endpoint } from "./endpoint.ts";

/** What a pick may go by. */
export interface PickContext {
  /** Of what the route's hash policy names; undefined: any. For balancers that keep callers at their hosts. */
  readonly hash: Bits64 | undefined;
  /** Hosts already tried, for as many picks as `attempts` says. */
  readonly avoid: ReadonlySet<Endpoint> | undefined;
  readonly attempts: number;
  /** What an endpoint's metadata has to agree with: `metadata_match`, by namespace. */
  readonly metadata: Metadata | undefined;
}

export const anyHost: PickContext = { hash: undefined, avoid: undefined, attempts: 0, metadata: undefined };

/** Picks among endpoints that may be picked. One per priority, rebuilt when the set changes. */
export interface Balancer {
  /** @param attempt how often a host was picked in vain for the same choice: balancers by hash then look elsewhere */
  pick(context: PickContext, attempt?: number): Endpoint | undefined;
}

export function createBalancer(
  config: BalancerConfig,
  endpoints: readonly Endpoint[],
  random: () => number,
  tables: HashTables,
): Balancer {
  const [first] = endpoints;
  if (endpoints.length <= 1) return { pick: () => first };
  if (usesHash(config)) return byHash(tables.get(config, endpoints), random);
  switch (config.kind) {
    case "random":
      return { pick: () => endpoints[Math.floor(random() * endpoints.length)] };
    case "least_request":
      return evenWeights(endpoints)
        ? leastOfChoices(endpoints, config.choiceCount, random)
        : weighted(endpoints, (endpoint) => endpoint.config.weight / (endpoint.active + 1) ** config.activeRequestBias);
    case "round_robin":
      return evenWeights(endpoints)
        ? roundRobin(endpoints, random)
        : weighted(endpoints, (endpoint) => endpoint.config.weight);
  }
}

const evenWeights = (endpoints: readonly Endpoint[]): boolean =>
  endpoints.every((endpoint) => endpoint.config.weight === endpoints[0]?.config.weight);

/** Begins at a random place, so that many proxies do not all begin with the same endpoint. */
function roundRobin(endpoints: readonly Endpoint[], random: () => number): Balancer {
  let at = Math.floor(random() * endpoints.length);
  return {
    pick: () => {
      at = at + 1 < endpoints.length ? at + 1 : 0;
      return endpoints[at];
    },
  };
}

/** The power of N choices. */
function leastOfChoices(endpoints: readonly Endpoint[], choices: number, random: () => number): Balancer {
  return {
    pick: () => {
      let best = endpoints[Math.floor(random() * endpoints.length)];
      for (let i = 1; i < choices; i++) {
        const other = endpoints[Math.floor(random() * endpoints.length)];
        if (best === undefined || (other !== undefined && other.active < best.active)) best = other;
      }
      return best;
    },
  };
}

/** Smooth weighted round robin: each gives its weight, the richest is taken and pays the total. Spreads picks evenly in time, like Envoy's EDF. */
function weighted(endpoints: readonly Endpoint[], weight: (endpoint: Endpoint) => number): Balancer {
  const credits = new Float64Array(endpoints.length);
  return {
    pick: () => {
      let total = 0;
      let best = 0;
      for (let i = 0; i < endpoints.length; i++) {
        const share = weight(endpoints[i] as Endpoint);
        total += share;
        const credit = (credits[i] as number) + share;
        credits[i] = credit;
        if (credit > (credits[best] as number)) best = i;
      }
      credits[best] = (credits[best] as number) - total;
      return endpoints[best];
    },
  };
}
