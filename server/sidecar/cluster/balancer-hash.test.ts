import { describe, expect, it } from "vitest";
import { xxHash64 } from "../hash/xx-hash64.ts";
import { anyHost } from "./balancer.ts";
import type { HashBalancerConfig } from "./balancer-config.ts";
import { HashTables, hashKey } from "./balancer-hash.ts";
import type { Endpoint } from "./endpoint.ts";
import { HealthFlag } from "./health-flags.ts";
import { PriorityBalancer } from "./priorities.ts";
import { testEndpoint as endpoint } from "./testing/endpoint.ts";

const ring = {
  kind: "ring_hash",
  minimumSize: 1024,
  maximumSize: 8_388_608,
  byHostname: false,
  balanceFactor: 0,
} as const;
const kinds: Record<string, HashBalancerConfig> = {
  "ring of xxHash64": { ...ring, hashFunction: "xx_hash" },
  "ring of MurmurHash2": { ...ring, hashFunction: "murmur_hash_2" },
  maglev: { kind: "maglev", tableSize: 65_537, byHostname: false, balanceFactor: 0 },
};

const keys = Array.from({ length: 5000 }, (_, i) => xxHash64(`user ${i}`));
const numbered = (count: number) => Array.from({ length: count }, (_, i) => endpoint(1000 + i));
const balancerOf = (
  config: HashBalancerConfig,
  endpoints: Endpoint[],
  random: () => number,
  tables = new HashTables(),
) =>
  new PriorityBalancer(
    endpoints,
    { config, panicThreshold: 50, localityWeighted: false, tables },
    { random, now: () => 0 },
  );
const picks = (config: HashBalancerConfig, endpoints: Endpoint[], tables = new HashTables()) => {
  const balancer = balancerOf(config, endpoints, () => 0.5, tables);
  return keys.map((hash) => balancer.pick({ ...anyHost, hash })?.config.port ?? 0);
};
const count = (ports: number[], port: number) => ports.filter((it) => it === port).length;

describe.each(Object.entries(kinds))("%s", (_, config) => {
  it("spreads keys evenly, and always in the same way", () => {
    const ports = picks(config, numbered(5));
    // A fifth is 1000 (σ 28); a ring of 1,280 places adds 1/√205 = 7 % of spread between endpoints.
    for (let port = 1000; port < 1005; port++) {
      expect(count(ports, port)).toBeGreaterThan(650);
      expect(count(ports, port)).toBeLessThan(1350);
    }
    expect(picks(config, numbered(5))).toEqual(ports);
  });

  it("follows weights", () => {
    const ports = picks(config, [endpoint(1000, { weight: 3 }), endpoint(1001)]);
    expect(count(ports, 1000) / ports.length).toBeGreaterThan(0.65);
    expect(count(ports, 1000) / ports.length).toBeLessThan(0.85);
  });

  it("moves little more than the keys of an endpoint that goes", () => {
    const before = picks(config, numbered(10));
    const after = picks(config, numbered(10).slice(0, 9));
    const moved = before.filter((port, i) => port !== after[i]).length;
    const own = count(before, 1009);
    expect(moved).toBeGreaterThanOrEqual(own);
    // A ring stays as large: with a tenth less endpoints each has a ninth more places, as in Envoy, which take over other keys. Maglev moves a few.
    expect((moved - own) / keys.length).toBeLessThan(config.kind === "maglev" ? 0.05 : 1 / 9);
  });

  it("leaves ejected endpoints out, and only their keys move", () => {
    const endpoints = numbered(4);
    const before = picks(config, endpoints);
    const [, , third] = endpoints;
    third?.health.set(HealthFlag.failedOutlierCheck);
    const after = picks(config, endpoints);
    expect(count(after, 1002)).toBe(0);
    const others = before.filter((port, i) => port !== 1002 && port !== after[i]).length;
    expect(others / keys.length).toBeLessThan(0.2);
  });

  it("looks elsewhere in further attempts", () => {
    const balancer = balancerOf(config, numbered(5), Math.random);
    const seen = keys.slice(0, 100).map((hash) => {
      const context = { ...anyHost, hash };
      return new Set([0, 1, 2, 3, 4, 5, 6, 7].map((attempt) => balancer.pick(context, attempt))).size;
    });
    expect(Math.min(...seen)).toBeGreaterThan(1);
  });

  it("picks any without a hash, the only one, and none of none", () => {
    let at = 0;
    const balancer = balancerOf(config, numbered(3), () => (at = (at + 0.618034) % 1));
    expect(new Set(Array.from({ length: 200 }, () => balancer.pick(anyHost)?.config.port)).size).toBe(3);
    expect(new Set(picks(config, numbered(1)))).toEqual(new Set([1000]));
    expect(new Set(picks(config, []))).toEqual(new Set([0]));
  });

  it("keeps a key at its priority while two share the load", () => {
    const first = [1, 2, 3, 4].map((port) =>
      endpoint(port, { healthFlag: port <= 2 ? 0 : HealthFlag.failedEdsHealth }),
    );
    const ports = picks(config, [...first, endpoint(11, { priority: 1 })]);
    expect(count(ports, 11) / ports.length).toBeCloseTo(0.3, 1);
    expect(picks(config, [...first, endpoint(11, { priority: 1 })])).toEqual(ports);
  });
});

it("tables are made again only when endpoints, weights or settings change", () => {
  const tables = new HashTables();
  const endpoints = numbered(3);
  const [config, other] = Object.values(kinds) as [HashBalancerConfig, HashBalancerConfig];
  const next = (chosen: HashBalancerConfig, from: Endpoint[]) => {
    tables.turn();
    return tables.get(chosen, from);
  };
  const first = next(config, endpoints);
  expect(next({ ...config }, [...endpoints])).toBe(first);
  expect(next(other, endpoints)).not.toBe(first);
  const again = next(config, endpoints);
  expect(again).not.toBe(first);
  const [one] = endpoints;
  one?.update({ ...one.config, weight: 2 });
  expect(next(config, endpoints)).not.toBe(again);
  const equal = next(config, endpoints);
  expect(next(config, numbered(3))).not.toBe(equal);
});

it("endpoints stand where their address, their name or their hash_key says", () => {
  expect(hashKey(endpoint(80), false)).toBe("10.0.0.1:80");
  expect(hashKey(endpoint(80, { address: "::1" }), false)).toBe("[::1]:80");
  expect(hashKey(endpoint(80, { hostname: "a.test" }), true)).toBe("a.test");
  expect(hashKey(endpoint(80, { metadata: { "envoy.lb": { hash_key: "one" } } }), false)).toBe("one");
});
