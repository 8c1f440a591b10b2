import { expect, test } from "vitest";
import type { FieldError } from "../../lib/result.ts";
import type { HTTPRoute, Subset } from "../kinds/index.ts";
import { injectFault } from "./fault.ts";
import type { DestinationRule, ServiceRef, VirtualService } from "./service-host.ts";
import { setWeights, type WeightsEdit } from "./weights.ts";

const reviews: ServiceRef = { namespace: "default", name: "reviews", hostname: "reviews.default.svc.cluster.local" };
const versions = ["v1", "v2", "v3"].map((version) => ({ version, subset: version }));
const edit = (weights: Record<string, number>, rule = 0): WeightsEdit => ({
  service: reviews,
  rule,
  weights,
  versions,
});
const to = (subset: string, weight?: number) => ({
  destination: { host: "reviews", subset },
  ...(weight === undefined ? {} : { weight }),
});
const meta = { name: "reviews", namespace: "default", resourceVersion: "3" };
const vs = (http: HTTPRoute[]): VirtualService => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { ...meta, labels: { a: "b" } },
  spec: { hosts: ["reviews"], gateways: ["mesh"], http },
});
const dr = (...subsets: Subset[]): DestinationRule => ({
  apiVersion: "networking.istio.io/v1",
  kind: "DestinationRule",
  metadata: { ...meta },
  spec: { host: "reviews", trafficPolicy: { loadBalancer: { simple: "RANDOM" } }, subsets },
});
const all = dr(...versions.map(({ version }) => ({ name: version, labels: { version } })));

function written(...args: Parameters<typeof setWeights>) {
  const result = setWeights(...args);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  const find = (kind: string) => result.value.find((object) => object.kind === kind);
  return {
    kinds: result.value.map((object) => object.kind),
    vs: find("VirtualService") as VirtualService,
    dr: find("DestinationRule") as DestinationRule,
  };
}

const refusals = (...args: Parameters<typeof setWeights>): FieldError[] => {
  const result = setWeights(...args);
  return result.ok ? [] : result.errors;
};

test("makes both objects where there are none, with every version as a subset", () => {
  const made = written(undefined, undefined, edit({ v1: 80, v2: 20 }));
  expect(made.kinds).toEqual(["DestinationRule", "VirtualService"]);
  expect(made.dr).toMatchObject({
    metadata: { name: "reviews", namespace: "default" },
    spec: { host: "reviews", subsets: versions.map(({ version }) => ({ name: version, labels: { version } })) },
  });
  expect(made.vs.spec).toEqual({ hosts: ["reviews"], http: [{ route: [to("v1", 80), to("v2", 20)] }] });
});

test("changes the rule's weights and nothing else", () => {
  const headers = { request: { set: { "x-canary": "1" } } };
  const rules: HTTPRoute[] = [
    { match: [{ headers: { "end-user": { exact: "jason" } } }], route: [to("v2")] },
    {
      name: "rest",
      timeout: "2s",
      retries: { attempts: 1 },
      route: [{ ...to("v1", 90), headers }, { ...to("v2", 10) }],
    },
  ];
  const before = vs(rules);
  const made = written(before, all, edit({ v1: 20, v3: 80 }, 1));
  expect(made.kinds).toEqual(["VirtualService"]);
  expect(made.vs).toEqual({
    ...before,
    spec: {
      ...before.spec,
      http: [rules[0], { ...rules[1], route: [{ ...to("v1", 20), headers }, to("v2", 0), to("v3", 80)] }],
    },
  });
  expect(written(made.vs, all, edit({ v1: 20, v3: 80 }, 1)).kinds).toEqual([]);
});

test("splits a whole service, keeping its port and headers; adds the subset that lacks", () => {
  const headers = { response: { add: { via: "mesh" } } };
  const whole = vs([{ route: [{ destination: { host: "reviews", port: { number: 9080 } }, headers }] }]);
  const made = written(whole, dr({ name: "v1", labels: { version: "v1" } }), edit({ v1: 50, v2: 50, v3: 0 }));
  const port = { number: 9080 };
  expect(made.vs.spec.http?.[0]?.route).toEqual([
    { headers, destination: { host: "reviews", port, subset: "v1" }, weight: 50 },
    { headers, destination: { host: "reviews", port, subset: "v2" }, weight: 50 },
  ]);
  expect(made.dr.spec).toEqual({
    ...dr().spec,
    subsets: [
      { name: "v1", labels: { version: "v1" } },
      { name: "v2", labels: { version: "v2" } },
    ],
  });
});

test("takes the header-limited copies of a fault along, but not one that was changed", () => {
  const header = { name: "end-user", exact: "jason" };
  const request = { delay: null, abort: { percentage: 1, httpStatus: 500 }, header, durationSec: null };
  const rules: HTTPRoute[] = [{ match: [{ port: 1 }], route: [to("v1")] }, { route: [to("v1", 90), to("v2", 10)] }];
  const result = injectFault(vs(rules), reviews, request, { id: "f", now: 0, author: "ann" });
  const faulty = (result.ok ? result.value : undefined) as VirtualService;
  const routes = (object: VirtualService) => object.spec.http?.map((rule) => rule.route?.map((entry) => entry.weight));
  expect(routes(faulty)).toEqual([[undefined], [90, 10], [undefined], [90, 10]]);
  expect(routes(written(faulty, all, edit({ v1: 30, v2: 70 }, 3)).vs)).toEqual([
    [undefined],
    [30, 70],
    [undefined],
    [30, 70],
  ]);
  // Asked of the copy, it is the source that changes, and the copy with it.
  expect(routes(written(faulty, all, edit({ v1: 30, v2: 70 }, 1)).vs)).toEqual([
    [undefined],
    [30, 70],
    [undefined],
    [30, 70],
  ]);
  const own = structuredClone(faulty);
  const copy = own.spec.http?.[1];
  if (copy) copy.route = [to("v1", 1), to("v2", 99)];
  expect(routes(written(own, all, edit({ v1: 30, v2: 70 }, 3)).vs)).toEqual([
    [undefined],
    [1, 99],
    [undefined],
    [30, 70],
  ]);
});

test("refuses, with the request's paths and all at once", () => {
  const one = vs([{ route: [to("v1")] }]);
  expect(refusals(one, all, edit({ v1: 80, v2: 10 }))).toEqual([
    { path: "weights", message: "must sum to 100, not 90", reason: "weights-sum", params: { sum: 90 } },
  ]);
  expect(refusals(one, all, edit({ v1: 50.5, v2: -1, v9: 50.5 }, 4)).map((error) => error.path)).toEqual([
    "weights.v1",
    "weights.v2",
    "weights.v9",
    "weights.v9",
    "rule",
  ]);
  expect(refusals(one, all, edit({}))).toMatchObject([{ path: "weights", message: "must sum to 100, not 0" }]);
  const other = vs([{ route: [to("v1", 1), { destination: { host: "ratings" }, weight: 1 }] }]);
  expect(refusals(other, all, edit({ v1: 100 }))[0]?.message).toContain("ratings");
  expect(refusals(vs([{ redirect: { uri: "/" } }]), all, edit({ v1: 100 }))[0]?.path).toBe("rule");
  expect(refusals(vs([{ route: [to("v1", 1), to("v1", 2)] }]), all, edit({ v1: 100 }))[0]?.path).toBe("rule");
});

test("says what to do where the rules are for TCP", () => {
  const { http: _, ...spec } = vs([]).spec;
  const tcp: VirtualService = { ...vs([]), spec: { ...spec, tcp: [{ route: [to("v1")] }] } };
  const result = setWeights(tcp, all, edit({ v1: 100 }));
  expect(result).toMatchObject({
    ok: false,
    errors: [{ path: "rule", message: "reviews has TCP or TLS rules only: edit its YAML" }],
  });
});

const database: ServiceRef = { ...reviews, layer: "tcp" };

test("shares the connections of a TCP service by tcp rules, whatever is written of requests", () => {
  const made = written(undefined, all, { ...edit({ v1: 80, v2: 20 }), service: database });
  expect(made.vs.spec).toEqual({ hosts: ["reviews"], tcp: [{ route: [to("v1", 80), to("v2", 20)] }] });
  const http = vs([{ route: [to("v1")] }]);
  expect(written(http, all, { ...edit({ v2: 100 }), service: database }).vs.spec).toEqual({
    ...http.spec,
    tcp: [{ route: [to("v2", 100)] }],
  });
  const again = written(made.vs, all, { ...edit({ v1: 0, v2: 100 }), service: database });
  expect(again.vs.spec.tcp).toEqual([{ route: [to("v1", 0), to("v2", 100)] }]);
});

test("has no fault for connections", () => {
  const request = { delay: null, abort: { percentage: 1, httpStatus: 500 }, header: null, durationSec: null };
  expect(injectFault(undefined, database, request, { id: "f", now: 0, author: "ann" })).toMatchObject({
    ok: false,
    errors: [{ path: "service", reason: "fault-connections" }],
  });
});
