import { expect, it } from "vitest";
import type { ProxySync, SyncState } from "../../server/contract/index.ts";
import {
  clusterHost,
  filterProxies,
  fleetCounts,
  parseOrigin,
  refusedResources,
  refusedRevision,
  worstFirst,
  worstState,
} from "./sync-state.ts";

const type = (state: SyncState, errors: ProxySync["types"]["LDS"]["errors"] = []) => ({
  state,
  resources: 1,
  sinceMs: 1000,
  errors,
});
const proxy = (
  name: string,
  states: Partial<ProxySync["types"]> = {},
  kind: ProxySync["kind"] = "sidecar",
): ProxySync => ({
  id: `sidecar~${name}`,
  name,
  namespace: "default",
  address: "127.0.1.1",
  app: name,
  version: "v1",
  kind,
  implementation: "envoy 1.40.0",
  protocol: "delta",
  connected: true,
  connectedAt: 0,
  disconnectedAt: null,
  heldRevision: null,
  identity: null,
  certificate: null,
  usage: null,
  types: {
    LDS: type("SYNCED"),
    RDS: type("SYNCED"),
    VHDS: type("NOT_SENT"),
    CDS: type("SYNCED"),
    EDS: type("SYNCED"),
    SDS: type("NOT_SENT"),
    ECDS: type("NOT_SENT"),
    RTDS: type("NOT_SENT"),
    ...states,
  },
});

it("takes the worst type for the proxy's state", () => {
  expect(worstState(proxy("a"))).toBe("SYNCED");
  expect(worstState(proxy("a", { EDS: type("STALE") }))).toBe("STALE");
  expect(worstState(proxy("a", { EDS: type("STALE"), RDS: type("ERROR") }))).toBe("ERROR");
});

it("counts each proxy once", () => {
  const fleet = [
    proxy("a"),
    proxy("b", { EDS: type("STALE"), RDS: type("ERROR") }),
    proxy("c", { CDS: type("STALE") }),
  ];
  expect(fleetCounts(fleet)).toEqual({ total: 3, inSync: 1, refused: 1, lagging: 1, disconnected: 0 });
});

it("counts a proxy that is gone as one of the fleet, out of sync, and puts it first", () => {
  const gone = { ...proxy("c"), connected: false, disconnectedAt: 5, heldRevision: 3 };
  const fleet = [proxy("a"), proxy("b", { CDS: type("STALE") }), gone];
  expect(fleetCounts(fleet)).toEqual({ total: 3, inSync: 1, refused: 0, lagging: 1, disconnected: 1 });
  expect(fleet.toSorted(worstFirst).map(({ name }) => name)).toEqual(["c", "b", "a"]);
  const out = filterProxies(fleet, { kind: null, client: null, onlyOutOfSync: true, text: "" });
  expect(out.map(({ name }) => name)).toEqual(["b", "c"]);
});

it("names every refused resource and where it comes from", () => {
  const origin = "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews";
  const errors = [
    { resource: "http_proxy/reviews", detail: "bad regex", origin, refusedAtMs: 9, inForceSinceMs: 4 },
    { resource: "other", detail: "unknown", origin: null, refusedAtMs: 9, inForceSinceMs: null },
  ];
  expect(refusedResources([proxy("a"), proxy("b", { VHDS: type("ERROR", errors) })])).toMatchObject([
    { type: "VHDS", resource: "http_proxy/reviews", origin: { kind: "VirtualService", name: "reviews" } },
    { resource: "other", origin: null },
  ]);
});

it("says once what many proxies refused for the same reason", () => {
  const error = { resource: "x", detail: "no", origin: null, refusedAtMs: 9, inForceSinceMs: 4 };
  const refusing = (name: string, over: Partial<typeof error> = {}) =>
    proxy(name, { CDS: type("ERROR", [{ ...error, ...over }]) });
  const groups = refusedResources([
    refusing("a"),
    refusing("b", { refusedAtMs: 7, inForceSinceMs: 2 }),
    refusing("c", { detail: "other" }),
  ]);
  expect(groups.map(({ proxies, detail }) => [proxies.map(({ name }) => name), detail])).toEqual([
    [["a", "b"], "no"],
    [["c"], "other"],
  ]);
  expect(groups[0]).toMatchObject({ refusedAtMs: 7, inForceSinceMs: 4 });
});

it("reads origins, and nothing else", () => {
  expect(parseOrigin("/apis/networking.istio.io/v1/namespaces/a/destination-rule/b")).toEqual({
    kind: "DestinationRule",
    namespace: "a",
    name: "b",
  });
  expect(parseOrigin("nonsense")).toBeNull();
});

it("reads the service out of a cluster's name", () => {
  expect(clusterHost("outbound|80||api.vendor.test")).toBe("api.vendor.test");
  expect(clusterHost("inbound|9080||")).toBeNull();
});

it("filters by kind, client, trouble and text", () => {
  const shop = { ...proxy("shop"), implementation: "limpid-sdk 0.1.0" };
  const fleet = [proxy("reviews-v1"), proxy("ingress", {}, "gateway"), proxy("ratings", { CDS: type("STALE") }), shop];
  const names = (filter: Partial<Parameters<typeof filterProxies>[1]>) =>
    filterProxies(fleet, { kind: null, client: null, onlyOutOfSync: false, text: "", ...filter }).map(
      ({ name }) => name,
    );
  expect(names({})).toEqual(["reviews-v1", "ingress", "ratings", "shop"]);
  expect(names({ kind: "sidecar" })).toEqual(["reviews-v1", "ratings"]);
  expect(names({ client: "sdk" })).toEqual(["shop"]);
  expect(names({ client: "envoy", kind: "gateway" })).toEqual(["ingress"]);
  expect(names({ kind: "gateway" })).toEqual(["ingress"]);
  expect(names({ onlyOutOfSync: true })).toEqual(["ratings"]);
  expect(names({ text: " REV" })).toEqual(["reviews-v1"]);
});

it("finds the revision that was refused: the object's newest change by then", () => {
  const origin = { kind: "VirtualService", namespace: "default", name: "reviews" };
  const change = (revision: number, name: string) => ({
    revision,
    at: revision * 100,
    author: "ana",
    words: [],
    summary: "",
    kind: "config" as const,
    objects: [{ type: "MODIFIED" as const, kind: "VirtualService", namespace: "default", name }],
  });
  const newestFirst = [change(9, "reviews"), change(8, "ratings"), change(7, "reviews"), change(3, "reviews")];
  expect(refusedRevision({ origin, refusedAtMs: 850 }, newestFirst)?.revision).toBe(7);
  expect(refusedRevision({ origin: null, refusedAtMs: 850 }, newestFirst)).toBeNull();
  expect(refusedRevision({ origin, refusedAtMs: 200 }, newestFirst)).toBeNull();
});
