import type { Bits64 } from "../hash/word64.ts";
import type { MatchCriteria } from "../match/criteria.ts";
import type { PlainBalancerConfig, SlowStart } from "./balancer-config.ts";
import type { Endpoint } from "./endpoint.ts";
import type { PriorityLoad } from "./priority-load.ts";

/** What a pick may go by. */
export interface PickContext {
  /** Of what the route's hash policy names; undefined: any. For balancers that keep callers at their hosts. */
  readonly hash: Bits64 | undefined;
  /** Hosts not to be picked again, for as many picks as `attempts` says. */
  readonly avoid: ((endpoint: Endpoint) => boolean) | undefined;
  readonly attempts: number;
  /** What an endpoint's metadata has to say; undefined: anything. For clusters that are split by it. */
  readonly criteria: MatchCriteria | undefined;
  /** In place of the cluster's own, for a retry that looks for another priority. */
  readonly load: PriorityLoad | undefined;
  /** A host to take before the balancer is asked, if it is well. */
  readonly override: HostOverride | undefined;
}

export interface HostOverride {
  /** `ip:port`, `[ip]:port`. */
  readonly address: string;
  /** No other host will do. */
  readonly strict: boolean;
}

export const anyHost: PickContext = {
  hash: undefined,
  avoid: undefined,
  attempts: 0,
  criteria: undefined,
  load: undefined,
  override: undefined,
};

/** Picks among endpoints that may be picked, rebuilt when the set changes. */
export interface Balancer {
  /** @param attempt how often a host was picked in vain for the same choice: balancers by hash then look elsewhere */
  pick(context: PickContext, attempt?: number): Endpoint | undefined;
}

export interface BalancerIo {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** Balancers that go by weights and load, and not by hash. */
export function createBalancer(config: PlainBalancerConfig, endpoints: readonly Endpoint[], io: BalancerIo): Balancer {
  const [first] = endpoints;
  if (endpoints.length <= 1) return { pick: () => first };
  const { random } = io;
  switch (config.kind) {
    case "random":
      return { pick: () => endpoints[Math.floor(random() * endpoints.length)] };
    case "least_request": {
      const weight = (it: Endpoint) => it.config.weight / (it.active + 1) ** config.activeRequestBias;
      const even = () => leastOfChoices(endpoints, config.choiceCount, random);
      return slowStarting(config.slowStart, endpoints, io, even, weight);
    }
    case "round_robin":
      return slowStarting(config.slowStart, endpoints, io, () => roundRobin(endpoints, random), ownWeight);
  }
}

const ownWeight = ({ config }: Endpoint): number => config.weight;

const evenWeights = (endpoints: readonly Endpoint[]): boolean =>
  endpoints.every((endpoint) => endpoint.config.weight === endpoints[0]?.config.weight);

/**
 * Endpoints that have just come get a part of their weight, which grows till it is whole; while there are none, even weights need no scheduling.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/slow_start
 */
function slowStarting(
  slowStart: SlowStart | undefined,
  endpoints: readonly Endpoint[],
  { now }: BalancerIo,
  even: () => Balancer,
  weight: (endpoint: Endpoint) => number,
): Balancer {
  const settled = evenWeights(endpoints) ? even() : weighted(endpoints, weight);
  if (slowStart === undefined) return settled;
  const until = endpoints.reduce((latest, it) => Math.max(latest, it.healthySince), 0) + slowStart.windowMs;
  if (now() > until) return settled;
  const starting = weighted(endpoints, (it) => weight(it) * slowStartFactor(slowStart, now() - it.healthySince));
  return { pick: (context) => (now() <= until ? starting : settled).pick(context) };
}

/** @param ageMs since the endpoint gets requests */
export function slowStartFactor({ windowMs, aggression, minimum }: SlowStart, ageMs: number): number {
  if (ageMs >= windowMs) return 1;
  return Math.max(minimum, (Math.max(1, ageMs) / windowMs) ** (1 / aggression));
}

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

function weighted(endpoints: readonly Endpoint[], weight: (endpoint: Endpoint) => number): Balancer {
  const next = smooth(endpoints, weight);
  return { pick: () => next() };
}

/** Smooth weighted round robin: each gives its weight, the richest is taken and pays the total. Spreads picks evenly in time, like Envoy's EDF. */
export function smooth<T>(items: readonly T[], weight: (item: T) => number): () => T | undefined {
  const credits = new Float64Array(items.length);
  return () => {
    let total = 0;
    let best = 0;
    for (let i = 0; i < items.length; i++) {
      const share = weight(items[i] as T);
      total += share;
      const credit = (credits[i] as number) + share;
      credits[i] = credit;
      if (credit > (credits[best] as number)) best = i;
    }
    credits[best] = (credits[best] as number) - total;
    return items[best];
  };
}
