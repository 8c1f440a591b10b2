import { expect, it } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import type { ProxySync, ServiceListItem, Signals } from "../contract/index.ts";
import { type Facts, judge } from "./judge.ts";
import { builtInRules, rulesOf } from "./rules.ts";

const signals = (over: Partial<Signals>): Signals => ({
  ...{ requestRate: 10, errorShare: 0, clientErrorShare: 0 },
  ...{ latencyMsP50: 5, latencyMsP90: 9, latencyMsP95: 10, latencyMsP99: 50, ...over },
});
const service = (namespace: string, name: string, over: Partial<Signals>) =>
  ({ namespace, name, hostname: `${name}.${namespace}.svc.x`, signals: signals(over) }) as unknown as ServiceListItem;
const proxy = (name: string, over: object) =>
  ({
    id: `sidecar~${name}`,
    namespace: "default",
    name,
    connected: true,
    types: {},
    certificate: null,
    ...over,
  }) as unknown as ProxySync;

const facts = (over: Partial<Facts> = {}): Facts => ({
  services: () => [
    service("default", "bad", { errorShare: 0.5 }),
    service("default", "slow", { latencyMsP99: 900, latencyMsP95: 1200 }),
    service("default", "idle", { requestRate: 0, errorShare: 1, latencyMsP95: null }),
    service("prod", "bad", { errorShare: 0.06 }),
  ],
  proxies: [
    proxy("gone", { connected: false, disconnectedAt: 77 }),
    proxy("refusing", { types: { LDS: { state: "ERROR" }, CDS: { state: "SYNCED" } } }),
    proxy("ending", { certificate: { notAfterMs: 1_000_000 } }),
  ],
  now: 900_000,
  ...over,
});
const ruleOf = (namespace: string, spec: object) => {
  const object = { metadata: { namespace, name: "r" }, spec } as unknown as ConfigObject;
  const rule = rulesOf([object], "istio-system").find(({ builtIn }) => !builtIn);
  if (!rule) throw new Error("no rule");
  return rule;
};
const broken = (namespace: string, spec: object) =>
  judge(ruleOf(namespace, spec), facts())?.flatMap(({ subject, breach }) =>
    breach ? [[`${subject.namespace}/${subject.name}`, breach.measure, breach.value]] : [],
  );

it("looks at a service, at a namespace, or at the mesh", () => {
  const when = { errors: { above: 5 } };
  expect(broken("default", { when })).toEqual([["default/bad", "errors", 50]]);
  expect(broken("istio-system", { when })).toEqual([
    ["default/bad", "errors", 50],
    ["prod/bad", "errors", 6],
  ]);
  expect(broken("prod", { when, service: "bad.prod.svc.x" })).toHaveLength(1);
  expect(broken("default", { when, service: "slow" })).toEqual([]);
});

it("knows percentiles, rates in both directions, and health by thresholds", () => {
  expect(broken("default", { when: { latency: { above: "800ms", percentile: "P99" } } })).toEqual([
    ["default/slow", "latency-p99", 900],
  ]);
  expect(broken("default", { when: { rate: { below: 1 } } })).toEqual([["default/idle", "rate-below", 0]]);
  expect(broken("prod", { when: { rate: { above: 9 } } })).toEqual([["prod/bad", "rate-above", 10]]);
  expect(broken("default", { when: { health: { atLeast: "Failing" } } })?.map(([who, by]) => [who, by])).toContainEqual(
    ["default/bad", "health-errors"],
  );
});

it("knows proxies and certificates", () => {
  expect(broken("default", { when: { proxies: { states: ["Disconnected", "Refused"] } } })).toEqual([
    ["default/gone", "proxy-disconnected", 77],
    ["default/refusing", "proxy-refused", 1],
  ]);
  expect(broken("default", { when: { certificates: { endWithin: "2m" } } })).toEqual([
    ["default/ending", "certificate", 1_000_000],
  ]);
  expect(broken("default", { when: { certificates: { endWithin: "1m" } } })).toEqual([]);
  expect(broken("prod", { when: { proxies: { states: ["Disconnected"] } } })).toEqual([]);
});

it("says nothing where nothing can be known", () => {
  const blind = facts({ services: () => undefined, proxies: undefined });
  for (const rule of builtInRules) expect(judge(rule, blind)).toBeUndefined();
});

it("a rule of the root namespace with a built-in's name stands in its place", () => {
  const object = (namespace: string) =>
    ({
      metadata: { namespace, name: "proxies-missing" },
      spec: { when: { errors: { above: 1 } } },
    }) as unknown as ConfigObject;
  const own = rulesOf([object("istio-system")], "istio-system").filter(({ key }) => key.endsWith("proxies-missing"));
  expect(own).toMatchObject([{ key: "proxies-missing", when: { of: "errors" } }]);
  expect(rulesOf([object("default")], "istio-system").map(({ key }) => key)).toContain("proxies-missing");
});
