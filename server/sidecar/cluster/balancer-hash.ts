import { murmurHash2 } from "../hash/murmur-hash2.ts";
import { type Bits64, modulo64 } from "../hash/word64.ts";
import { xxHash64 } from "../hash/xx-hash64.ts";
import { toWire } from "../http/headers.ts";
import { hostPort } from "../text/host-port.ts";
import type { HashBalancerConfig, MaglevConfig, RingHashConfig } from "./balancer-config.ts";
import { boundedLoad } from "./bounded-load.ts";
import type { Endpoint } from "./endpoint.ts";

/** From a hash to an endpoint. `attempt` counts from 0 the picks of one choice: those after the first look elsewhere. */
export type HashTable = (hash: Bits64, attempt: number) => Endpoint | undefined;

function createTable(
  config: HashBalancerConfig,
  endpoints: readonly Endpoint[],
  weightOf: (endpoint: Endpoint) => number,
): HashTable {
  const [first] = endpoints;
  if (endpoints.length <= 1) return () => first;
  const shares = sharesOf(endpoints, weightOf);
  const table = config.kind === "ring_hash" ? ringHash(config, endpoints, shares) : maglev(config, endpoints, shares);
  return config.balanceFactor === 0 ? table : boundedLoad(table, config.balanceFactor, endpoints, shares);
}

/** The tables of one cluster, each made again only when what it depends on has changed: name servers and updates often say the same again. */
export class HashTables {
  /** Those of the last balancers, and those of the one that is made. */
  private before = new Map<string, Made>();
  private now = new Map<string, Made>();

  /** Another balancer begins: what the last one did not use is forgotten. */
  turn(): void {
    this.before = this.now;
    this.now = new Map();
  }

  /** @param weights in place of the endpoints' own */
  get(config: HashBalancerConfig, endpoints: readonly Endpoint[], weights?: ReadonlyMap<Endpoint, number>): HashTable {
    const weightOf = (endpoint: Endpoint) => weights?.get(endpoint) ?? endpoint.config.weight;
    const places = endpoints.map((endpoint) => `${hashKey(endpoint, config.byHostname)} ${weightOf(endpoint)}`);
    const key = `${JSON.stringify(config)}\n${places.join("\n")}`;
    const known = this.before.get(key);
    const same = known?.endpoints.every((endpoint, i) => endpoint === endpoints[i]) === true;
    const made = known !== undefined && same ? known : { endpoints, table: createTable(config, endpoints, weightOf) };
    this.now.set(key, made);
    return made.table;
  }
}

interface Made {
  readonly endpoints: readonly Endpoint[];
  readonly table: HashTable;
}

/** What places an endpoint. https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/load_balancers#ring-hash */
export function hashKey({ config }: Endpoint, byHostname: boolean): string {
  const given = config.metadata?.["envoy.lb"]?.hash_key;
  if (typeof given === "string" && given !== "") return toWire(given);
  if (byHostname && config.hostname !== "") return toWire(config.hostname);
  return hostPort(config.address, config.port);
}

/**
 * Ketama: every endpoint stands in many places of a ring, by its weight, and a hash goes to the next place. As Envoy's, place by place.
 * https://github.com/envoyproxy/envoy/blob/main/source/extensions/load_balancing_policies/ring_hash/ring_hash_lb.cc
 */
function ringHash(config: RingHashConfig, endpoints: readonly Endpoint[], shares: readonly number[]): HashTable {
  const least = shares.reduce((a, b) => Math.min(a, b));
  // Whole places for the lightest, so that equal weights get equally many.
  const scale = Math.min(Math.ceil(least * config.minimumSize) / least, config.maximumSize);
  const hash = config.hashFunction === "murmur_hash_2" ? murmurHash2 : xxHash64;
  const places: (Bits64 & { readonly endpoint: Endpoint })[] = [];
  let target = 0;
  for (const [i, endpoint] of endpoints.entries()) {
    const key = hashKey(endpoint, config.byHostname);
    target += scale * (shares[i] as number);
    for (let n = 0; places.length < target; n++) {
      const { hi, lo } = hash(`${key}_${n}`);
      places.push({ hi, lo, endpoint });
    }
  }
  places.sort((a, b) => a.hi - b.hi || a.lo - b.lo);
  const size = places.length;
  return (wanted, attempt) => places[(firstFrom(places, wanted) + attempt) % size]?.endpoint;
}

/** The index of the first place at or after a hash; behind the last comes the first. */
function firstFrom(places: readonly Bits64[], { hi, lo }: Bits64): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const place = places[middle] as Bits64;
    if (place.hi < hi || (place.hi === hi && place.lo < lo)) low = middle + 1;
    else high = middle;
  }
  return low === places.length ? 0 : low;
}

/**
 * A table in which every endpoint takes its preferred free places in turn, by its weight.
 * https://github.com/envoyproxy/envoy/blob/main/source/extensions/load_balancing_policies/maglev/maglev_lb.cc
 */
function maglev(
  { tableSize, byHostname }: MaglevConfig,
  endpoints: readonly Endpoint[],
  shares: readonly number[],
): HashTable {
  const most = shares.reduce((a, b) => Math.max(a, b));
  const takers = endpoints
    .map((endpoint, i) => ({ endpoint, key: hashKey(endpoint, byHostname), share: shares[i] as number }))
    .sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))
    .map((taker) => ({
      ...taker,
      place: modulo64(xxHash64(taker.key), tableSize),
      skip: modulo64(xxHash64(taker.key, one), tableSize - 1) + 1,
      due: 0,
    }));
  const table = new Array<Endpoint | undefined>(tableSize).fill(undefined);
  let taken = 0;
  for (let turn = 1; taken < tableSize; turn++) {
    for (const taker of takers) {
      if (taken === tableSize) break;
      // The heaviest takes a place in every turn, one with a third of its weight in every third.
      if (turn * taker.share < taker.due) continue;
      taker.due += most;
      while (table[taker.place] !== undefined) taker.place = (taker.place + taker.skip) % tableSize;
      table[taker.place] = taker.endpoint;
      taker.place = (taker.place + taker.skip) % tableSize;
      taken++;
    }
  }
  return (hash, attempt) => table[modulo64(attempt === 0 ? hash : elsewhere(hash, attempt), tableSize)];
}

const one: Bits64 = { hi: 0, lo: 1 };

/** Envoy's: nearly all bits turned over, other ones for each attempt. */
const elsewhere = ({ hi, lo }: Bits64, attempt: number): Bits64 => ({
  hi: ~hi >>> 0,
  lo: (lo ^ (0x1_0000_0000 - attempt)) >>> 0,
});

/** Weights that add up to 1. */
function sharesOf(endpoints: readonly Endpoint[], weightOf: (endpoint: Endpoint) => number): number[] {
  const total = endpoints.reduce((sum, endpoint) => sum + weightOf(endpoint), 0);
  return endpoints.map((endpoint) => weightOf(endpoint) / total);
}
