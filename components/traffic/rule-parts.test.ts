import { expect, it } from "vitest";
import type { RouteRule, Routing } from "../../server/contract/index.ts";
import { entersByGatewaysOnly, isMeasured, movedRates, shownRules, splitOf } from "./rule-parts.ts";

const routing = (rules: RouteRule[], versions = ["v1", "v2", "v3"]): Routing => ({
  hostname: "reviews.default.svc.cluster.local",
  virtualService: null,
  destinationRule: null,
  rules,
  versions: versions.map((version) => ({ version, subset: version })),
  proxies: 7,
  entrances: [],
});
const rule = (destinations: RouteRule["destinations"]): RouteRule => ({
  index: 0,
  name: null,
  matches: [],
  destinations,
  timeout: null,
  retries: null,
  mirror: null,
  fault: null,
  redirect: null,
});
const to = (subset: string | null, weight: number, ours = true) => ({
  host: "reviews",
  ours,
  subset,
  version: subset,
  weight,
});
const weights = (one: RouteRule, all = routing([one])) =>
  splitOf(one, all).parts.map(({ version, weight }) => [version, weight]);

it("shows versions that get nothing", () => {
  expect(weights(rule([to("v1", 80), to("v2", 20)]))).toEqual([
    ["v1", 80],
    ["v2", 20],
    ["v3", 0],
  ]);
});

it("shares alike when there is no rule, or none that names a version", () => {
  const none = routing([], ["v1", "v2"]);
  const [implied] = shownRules(none);
  expect(implied && splitOf(implied, none)).toMatchObject({ kind: "alike", parts: [{ weight: 50 }, { weight: 50 }] });
  expect(splitOf(rule([to(null, 100)]), none).kind).toBe("alike");
});

it("leaves to YAML what is no split of this service", () => {
  expect(splitOf(rule([]), routing([])).kind).toBe("fixed");
  expect(splitOf(rule([to("v1", 50), to("v1", 50, false)]), routing([])).kind).toBe("fixed");
  expect(splitOf(rule([to("v1", 50), to(null, 50)]), routing([])).kind).toBe("fixed");
});

it("keeps subsets that stand for no version", () => {
  expect(
    weights(rule([to("v1", 40), { host: "reviews", ours: true, subset: "blue", version: null, weight: 60 }])),
  ).toEqual([
    ["v1", 40],
    ["v2", 0],
    ["v3", 0],
    ["blue", 60],
  ]);
});

it("says what moves", () => {
  const before = splitOf(rule([to("v1", 80), to("v2", 20)]), routing([])).parts;
  const after = splitOf(rule([to("v1", 70), to("v2", 20), to("v3", 10)]), routing([])).parts;
  expect(movedRates(before, after, 40)).toEqual([
    { version: "v1", rate: -4 },
    { version: "v3", rate: 4 },
  ]);
});

it("knows a service that is entered by gateways only", () => {
  const caller = (gateway: boolean, requestRate: number) => ({
    app: "a",
    namespace: "b",
    version: null,
    gateway,
    service: null,
    signals: { ...quiet, requestRate },
  });
  expect(entersByGatewaysOnly({ callers: [caller(true, 5), caller(false, 0)] })).toBe(true);
  expect(entersByGatewaysOnly({ callers: [caller(true, 5), caller(false, 1)] })).toBe(false);
  expect(entersByGatewaysOnly({ callers: [] })).toBe(false);
});

const quiet = {
  requestRate: 0,
  errorShare: 0,
  clientErrorShare: 0,
  latencyMsP50: null,
  latencyMsP90: null,
  latencyMsP95: null,
  latencyMsP99: null,
};

it("takes the service's figures for a rule's where all of its requests meet that rule", () => {
  const rest = rule([to("v1", 100)]);
  const some = { ...rest, index: 1, matches: ["uri prefix /api"] };
  const atGateway = { sole: true };
  expect(isMeasured(rest, routing([some, rest]), { sole: false })).toBe(true);
  expect(isMeasured(some, routing([some]), { sole: false })).toBe(false);
  expect(isMeasured(some, routing([some]), atGateway)).toBe(true);
  expect(isMeasured(some, routing([some, rest]), atGateway)).toBe(false);
});
