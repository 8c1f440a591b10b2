import { describe, expect, test } from "vitest";
import type { FaultRequest } from "../../contract/faults.ts";
import { fractionsFrom } from "../../lib/testing/random.ts";
import type { HTTPRoute } from "../kinds/index.ts";
import { parseObject } from "../kinds/index.ts";
import { injectFault, removeFault } from "./fault.ts";
import { expiredFaults, listFaults, nextFaultEnd, parseFaultId } from "./fault-list.ts";
import { faultsAnnotation } from "./fault-record.ts";
import type { ServiceRef, VirtualService } from "./service-host.ts";
import { setWeights } from "./weights.ts";

const reviews: ServiceRef = { namespace: "default", name: "reviews", hostname: "reviews.default.svc.cluster.local" };
type Request = Pick<FaultRequest, "delay" | "abort" | "header" | "source" | "durationSec">;
const abort503: Request = { delay: null, abort: { percentage: 50, httpStatus: 503 }, header: null, durationSec: 60 };
const jason: Request = {
  delay: { percentage: 100, fixedDelayMs: 2_500 },
  abort: null,
  header: { name: "End-User", exact: "jason" },
  durationSec: null,
};

const fromPage: Request = { ...abort503, source: { namespace: "default", app: "productpage", version: null } };

function virtualService(http: HTTPRoute[], hosts = ["reviews"]): VirtualService {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "reviews", namespace: "default", resourceVersion: "7", labels: { team: "books" } },
    spec: { hosts, http },
  };
}

const to = (subset: string, weight?: number) => ({ destination: { host: "reviews", subset }, weight });
const plain = () =>
  virtualService([
    { match: [{ uri: { prefix: "/api" } }], route: [to("v2")] },
    { route: [to("v1", 90), to("v2", 10)] },
  ]);

function inject(current: VirtualService | undefined, request: Request, id: string, now = 1_000): VirtualService {
  const result = injectFault(current, reviews, request, { id, now, author: "ann" });
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  expect(parseObject(result.value)).toMatchObject({ ok: true });
  return result.value;
}

function remove(current: VirtualService, ...ids: string[]): VirtualService | undefined {
  const result = removeFault(current, ...ids);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.value;
}

describe("injectFault", () => {
  test("sets the fault on every rule that has none", () => {
    const injected = inject(plain(), abort503, "a1");
    const fault = { abort: { percentage: { value: 50 }, httpStatus: 503 } };
    expect(injected.spec.http).toEqual(plain().spec.http?.map((rule) => ({ ...rule, fault })));
    expect(injected.metadata.labels).toEqual({ team: "books" });
  });

  test("for one caller, copies of the rules for its workload's labels go first, and leave with the fault", () => {
    const injected = inject(plain(), fromPage, "a1");
    const source = { sourceLabels: { app: "productpage" }, sourceNamespace: "default" };
    expect(injected.spec.http?.slice(0, 2)).toMatchObject([
      { name: "limpid-fault-a1-0", match: [{ uri: { prefix: "/api" }, ...source }] },
      { name: "limpid-fault-a1-1", match: [source], fault: { abort: { httpStatus: 503 } } },
    ]);
    expect(injected.spec.http?.slice(2)).toEqual(plain().spec.http);
    expect(listFaults([injected])).toMatchObject([
      { id: "default/reviews/a1", matches: ["from productpage in default"] },
    ]);
    expect(remove(injected, "a1")).toEqual(plain());
  });

  test("a caller's fault keeps to rules that its requests can meet", () => {
    const rules = virtualService([
      { match: [{ sourceLabels: { app: "other" } }, { gateways: ["mesh"] }], route: [to("v2")] },
      { match: [{ sourceNamespace: "default", uri: { exact: "/x" } }], route: [to("v1")] },
    ]);
    const injected = inject(rules, fromPage, "a1");
    expect(injected.spec.http?.map(({ name }) => name)).toEqual(["limpid-fault-a1-1", undefined, undefined]);
    const foreign = virtualService([{ match: [{ sourceNamespace: "other" }], route: [to("v1")] }]);
    expect(injectFault(foreign, reviews, fromPage, { id: "b", now: 1, author: "ann" })).toMatchObject({
      ok: false,
      errors: [{ path: "source", message: "no rule can match requests of productpage in default" }],
    });
  });

  test("two callers can have a fault each, one caller no two", () => {
    const one = inject(plain(), fromPage, "a1");
    const other: Request = { ...fromPage, source: { namespace: "default", app: "ratings", version: "v1" } };
    expect(listFaults([inject(one, other, "b2")])).toHaveLength(2);
    expect(injectFault(one, reviews, fromPage, { id: "b2", now: 1, author: "ann" })).toMatchObject({
      ok: false,
      errors: [{ path: "source", message: "fault a1 is for this caller already: stop it first" }],
    });
  });

  test("is refused where the rules are for TCP: it has no requests", () => {
    const { http: _, ...spec } = plain().spec;
    const tcp = { ...plain(), spec: { ...spec, tcp: [{ route: [to("v1")] }] } };
    expect(injectFault(tcp, reviews, abort503, { id: "a1", now: 1, author: "ann" })).toMatchObject({
      errors: [{ path: "service", message: expect.stringContaining("TCP or TLS rules only") }],
    });
  });

  test("for a header, copies of the rules that ask for it too go first", () => {
    const injected = inject(plain(), jason, "a1");
    const header = { headers: { "end-user": { exact: "jason" } } };
    expect(injected.spec.http?.slice(0, 2)).toEqual([
      {
        name: "limpid-fault-a1-0",
        match: [{ uri: { prefix: "/api" }, ...header }],
        route: [to("v2")],
        fault: { delay: { percentage: { value: 100 }, fixedDelay: "2500ms" } },
      },
      {
        name: "limpid-fault-a1-1",
        match: [header],
        route: [to("v1", 90), to("v2", 10)],
        fault: { delay: { percentage: { value: 100 }, fixedDelay: "2500ms" } },
      },
    ]);
    expect(injected.spec.http?.slice(2)).toEqual(plain().spec.http);
  });

  test("weighs the header against what rules ask of it already", () => {
    const rules: HTTPRoute[] = [
      {
        match: [{ headers: { "end-user": { exact: "kim" } } }, { headers: { "end-user": { prefix: "ja" } } }],
        route: [to("v1")],
      },
      { match: [{ headers: { "end-user": { regex: "k.*" } } }], route: [to("v2")] },
      { match: [{ withoutHeaders: { "end-user": {} } }], route: [to("v2")] },
      { match: [{ headers: { "end-user": {} }, uri: { exact: "/" } }], redirect: { uri: "/home" } },
      { route: [to("v3")] },
    ];
    const copies = inject(virtualService(rules), jason, "x").spec.http?.slice(0, -5) ?? [];
    expect(copies.map((rule) => [rule.name, rule.match, rule.fault !== undefined])).toEqual([
      ["limpid-fault-x-0", [{ headers: { "end-user": { exact: "jason" } } }], true],
      ["limpid-fault-x-3", [{ uri: { exact: "/" }, headers: { "end-user": { exact: "jason" } } }], false],
      ["limpid-fault-x-4", [{ headers: { "end-user": { exact: "jason" } } }], true],
    ]);
  });

  test("makes a VirtualService where there is none, which goes with its last fault", () => {
    const one = inject(undefined, abort503, "a1");
    expect(one.spec).toMatchObject({ hosts: ["reviews"], http: [{ route: [{ destination: { host: "reviews" } }] }] });
    const two = inject(one, jason, "b2");
    const left = remove(two, "a1");
    expect(left?.spec.http).toHaveLength(2);
    expect(remove(left as VirtualService, "b2")).toBeUndefined();
    expect(remove(two, "b2", "a1")).toBeUndefined();
  });

  test("a made VirtualService stays when somebody has put weights into it", () => {
    const made = inject(undefined, abort503, "a1");
    const versions = [{ version: "v1", subset: "v1" }];
    const shifted = setWeights(made, undefined, { service: reviews, rule: 0, weights: { v1: 100 }, versions });
    const edited = (shifted.ok ? shifted.value.at(-1) : undefined) as VirtualService;
    expect(edited.spec.http?.[0]).toMatchObject({ fault: { abort: { httpStatus: 503 } }, route: [{ weight: 100 }] });
    expect(remove(edited, "a1")?.spec.http).toEqual([
      { route: [{ destination: { host: "reviews", subset: "v1" }, weight: 100 }] },
    ]);
  });

  test("refuses what it could not do or take back", () => {
    const refused = (current: VirtualService | undefined, request: Request, id = "n") => {
      const result = injectFault(current, reviews, request, { id, now: 0, author: "ann" });
      return result.ok ? [] : result.errors.map((error) => error.path);
    };
    expect(refused(inject(plain(), abort503, "a1"), abort503)).toEqual(["service"]);
    expect(refused(inject(plain(), abort503, "a1"), jason, "a1")).toEqual(["id"]);
    expect(refused(inject(plain(), jason, "a1"), jason)).toEqual(["header"]);
    expect(refused(plain(), { ...jason, header: { name: "no good", exact: "x" } })).toEqual(["header.name"]);
    expect(refused(virtualService([{ redirect: { uri: "/" } }]), abort503)).toEqual(["service"]);
    expect(
      refused(virtualService([{ match: [{ headers: { "end-user": { exact: "kim" } } }], route: [to("v1")] }]), jason),
    ).toEqual(["header"]);
    expect(refused(virtualService([{ route: [to("v1")] }], ["reviews", "ratings"]), abort503)).toEqual(["service"]);
    expect(refused(virtualService([{ route: [to("v1")] }], ["reviews.default.svc.cluster.local"]), abort503)).toEqual(
      [],
    );
  });
});

describe("removeFault", () => {
  test("leaves what was written by hand, also a fault that looks the same", () => {
    const byHand = { abort: { percentage: { value: 50 }, httpStatus: 503 } };
    const mine = virtualService([
      { match: [{ uri: { exact: "/mine" } }], fault: byHand, route: [to("v1")] },
      { fault: { delay: { fixedDelay: "1s", percent: 5 } }, match: [{ port: 80 }], route: [to("v1")] },
      { route: [to("v2")] },
    ]);
    const injected = inject(mine, abort503, "a1");
    expect(injected.spec.http?.[2]?.fault).toEqual(byHand);
    expect(remove(injected, "a1")).toEqual(mine);
  });

  test("works after weights moved, rules were added and moved, and a value was changed", () => {
    const injected = inject(plain(), abort503, "a1");
    const [api, all] = injected.spec.http ?? [];
    const edited: VirtualService = {
      ...injected,
      spec: {
        ...injected.spec,
        http: [{ match: [{ port: 1 }], route: [to("v9")] }, { ...all, route: [to("v1", 1), to("v2", 99)] }, { ...api }],
      },
    };
    expect(remove(edited, "a1")?.spec.http).toEqual([
      { match: [{ port: 1 }], route: [to("v9")] },
      { route: [to("v1", 1), to("v2", 99)] },
      { match: [{ uri: { prefix: "/api" } }], route: [to("v2")] },
    ]);
    const changed = structuredClone(injected);
    const abort = changed.spec.http?.[0]?.fault?.abort;
    if (abort) abort.httpStatus = 500;
    expect(remove(changed, "a1")?.spec.http?.map((rule) => rule.fault?.abort?.httpStatus)).toEqual([500, undefined]);
  });

  test("takes one written by hand out by its index, and says when there is none", () => {
    const mine = virtualService([
      { route: [to("v1")] },
      { fault: { abort: { httpStatus: 500, percentage: { value: 1 } } }, route: [to("v2")] },
    ]);
    expect(remove(mine, "http-1")?.spec.http).toEqual([{ route: [to("v1")] }, { route: [to("v2")] }]);
    for (const id of ["http-0", "http-9", "nope", "__proto__"])
      expect(removeFault(mine, id)).toMatchObject({ ok: false });
  });

  test("inject and remove, in any order, give back what was there", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = fractionsFrom(seed);
      const original = randomVirtualService(random);
      let current = original;
      const live: string[] = [];
      for (let step = 0; step < 8; step++) {
        if (live.length > 0 && random() < 0.4) {
          const [id = ""] = live.splice(Math.floor(random() * live.length), 1);
          current = remove(current, id) as VirtualService;
          continue;
        }
        const id = `s${seed}n${step}`;
        const result = injectFault(current, reviews, randomRequest(random), { id, now: step, author: "ann" });
        if (!result.ok) continue;
        expect(weightsOf(result.value, original)).toEqual(weightsOf(original, original));
        current = result.value;
        live.push(id);
      }
      expect(listFaults([current]).filter((fault) => fault.author === "ann")).toHaveLength(live.length);
      const back = live.length > 0 ? remove(current, ...live) : current;
      expect(JSON.stringify(back), `seed ${seed}`).toBe(JSON.stringify(original));
    }
  });
});

describe("listFaults", () => {
  test("finds what Limpid injected and what was written by hand", () => {
    const hand: HTTPRoute = {
      match: [{ uri: { prefix: "/x" }, headers: { "end-user": { exact: "kim" } } }],
      fault: { delay: { fixedDelay: "7s", percent: 20 }, abort: { grpcStatus: "UNAVAILABLE" } },
      route: [to("v1")],
    };
    const faults = listFaults([
      inject(inject(virtualService([hand, { route: [to("v1")] }]), abort503, "a1", 5_000), jason, "b2", 6_000),
    ]);
    expect(faults).toMatchObject([
      expect.objectContaining({
        id: "default/reviews/a1",
        author: "ann",
        startedAt: 5_000,
        endsAt: 65_000,
        matches: [],
        abort: { ...abort503.abort, grpcStatus: null },
      }),
      expect.objectContaining({
        id: "default/reviews/b2",
        endsAt: null,
        matches: ["header end-user = jason"],
        delay: jason.delay,
      }),
      {
        id: "default/reviews/http-1",
        namespace: "default",
        service: "reviews",
        virtualService: "reviews",
        delay: { percentage: 20, fixedDelayMs: 7_000 },
        abort: { percentage: 0, httpStatus: null, grpcStatus: "UNAVAILABLE" },
        hostname: null,
        hosts: ["reviews"],
        through: ["mesh"],
        matches: ["uri prefix /x and header end-user = kim"],
        source: null,
        author: null,
        startedAt: null,
        endsAt: null,
      },
    ]);
    expect(parseFaultId("default/reviews/a1")).toEqual({ namespace: "default", virtualService: "reviews", id: "a1" });
    expect(parseFaultId("reviews/a1")).toBeUndefined();
  });

  test("knows which are over, and when the next one is", () => {
    const burning = inject(inject(plain(), abort503, "a1", 5_000), { ...jason, durationSec: 10 }, "b2", 6_000);
    expect(nextFaultEnd([plain(), burning])).toBe(16_000);
    expect(expiredFaults([burning], 15_999)).toEqual([]);
    expect(expiredFaults([burning], 16_000)).toEqual([{ virtualService: burning, ids: ["b2"], services: ["reviews"] }]);
    expect(expiredFaults([burning], 99_000)[0]?.ids).toEqual(["a1", "b2"]);
    expect(remove(burning, "a1", "b2")).toEqual(plain());
  });

  test("takes an annotation that it can't read for none", () => {
    for (const text of ["", "{", "[]", '{"faults":{"a":{}}}']) {
      const broken = plain();
      broken.metadata.annotations = { [faultsAnnotation]: text };
      expect(listFaults([broken])).toEqual([]);
      expect(inject(broken, abort503, "a1").spec.http?.every((rule) => rule.fault)).toBe(true);
    }
  });
});

/** The routes of the rules that were there from the beginning, which come last. */
const weightsOf = (current: VirtualService, original: VirtualService) =>
  current.spec.http?.slice(-(original.spec.http?.length ?? 0)).map((rule) => rule.route);

function randomRequest(random: () => number): Request {
  const pick = <T>(...values: T[]): T => values[Math.floor(random() * values.length)] as T;
  return {
    delay: pick(null, { percentage: pick(1, 50), fixedDelayMs: pick(250, 2_000) }),
    abort: { percentage: pick(1, 50), httpStatus: pick(500, 503) },
    header: pick(null, { name: "end-user", exact: pick("jason", "kim") }, { name: "x-canary", exact: "1" }),
    durationSec: pick(null, 5),
  };
}

function randomVirtualService(random: () => number): VirtualService {
  const chance = (share: number) => random() < share;
  const http = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, index): HTTPRoute => {
    const rule: HTTPRoute = {};
    if (chance(0.3)) rule.name = `rule-${index}`;
    if (chance(0.2)) rule.fault = { abort: { percentage: { value: 50 }, httpStatus: chance(0.5) ? 503 : 500 } };
    if (chance(0.6))
      rule.match = [
        { uri: { prefix: `/${index}` } },
        ...(chance(0.5) ? [{ headers: { "end-user": { prefix: "ja" } } }] : []),
      ];
    if (chance(0.2)) rule.timeout = "2s";
    rule.route = chance(0.5) ? [to("v1")] : [to("v1", Math.floor(random() * 99)), to("v2", 1)];
    return rule;
  });
  const original = virtualService(http);
  if (chance(0.3)) original.metadata.annotations = { note: "mine" };
  return original;
}
