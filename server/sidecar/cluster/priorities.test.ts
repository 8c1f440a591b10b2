import { describe, expect, it } from "vitest";
import { anyHost } from "./balancer.ts";
import type { BalancerConfig } from "./balancer-config.ts";
import { Endpoint, type EndpointConfig } from "./endpoint.ts";
import { createPriorityBalancer } from "./priorities.ts";

const endpoint = (port: number, config: Partial<EndpointConfig> = {}) =>
  new Endpoint({
    address: "a",
    port,
    hostname: "",
    weight: 1,
    healthy: true,
    priority: 0,
    metadata: undefined,
    ...config,
  });

const kinds: Record<string, BalancerConfig> = {
  round_robin: { kind: "round_robin", choiceCount: 0, activeRequestBias: 1 },
  least_request: { kind: "least_request", choiceCount: 2, activeRequestBias: 1 },
  random: { kind: "random", choiceCount: 0, activeRequestBias: 1 },
};

/** A fixed sequence, spread evenly. */
function numbers(): () => number {
  let at = 0;
  return () => (at = (at + 0.618034) % 1);
}

function shares(endpoints: Endpoint[], config = kinds.round_robin, panic = 0.5, picks = 1000): Record<string, number> {
  const balancer = createPriorityBalancer(endpoints, config as BalancerConfig, panic, numbers());
  const counts: Record<string, number> = {};
  for (let i = 0; i < picks; i++) {
    const port = balancer.pick(anyHost)?.config.port ?? "none";
    counts[port] = (counts[port] ?? 0) + 1;
  }
  return counts;
}

describe.each(Object.entries(kinds))("every balancer: %s", (_, config) => {
  it("spreads over equal endpoints, picks the only one, and none of none", () => {
    const counts = shares([endpoint(1), endpoint(2), endpoint(3), endpoint(4)], config);
    for (const port of [1, 2, 3, 4]) expect(counts[port]).toBeGreaterThan(180);
    expect(shares([endpoint(1)], config)).toEqual({ 1: 1000 });
    expect(shares([], config)).toEqual({ none: 1000 });
  });
});

it("round robin follows weights exactly, spread out", () => {
  expect(shares([endpoint(1, { weight: 3 }), endpoint(2, { weight: 1 })])).toEqual({ 1: 750, 2: 250 });
  const balancer = createPriorityBalancer(
    [endpoint(1, { weight: 2 }), endpoint(2, { weight: 1 })],
    kinds.round_robin as BalancerConfig,
    0.5,
    numbers(),
  );
  expect([1, 2, 3, 4, 5, 6].map(() => balancer.pick(anyHost)?.config.port)).toEqual([1, 2, 1, 1, 2, 1]);
});

it("least request avoids the busy", () => {
  const busy = endpoint(1);
  busy.active = 50;
  const counts = shares([busy, endpoint(2)], kinds.least_request);
  expect(counts[2]).toBeGreaterThan((counts[1] ?? 0) * 2);
});

it("sick and ejected endpoints get nothing, until too many are: panic", () => {
  const ejected = endpoint(2);
  ejected.outlier.ejectedAt = 1;
  const set = [endpoint(1), ejected, endpoint(3), endpoint(4, { healthy: false }), endpoint(5)];
  expect(Object.keys(shares(set))).toEqual(["1", "3", "5"]);
  const mostlySick = [endpoint(1), endpoint(2, { healthy: false }), endpoint(3, { healthy: false })];
  expect(Object.keys(shares(mostlySick))).toEqual(["1", "2", "3"]);
  expect(Object.keys(shares(mostlySick, kinds.round_robin, 0))).toEqual(["1"]);
  expect(shares([endpoint(1, { healthy: false })], kinds.round_robin, 0)).toEqual({ none: 1000 });
});

it("lower priorities take over what the first cannot carry", () => {
  const first = (healthy: number) => [1, 2, 3, 4].map((port) => endpoint(port, { healthy: port <= healthy }));
  const second = [endpoint(11, { priority: 1 }), endpoint(12, { priority: 1 })];
  const spilled = (healthy: number) => {
    const counts = shares([...first(healthy), ...second], kinds.round_robin, 0);
    return ((counts[11] ?? 0) + (counts[12] ?? 0)) / 1000;
  };
  expect(spilled(4)).toBe(0);
  // 3 of 4 × 1.4 is more than everything.
  expect(spilled(3)).toBe(0);
  expect(spilled(2)).toBeCloseTo(0.3, 1);
  expect(spilled(0)).toBe(1);
});
