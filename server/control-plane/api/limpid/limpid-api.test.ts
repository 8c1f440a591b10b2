import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import {
  ChangeList,
  ChangeResult,
  FaultList,
  type KnownProxy,
  KnownProxyList,
  type MeshService,
  Routing,
} from "../../../contract/index.ts";
import { type ApiHarness, reviews, startApi, virtualServices } from "../testing/api-harness.ts";

const service = (name: string, versions: string[]): MeshService => ({
  namespace: "default",
  name,
  hostname: `${name}.default.svc.cluster.local`,
  external: false,
  ports: [{ name: "http", port: 9080, protocol: "HTTP" }],
  versions: versions.map((version) => ({ version, subset: null, workloads: [`${name}-${version}`], endpoints: [] })),
  virtualServices: [],
  destinationRules: [],
});

const gone: KnownProxy = {
  id: "sidecar~127.0.1.1~ratings-v1.default~default.svc.cluster.local",
  name: "ratings-v1",
  namespace: "default",
  address: "127.0.1.1",
  app: "ratings",
  version: "v1",
  kind: "sidecar",
  implementation: "envoy 1.40.0",
  protocol: "delta",
  connected: false,
  connectedAt: 1,
  disconnectedAt: 2,
  heldRevision: 3,
  identity: null,
  metricsPort: 15_090,
};

let api: ApiHarness;
let known: KnownProxy[];
beforeEach(async () => {
  known = [gone];
  api = await startApi({
    proxies: {
      list: () => known,
      forget(id) {
        if (id === "connected") return "connected";
        const size = known.length;
        known = known.filter((proxy) => proxy.id !== id);
        return known.length < size ? "forgotten" : "unknown";
      },
    },
    services: async () => [
      service("reviews", ["v1", "v2", "v3"]),
      service("ratings", ["v1"]),
      { ...service("partners", []), hostname: "alpha.partner.test" },
      { ...service("partners", []), hostname: "beta.partner.test" },
      { ...service("ratings", []), hostname: "ratings.vendor.test" },
    ],
    pushes: {
      get: (revision) => (revision === 7 ? ({ revision: 7 } as never) : undefined),
      latency: () => ({ sinceMs: 1, count: 3, p99Ms: 18 }),
      affected: () => 5,
    },
    metrics: () => "limpid_pushes_total 3\n",
  });
});
afterEach(() => api.close());

const routing = "/limpid/v1/services/default/reviews/routing";
const weights = async (shares: Record<string, number>, resourceVersion: string | null, query = "") =>
  api.call(
    "PUT",
    `${routing}/weights${query}`,
    { rule: 0, weights: shares, resourceVersion },
    { "x-limpid-user": "ada" },
  );

describe("routing", () => {
  test("weights: subsets and rules are made in one commit, and the history says it in few words", async () => {
    expect(Routing.parse((await api.call("GET", routing)).body)).toMatchObject({ virtualService: null, proxies: 5 });
    const made = await weights({ v1: 80, v2: 20 }, null);
    expect(made.status).toBe(200);
    const result = ChangeResult.parse(made.body);
    expect(result.objects.map((object) => object.kind).sort()).toEqual(["DestinationRule", "VirtualService"]);
    const now = Routing.parse((await api.call("GET", routing)).body);
    expect(now.rules[0]?.destinations.map(({ subset, weight }) => [subset, weight])).toEqual([
      ["v1", 80],
      ["v2", 20],
    ]);
    await weights({ v1: 70, v2: 20, v3: 10 }, now.virtualService?.resourceVersion ?? null);
    const { changes } = ChangeList.parse((await api.call("GET", "/limpid/v1/changes?limit=1")).body);
    expect(changes).toMatchObject([{ author: "ada", kind: "traffic", summary: "reviews 80/20/0 → 70/20/10" }]);
  });

  test("a dry run shows the YAML and stores nothing", async () => {
    const revision = await api.store.revision();
    const { body } = await weights({ v3: 100 }, null, "?dryRun=true");
    const virtualService = ChangeResult.parse(body).objects.find((object) => object.kind === "VirtualService");
    expect(body).toMatchObject({ dryRun: true, revision });
    expect(virtualService?.before).toBe("");
    expect(parse(virtualService?.after ?? "")).toMatchObject({ metadata: { name: "reviews" } });
    expect(await api.store.revision()).toBe(revision);
  });

  test("what is shown and edited is the VirtualService in force, of whatever namespace and age", async () => {
    const foreign = (name: string, exportTo: string[]) => ({
      ...reviews({ v1: 100 }, name, "platform"),
      spec: {
        hosts: ["reviews.default.svc.cluster.local"],
        http: [{ route: [{ destination: { host: "reviews.default.svc.cluster.local" } }] }],
        exportTo,
      },
    });
    const platform = { apiVersion: "v1", kind: "Namespace", metadata: { name: "platform" } };
    await api.call("POST", "/api/v1/namespaces", platform);
    const inPlatform = virtualServices.replace("default", "platform");
    await api.call("POST", inPlatform, foreign("a-hidden", ["."]));
    await api.call("POST", inPlatform, foreign("b-oldest", ["*"]));
    await api.call("POST", virtualServices, reviews({ v1: 100 }));
    const { virtualService, rules } = Routing.parse((await api.call("GET", routing)).body);
    expect(virtualService).toMatchObject({ namespace: "platform", name: "b-oldest" });
    expect(rules[0]?.destinations).toMatchObject([{ ours: true, subset: null }]);
    const result = ChangeResult.parse((await weights({ v2: 100 }, virtualService?.resourceVersion ?? null)).body);
    expect(result.objects.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`)).toContain(
      "VirtualService platform/b-oldest",
    );
  });

  test("a change made against an old version is refused by name", async () => {
    await weights({ v1: 100 }, null);
    const late = await weights({ v2: 100 }, "2");
    expect(late).toMatchObject({ status: 409, body: { code: "CONFLICT" } });
    expect(late.body.message).toContain("VirtualService/default/reviews");
  });

  test("wrong weights and unknown services", async () => {
    const wrong = await weights({ v1: 50, v9: 20 }, null);
    expect(wrong).toMatchObject({ status: 422, body: { code: "INVALID" } });
    expect(wrong.body.errors.map((error: { path: string }) => error.path).sort()).toEqual(["weights", "weights.v9"]);
    expect((await api.call("GET", "/limpid/v1/services/default/nobody/routing")).status).toBe(404);
  });
});

describe("faults", () => {
  const abort = {
    namespace: "default",
    service: "ratings",
    delay: null,
    abort: { percentage: 50, httpStatus: 503 },
    header: null,
    durationSec: 60,
  };

  test("inject, list, stop; each is in the history", async () => {
    const before = await api.store.list({ kind: "VirtualService" });
    expect((await api.call("POST", "/limpid/v1/faults", abort, { "x-limpid-user": "ada" })).status).toBe(200);
    const { faults } = FaultList.parse((await api.call("GET", "/limpid/v1/faults")).body);
    expect(faults).toMatchObject([{ service: "ratings", author: "ada", abort: { percentage: 50, httpStatus: 503 } }]);
    const stopped = await api.call("DELETE", `/limpid/v1/faults/${faults[0]?.id}`);
    expect(stopped.status).toBe(200);
    expect((await api.store.list({ kind: "VirtualService" })).items).toEqual(before.items);
    const { changes } = ChangeList.parse((await api.call("GET", "/limpid/v1/changes?limit=2")).body);
    expect(changes).toMatchObject([
      { kind: "fault-end", summary: "fault on ratings ended" },
      { kind: "fault-start", summary: "fault on ratings: 50 % 503" },
    ]);
    expect((await api.call("DELETE", `/limpid/v1/faults/${faults[0]?.id}`)).status).toBe(404);
  });

  test("a fault must do something, and every wrong field is told", async () => {
    const other = await api.call("POST", "/limpid/v1/faults?dryRun=true", { ...abort, service: "beta.partner.test" });
    const made = ChangeResult.parse(other.body).objects[0];
    expect([made?.name, parse(made?.after ?? "").spec.hosts]).toEqual(["beta.partner.test", ["beta.partner.test"]]);
    const vendor = await api.call("GET", "/limpid/v1/services/default/ratings.vendor.test/routing");
    expect(vendor.body).toMatchObject({ hostname: "ratings.vendor.test", virtualService: null });
    const nothing = await api.call("POST", "/limpid/v1/faults", { ...abort, abort: null });
    expect(nothing).toMatchObject({ status: 422, body: { code: "INVALID" } });
    const wrong = await api.call("POST", "/limpid/v1/faults", {
      ...abort,
      durationSec: 1,
      abort: { percentage: 200, httpStatus: 1 },
    });
    expect(wrong.body.errors.map((error: { path: string }) => error.path).sort()).toEqual([
      "abort.httpStatus",
      "abort.percentage",
      "durationSec",
    ]);
  });
});

describe("transactions", () => {
  const run = (body: object, query = "") => api.call("POST", `/limpid/v1/transactions${query}`, body);
  const put = (object: object) => ({ op: "put", object });

  test("all or nothing, with every error of every write", async () => {
    const bad = reviews({ v1: 1 }, "bad");
    const broken = { ...bad, spec: { ...bad.spec, nix: 1, http: [{ timeout: "soon" }] } };
    const answer = await run({
      writes: [put(reviews({ v1: 100 })), put(broken), put({ ...bad, kind: "WasmPlugin" })],
    });
    expect(answer.status).toBe(422);
    const paths = answer.body.errors.map((error: { path: string }) => error.path);
    expect(paths).toEqual(
      expect.arrayContaining([
        "writes[1].object.spec.nix",
        "writes[1].object.spec.http[0].timeout",
        "writes[2].object.kind",
      ]),
    );
    expect((await api.store.list({ kind: "VirtualService" })).items).toEqual([]);
  });

  test("a namespace may come with what is in it, and goes with it", async () => {
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
    const inside = reviews({ v1: 100 }, "reviews", "shop");
    expect((await run({ writes: [put(inside)] })).body.errors[0].message).toBe("there is no namespace shop");
    const made = await run({ writes: [put(inside), put(namespace)], reason: "open the shop" });
    expect(made.body.objects).toHaveLength(2);
    expect((await api.call("GET", "/limpid/v1/changes?limit=1")).body.changes[0].summary).toBe("open the shop");
    await run({ writes: [{ op: "delete", key: { kind: "Namespace", name: "shop" } }] });
    expect((await api.store.list({ namespace: "shop" })).items).toEqual([]);
  });

  test("apply leaves alone what others set and it doesn't name", async () => {
    await run({ writes: [{ op: "apply", object: reviews({ v1: 100 }) }] });
    await api.call(
      "PATCH",
      `${virtualServices}/reviews`,
      { metadata: { labels: { mine: "1" } } },
      { "content-type": "application/merge-patch+json" },
    );
    await run({ writes: [{ op: "apply", object: reviews({ v2: 100 }) }] });
    const object = await api.store.get({ kind: "VirtualService", namespace: "default", name: "reviews" });
    expect(object).toMatchObject({
      metadata: { labels: { mine: "1" } },
      spec: { http: [{ route: [{ destination: { subset: "v2" } }] }] },
    });
  });

  test("a precondition that fails is 409, the same object twice 422", async () => {
    await run({ writes: [put(reviews({ v1: 100 }))] });
    const late = await run({ writes: [{ ...put(reviews({ v2: 100 })), expect: "absent" }] });
    expect(late).toMatchObject({ status: 409, body: { code: "CONFLICT" } });
    const old = { ...reviews({ v2: 100 }), metadata: { name: "reviews", resourceVersion: "1" } };
    expect((await run({ writes: [put(old)] })).status).toBe(409);
    const twice = await run({ writes: [put(reviews({ v1: 100 })), put(reviews({ v2: 100 }))] });
    expect(twice.body.errors[0].path).toBe("writes[1]");
  });
});

describe("undo", () => {
  const undo = (revision: number, query = "") => api.call("POST", `/limpid/v1/changes/${revision}/undo${query}`, {});

  test("puts every object back, also a deleted one", async () => {
    await api.call("POST", virtualServices, reviews({ v1: 100 }));
    await weights({ v1: 50, v2: 50 }, String(await api.store.revision()));
    const shifted = await api.store.revision();
    expect((await undo(shifted, "?dryRun=true")).body).toMatchObject({ dryRun: true, revision: shifted });
    const undone = await undo(shifted);
    expect(undone.status).toBe(200);
    const get = () => api.store.get({ kind: "VirtualService", namespace: "default", name: "reviews" });
    expect((await get())?.spec).toEqual(reviews({ v1: 100 }).spec);
    expect((await api.store.list({ kind: "DestinationRule" })).items).toEqual([]);
    await api.call("DELETE", `${virtualServices}/reviews`);
    await undo(await api.store.revision());
    expect((await get())?.spec).toEqual(reviews({ v1: 100 }).spec);
  });

  test("is refused with who changed the object since; a dry run shows it, and `over` says that it was seen", async () => {
    await api.call("POST", virtualServices, reviews({ v1: 100, v2: 0 }));
    const made = await api.store.revision();
    await weights({ v1: 50, v2: 50 }, String(made));
    const shifted = await api.store.revision();
    await weights({ v1: 0, v2: 100 }, String(shifted));
    const newest = await api.store.revision();

    const late = await undo(shifted);
    expect(late).toMatchObject({ status: 409, body: { code: "CONFLICT" } });
    expect(late.body.message).toContain("VirtualService/default/reviews has been changed since (ada, revision");
    expect(late.body.message).toContain("reviews 50/50 → 0/100");
    expect((await undo(shifted, `?over=${made}`)).status).toBe(409);

    const dry = ChangeResult.parse((await undo(shifted, "?dryRun=true")).body);
    expect(dry.undo?.change.revision).toBe(shifted);
    expect(dry.undo?.since.map(({ revision }) => revision)).toEqual([newest]);
    expect(dry.shares).toEqual([
      expect.objectContaining({ subset: "v1", before: 0, after: 100 }),
      expect.objectContaining({ subset: "v2", before: 100, after: 0, endpoints: 0 }),
    ]);

    expect((await undo(shifted, `?over=${newest}`)).status).toBe(200);
    const { changes } = ChangeList.parse((await api.call("GET", "/limpid/v1/changes?limit=1")).body);
    expect(changes[0]?.summary).toBe(`undo of ${shifted}: reviews 0/100 → 100/0`);
    expect((await undo(999)).status).toBe(404);
  });

  test("the summary is of what the undo does, and warnings come along", async () => {
    await api.call("POST", virtualServices, reviews({ v1: 0, v2: 100 }));
    await weights({ v1: 100, v2: 0 }, String(await api.store.revision()));
    const shifted = await api.store.revision();
    const dry = ChangeResult.parse((await undo(shifted, "?dryRun=true")).body);
    expect(dry.warnings.map(({ path }) => path)).toContain("spec.http[0].route[0].destination.host");
    await undo(shifted);
    const { changes } = ChangeList.parse((await api.call("GET", "/limpid/v1/changes?limit=1")).body);
    expect(changes[0]?.summary).toBe(`undo of ${shifted}: reviews 100/0 → 0/100`);
  });
});

test("undo keeps namespaces whole", async () => {
  const undo = async (revision: number) => api.call("POST", `/limpid/v1/changes/${revision}/undo`, {});
  expect((await undo(2)).status).toBe(403); // it made the namespace default
  await api.call("POST", "/api/v1/namespaces", { metadata: { name: "shop" } });
  const made = await api.store.revision();
  const inShop = "/apis/networking.istio.io/v1/namespaces/shop/virtualservices";
  await api.call("POST", inShop, reviews({ v1: 100 }, "reviews", "shop"));
  const late = await undo(made);
  expect(late.body).toMatchObject({
    code: "CONFLICT",
    message: expect.stringContaining("VirtualService/shop/reviews"),
  });
  await api.call("DELETE", `${inShop}/reviews`);
  const deleted = await api.store.revision();
  await api.call("DELETE", "/api/v1/namespaces/shop");
  expect(await undo(deleted)).toMatchObject({ status: 404, body: { message: 'namespaces "shop" not found' } });
  await undo(await api.store.revision());
  expect((await undo(deleted)).status).toBe(200);
  expect((await api.store.list({ namespace: "shop" })).items).toHaveLength(1);
});

test("a service whose name a gateway's rule has gets a rule of another name", async () => {
  const entered = { ...reviews({ v1: 100 }), metadata: { name: "ratings", namespace: "default" } };
  entered.spec = { ...entered.spec, hosts: ["shop.test"], gateways: ["edge"] } as typeof entered.spec;
  expect((await api.call("POST", virtualServices, entered)).status).toBe(201);
  const fault = {
    namespace: "default",
    service: "ratings",
    delay: null,
    abort: { percentage: 50, httpStatus: 503 },
    header: null,
    durationSec: 60,
  };
  const made = ChangeResult.parse((await api.call("POST", "/limpid/v1/faults", fault)).body).objects;
  expect(made.map(({ name }) => name)).toEqual(["ratings-mesh"]);
  const { faults } = FaultList.parse((await api.call("GET", "/limpid/v1/faults")).body);
  expect(faults).toMatchObject([{ service: "ratings", virtualService: "ratings-mesh" }]);
});

test("pushes, health and unknown paths", async () => {
  expect((await api.call("GET", "/limpid/v1/pushes/7")).body).toEqual({ revision: 7 });
  expect(await api.call("GET", "/limpid/v1/pushes/latest")).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
  expect((await api.call("GET", "/limpid/v1/services")).body.slice(0, 2)).toMatchObject([
    { name: "reviews" },
    { name: "ratings" },
  ]);
  expect((await api.call("GET", "/healthz")).status).toBe(200);
  expect((await api.call("GET", "/readyz")).status).toBe(200);
  expect((await api.call("GET", "/limpid/v1/nothing")).body.code).toBe("NOT_FOUND");
});

test("metrics are Prometheus text", async () => {
  const answer = await fetch(`${api.url}/metrics`);
  expect(answer.headers.get("content-type")).toContain("text/plain; version=0.0.4");
  expect(await answer.text()).toBe("limpid_pushes_total 3\n");
});

test("proxies that are remembered can be listed, and forgotten when they are gone for good", async () => {
  const path = (id: string) => `/limpid/v1/proxies/${encodeURIComponent(id)}`;
  expect(KnownProxyList.parse((await api.call("GET", "/limpid/v1/proxies")).body)).toEqual({ proxies: [gone] });
  const connected = await api.call("DELETE", path("connected"));
  expect(connected).toMatchObject({ status: 409, body: { code: "CONFLICT" } });
  expect(connected.body.message).toContain("only a proxy that is gone");
  expect((await api.call("DELETE", path(gone.id))).body).toEqual({ proxies: [] });
  expect(await api.call("DELETE", path(gone.id))).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
});

test("tells Prometheus of every proxy that shows metrics, in its own form", async () => {
  known = [
    gone,
    { ...gone, id: "b", address: "fd00::2", metricsPort: 15_020 },
    { ...gone, id: "c", metricsPort: null },
  ];
  const labels = { pod: "ratings-v1", namespace: "default", app: "ratings", version: "v1", kind: "sidecar" };
  const { status, body } = await api.call("GET", "/limpid/v1/prometheus/targets");
  expect([status, body]).toEqual([
    200,
    [
      { targets: ["127.0.1.1:15090"], labels: { ...labels, __meta_limpid_node: gone.id } },
      { targets: ["[fd00::2]:15020"], labels: { ...labels, __meta_limpid_node: "b" } },
    ],
  ]);
});
