import { describe, expect, it } from "vitest";
import { Counter } from "../stats.ts";
import { anyHost, slowStartFactor } from "./balancer.ts";
import type { PlainBalancerConfig, SlowStart } from "./balancer-config.ts";
import type { Endpoint, EndpointConfig } from "./endpoint.ts";
import { HealthFlag } from "./health-flags.ts";
import { PriorityBalancer, type PriorityOptions } from "./priorities.ts";
import { testEndpoint as endpoint } from "./testing/endpoint.ts";

const plain = { choiceCount: 0, activeRequestBias: 1, slowStart: undefined };
const kinds = {
  round_robin: { ...plain, kind: "round_robin" },
  least_request: { ...plain, kind: "least_request", choiceCount: 2 },
  random: { ...plain, kind: "random" },
} satisfies Record<string, PlainBalancerConfig>;
const sick = { healthFlag: HealthFlag.failedEdsHealth };

/** A fixed sequence, spread evenly. */
function numbers(): () => number {
  let at = 0;
  return () => (at = (at + 0.618034) % 1);
}

interface Setting extends Partial<PriorityOptions> {
  picks?: number;
  now?: () => number;
}

const balancerOf = (endpoints: Endpoint[], { now = () => 0, ...options }: Setting = {}) =>
  new PriorityBalancer(
    endpoints,
    { config: kinds.round_robin, panicThreshold: 50, localityWeighted: false, ...options },
    { random: numbers(), now },
  );

function shares(endpoints: Endpoint[], { picks = 1000, ...options }: Setting = {}): Record<string, number> {
  const balancer = balancerOf(endpoints, options);
  const counts: Record<string, number> = {};
  for (let i = 0; i < picks; i++) {
    const port = balancer.pick(anyHost)?.config.port ?? "none";
    counts[port] = (counts[port] ?? 0) + 1;
  }
  return counts;
}

describe.each(Object.entries(kinds))("every balancer: %s", (_, config) => {
  it("spreads over equal endpoints, picks the only one, and none of none", () => {
    const counts = shares([endpoint(1), endpoint(2), endpoint(3), endpoint(4)], { config });
    for (const port of [1, 2, 3, 4]) expect(counts[port]).toBeGreaterThan(180);
    expect(shares([endpoint(1)], { config })).toEqual({ 1: 1000 });
    expect(shares([], { config })).toEqual({ none: 1000 });
  });
});

it("round robin follows weights exactly, spread out", () => {
  const heavy = endpoint(1, { weight: 3 });
  expect(shares([heavy, endpoint(2, { weight: 1 })])).toEqual({ 1: 750, 2: 250 });
  const balancer = balancerOf([endpoint(1, { weight: 2 }), endpoint(2, { weight: 1 })]);
  expect([1, 2, 3, 4, 5, 6].map(() => balancer.pick(anyHost)?.config.port)).toEqual([1, 2, 1, 1, 2, 1]);
});

it("least request avoids the busy", () => {
  const busy = endpoint(1);
  busy.active = 50;
  const counts = shares([busy, endpoint(2)], { config: kinds.least_request });
  expect(counts[2]).toBeGreaterThan((counts[1] ?? 0) * 2);
});

it("sick and ejected endpoints get nothing, until too many are: panic", () => {
  const ejected = endpoint(2);
  ejected.health.set(HealthFlag.failedOutlierCheck);
  const set = [endpoint(1), ejected, endpoint(3), endpoint(4, sick), endpoint(5)];
  expect(Object.keys(shares(set))).toEqual(["1", "3", "5"]);
  const mostlySick = [endpoint(1), endpoint(2, sick), endpoint(3, sick)];
  const panics = new Counter();
  expect(Object.keys(shares(mostlySick, { panics }))).toEqual(["1", "2", "3"]);
  expect(panics.value).toBe(1000);
  expect(Object.keys(shares(mostlySick, { panicThreshold: 0 }))).toEqual(["1"]);
  expect(shares([endpoint(1, sick)], { panicThreshold: 0 })).toEqual({ none: 1000 });
});

it("lower priorities take over what the first cannot carry", () => {
  const first = (healthy: number) => [1, 2, 3, 4].map((port) => endpoint(port, port <= healthy ? {} : sick));
  const second = [endpoint(11, { priority: 1 }), endpoint(12, { priority: 1 })];
  const spilled = (healthy: number) => {
    const counts = shares([...first(healthy), ...second], { panicThreshold: 0 });
    return ((counts[11] ?? 0) + (counts[12] ?? 0)) / 1000;
  };
  expect(spilled(4)).toBe(0);
  // 3 of 4 × 1.4 is more than everything.
  expect(spilled(3)).toBe(0);
  expect(spilled(2)).toBeCloseTo(0.3, 1);
  expect(spilled(0)).toBe(1);
});

it("degraded endpoints get what healthy ones can't carry", () => {
  const degraded = { healthFlag: HealthFlag.degradedEdsHealth };
  const counts = shares([endpoint(1), endpoint(2, degraded), endpoint(3, sick), endpoint(4, sick)], {
    panicThreshold: 0,
  });
  // 35 % for each of the two, scaled to 100 %.
  expect((counts[1] ?? 0) / 1000).toBeCloseTo(0.5, 1);
  expect((counts[2] ?? 0) / 1000).toBeCloseTo(0.5, 1);
});

describe("localities by weight", () => {
  const at = (region: string, weight: number): Partial<EndpointConfig> => ({
    locality: { region, zone: "", subZone: "", weight },
  });
  const weighted: Setting = { localityWeighted: true };

  it("share as they weigh, however many hosts they have", () => {
    const set = [endpoint(1, at("a", 80)), endpoint(2, at("b", 20)), endpoint(3, at("b", 20))];
    expect(shares(set, weighted)).toEqual({ 1: 800, 2: 100, 3: 100 });
  });

  it("get less when they have lost more hosts than they can spare", () => {
    const lost = [2, 3].map((port) => endpoint(port, { ...at("a", 50), ...sick }));
    // A third of its hosts × 1.4 of its 50: 23.3 of 73.3.
    const counts = shares([endpoint(1, at("a", 50)), ...lost, endpoint(9, at("b", 50))], weighted);
    expect((counts[1] ?? 0) / 1000).toBeCloseTo(23.33 / 73.33, 2);
  });

  it("get nothing without a weight, and count for nothing when none has one", () => {
    const set = [endpoint(1, at("a", 1)), endpoint(2, at("b", 0))];
    expect(shares(set, weighted)).toEqual({ 1: 1000 });
    expect(shares([endpoint(1, at("a", 0)), endpoint(2, at("b", 0))], weighted)).toEqual({ 1: 500, 2: 500 });
  });
});

describe("slow start", () => {
  const slowStart: SlowStart = { windowMs: 10_000, aggression: 1, minimum: 0.1 };
  const starting = (config: PlainBalancerConfig, now: number) => {
    const fresh = endpoint(2);
    fresh.healthySince = 100_000;
    return shares([endpoint(1), fresh], { config: { ...config, slowStart }, now: () => now });
  };

  it.each([
    [100_500, 0.1],
    [102_500, 0.25],
    [105_000, 0.5],
    [111_000, 1],
  ])("round robin at %d", (now, factor) => {
    expect((starting(kinds.round_robin, now)[2] ?? 0) / 1000).toBeCloseTo(factor / (1 + factor), 2);
  });

  it("least request", () => {
    expect((starting(kinds.least_request, 102_500)[2] ?? 0) / 1000).toBeCloseTo(0.2, 2);
  });

  it("grows faster in the beginning the more aggressive it is", () => {
    expect(slowStartFactor({ ...slowStart, aggression: 2 }, 2500)).toBeCloseTo(0.5);
    expect(slowStartFactor({ ...slowStart, minimum: 0.3 }, 1)).toBe(0.3);
    expect(slowStartFactor(slowStart, 10_000)).toBe(1);
  });

  it("is over without another change of hosts", () => {
    let now = 100_000;
    const fresh = endpoint(2);
    fresh.healthySince = now;
    const balancer = balancerOf([endpoint(1), fresh], {
      config: { ...kinds.round_robin, slowStart },
      now: () => now,
    });
    const pick = () => balancer.pick(anyHost)?.config.port;
    expect([1, 2, 3, 4].map(pick)).toEqual([1, 1, 1, 1]);
    now += 10_001;
    expect([1, 2, 3, 4].map(pick).sort()).toEqual([1, 1, 2, 2]);
  });
});

describe("a retry that looks for another priority", () => {
  const set = [endpoint(1), endpoint(2, { priority: 1 }), endpoint(3, { priority: 2, ...sick })];

  it("leaves those out that were tried, and begins anew when all were", () => {
    const balancer = balancerOf(set);
    const tried = new Set([0]);
    expect(balancer.loadWithout(tried).healthy).toEqual([0, 100, 0]);
    expect(balancer.pick({ ...anyHost, load: balancer.loadWithout(tried) })?.config.port).toBe(2);
    tried.add(1);
    expect(balancer.loadWithout(tried).healthy).toEqual([100, 0, 0]);
    expect(tried.size).toBe(0);
  });
});
