import { describe, expect, it } from "vitest";
import type { ServiceMetrics, Signals } from "../../server/contract/index.ts";
import { FaultRequest } from "../../server/contract/index.ts";
import {
  type FaultDraft,
  faultedProxies,
  firstDraft,
  impactOf,
  parseSource,
  placesOf,
  sourceChoices,
  sourceText,
  toRequest,
} from "./fault-draft.ts";

const ratings = { namespace: "default", name: "ratings" };
const signals = (requestRate: number): Signals => ({
  requestRate,
  errorShare: 0,
  clientErrorShare: 0,
  latencyMsP50: null,
  latencyMsP90: null,
  latencyMsP95: null,
  latencyMsP99: null,
});
const metrics: ServiceMetrics = {
  at: 0,
  windowSec: 60,
  stepSec: 1,
  fromMs: 0,
  dataFromMs: 0,
  workloads: [],
  series: [],
  totals: { all: signals(10) },
  observedShares: {},
  callers: [
    { app: "reviews", namespace: "default", version: "v3", gateway: false, service: null, signals: signals(4) },
    { app: "reviews", namespace: "default", version: "v2", gateway: false, service: null, signals: signals(6) },
    { app: "idle", namespace: "default", version: null, gateway: false, service: null, signals: signals(0) },
  ],
};

it("makes a request that the contract takes", () => {
  const request = toRequest(firstDraft, ratings);
  expect(FaultRequest.parse(request)).toEqual({
    namespace: "default",
    service: "ratings",
    delay: { percentage: 50, fixedDelayMs: 2000 },
    abort: null,
    header: null,
    durationSec: 300,
  });
});

it("makes none while something is missing", () => {
  expect(toRequest({ ...firstDraft, delay: { ...firstDraft.delay, on: false } }, ratings)).toBeNull();
  expect(toRequest({ ...firstDraft, delay: { ...firstDraft.delay, fixedDelayMs: null } }, ratings)).toBeNull();
  expect(toRequest({ ...firstDraft, header: { on: true, name: " ", exact: "x" } }, ratings)).toBeNull();
});

it("counts each request once, whether delayed, aborted or both", () => {
  const both = { ...firstDraft, abort: { on: true, percentage: 50, httpStatus: 503 } };
  expect(impactOf(firstDraft, metrics).perMinute).toBeCloseTo(300);
  expect(impactOf(both, metrics).perMinute).toBeCloseTo(450);
});

it("names who is hit, most first, and says when a header limits it", () => {
  const impact = impactOf({ ...firstDraft, header: { on: true, name: "end-user", exact: "jason" } }, metrics);
  expect(impact.callers.map(({ version, perMinute }) => [version, Math.round(perMinute)])).toEqual([
    ["v2", 180],
    ["v3", 120],
  ]);
  expect(impact.atMost).toBe(true);
});

it("spares who calls by a gateway where no rule of it is written, and who has no proxy to inject anything", () => {
  const [first] = metrics.callers;
  if (!first) throw new Error("no caller");
  const byGateway = { ...first, app: "ingress", gateway: true, signals: signals(8) };
  const nobody = { ...first, app: "unknown", version: null, signals: signals(1) };
  const entered = { ...metrics, callers: [byGateway, nobody] };
  const object = (through: string[]) => ({
    kind: "VirtualService",
    namespace: "a",
    name: "b",
    before: "",
    after: "",
    through,
  });
  const mesh = impactOf(firstDraft, entered, placesOf([object(["mesh"])]));
  expect([mesh.perMinute, mesh.callers, mesh.spared]).toEqual([0, [], ["ingress", "unknown"]]);
  const both = impactOf(firstDraft, entered, placesOf([object(["mesh"]), object(["default/edge"])]));
  expect([both.perMinute, both.spared]).toEqual([240, ["unknown"]]);
});

describe("one caller only", () => {
  const reviews = { namespace: "default", app: "reviews", version: null };
  const draft: FaultDraft = { ...firstDraft, source: { on: true, caller: reviews } };

  it("is asked for, hits that caller's requests alone, and is incomplete without one", () => {
    expect(toRequest(draft, ratings)?.source).toEqual(reviews);
    expect(toRequest({ ...draft, source: { on: true, caller: null } }, ratings)).toBe(null);
    const both = impactOf(draft, metrics);
    expect(both.perMinute).toBe(300);
    const v3 = impactOf({ ...draft, source: { on: true, caller: { ...reviews, version: "v3" } } }, metrics);
    expect([v3.perMinute, v3.callers.map(({ version }) => version)]).toEqual([120, ["v3"]]);
  });

  it("can be each caller, and each version where there are several", () => {
    const caller = (app: string, version: string | null) => ({ ...metrics.callers[0], app, version });
    const unknown = caller("unknown", null);
    const callers = [caller("reviews", "v3"), caller("page", "v1"), caller("reviews", "v2"), unknown];
    expect(sourceChoices(callers as typeof metrics.callers).map(sourceText)).toEqual([
      "default/reviews",
      "default/reviews/v2",
      "default/reviews/v3",
      "default/page",
    ]);
  });

  it("stands in the address", () => {
    expect(parseSource("default/reviews/v3")).toEqual({ ...reviews, version: "v3" });
    expect(parseSource("default/reviews")).toEqual(reviews);
    for (const bad of [null, "", "reviews", "a/b/c/d", "/b"]) expect(parseSource(bad)).toBe(null);
  });
});

it("counts the proxies that would inject it, not all that get something new", () => {
  const host = (after: string, ...proxies: string[]) =>
    ({ type: "VHDS", name: "http_proxy/ratings", before: "", after, proxies }) as const;
  const fault =
    "typedPerFilterConfig:\n  envoy.filters.http.fault:\n    '@type': type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault\n";
  const resources = [host(fault, "reviews-v2"), host("routes: []\n", "reviews-v1", "details-v1")].map((one) => ({
    ...one,
    proxies: [...one.proxies],
  }));
  expect(faultedProxies({ resources, more: 0, proxies: [], unseen: 0 })).toEqual(["reviews-v2"]);
});
