import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ChangeResult, FaultList, type MeshService, Routing } from "../../../contract/index.ts";
import { type ApiHarness, startApi } from "../testing/api-harness.ts";

const service = (name: string): MeshService => ({
  namespace: "default",
  name,
  hostname: `${name}.default.svc.cluster.local`,
  external: false,
  ports: [{ name: "http", port: 9080, protocol: "HTTP" }],
  versions: ["v1", "v2"].map((version) => ({ version, subset: null, workloads: [], endpoints: [] })),
  virtualServices: [],
  destinationRules: [],
});

const istio = (kind: string, name: string, spec: object) => ({
  apiVersion: "networking.istio.io/v1",
  kind,
  metadata: { name, namespace: "default" },
  spec,
});
const to = (host: string) => ({ route: [{ destination: { host } }] });
const gateway = istio("Gateway", "edge", {
  selector: { istio: "ingressgateway" },
  servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
});
const entrance = istio("VirtualService", "shop", {
  hosts: ["shop.test"],
  gateways: ["edge"],
  http: [
    { match: [{ uri: { prefix: "/login" } }], ...to("login") },
    { match: [{ uri: { prefix: "/shop" } }], ...to("productpage") },
  ],
});

let api: ApiHarness;
beforeEach(async () => {
  api = await startApi({
    services: async () => [service("productpage"), service("login")],
    gatewayProxies: () => [
      {
        namespace: "default",
        canonicalService: "istio-ingressgateway",
        labels: { istio: "ingressgateway", app: "istio-ingressgateway" },
      },
    ],
  });
  await put(gateway, entrance);
});
afterEach(() => api.close());

const put = (...objects: object[]) =>
  api.call("POST", "/limpid/v1/transactions", { writes: objects.map((object) => ({ op: "put", object })) });
const spec = async (name: string) =>
  (await api.store.get({ kind: "VirtualService", namespace: "default", name }))?.spec as {
    http: { fault?: object; name?: string; route: object[]; match?: object[] }[];
  };
const fault = {
  namespace: "default",
  service: "productpage",
  delay: null,
  abort: { percentage: 50, httpStatus: 503 },
  header: null,
  durationSec: null,
};
const inject = (changes: object = {}, query = "") =>
  api.call("POST", `/limpid/v1/faults${query}`, { ...fault, ...changes });
const faults = async () => FaultList.parse((await api.call("GET", "/limpid/v1/faults")).body).faults;

describe("a fault on a service that is entered through a gateway", () => {
  test("goes into the gateway's rule and the mesh's, the dry run says so, and one stop ends both", async () => {
    const dry = ChangeResult.parse((await inject({}, "?dryRun=true")).body);
    expect(dry.objects.map(({ name, through }) => [name, through])).toEqual([
      ["productpage", ["mesh"]],
      ["shop", ["default/edge"]],
    ]);
    expect((await inject()).status).toBe(200);
    const rules = (await spec("shop")).http;
    expect(rules.map((rule) => rule.fault !== undefined)).toEqual([false, true]);
    const [listed, ...others] = await faults();
    expect(others).toEqual([]);
    expect(listed).toMatchObject({
      service: "productpage",
      hostname: "productpage.default.svc.cluster.local",
      through: ["mesh", "default/edge"],
    });
    expect((await api.call("DELETE", `/limpid/v1/faults/${listed?.id}`)).status).toBe(200);
    expect(await faults()).toEqual([]);
    expect(await spec("shop")).toEqual(entrance.spec);
    expect(await spec("productpage")).toBeUndefined();
  });

  test("for a header: copies of every rule keep their order, and other services have no fault", async () => {
    await inject({ through: ["default/edge"], header: { name: "end-user", exact: "jason" } });
    const rules = (await spec("shop")).http;
    expect(rules.map((rule) => [rule.match?.[0], rule.fault !== undefined])).toMatchObject([
      [{ uri: { prefix: "/login" }, headers: { "end-user": { exact: "jason" } } }, false],
      [{ uri: { prefix: "/shop" }, headers: { "end-user": { exact: "jason" } } }, true],
      [{ uri: { prefix: "/login" } }, false],
      [{ uri: { prefix: "/shop" } }, false],
    ]);
    expect(await spec("productpage")).toBeUndefined();
  });

  test("whose caller is the gateway goes into the gateway's rule alone; any other caller's into the mesh's", async () => {
    const source = { namespace: "default", app: "istio-ingressgateway", version: null };
    await inject({ source });
    expect((await faults()).map(({ through }) => through)).toEqual([["default/edge"]]);
    await inject({ source: { ...source, app: "reviews" } });
    expect((await faults()).map(({ through }) => through)).toEqual([["mesh"], ["default/edge"]]);
  });

  test("of one service doesn't end with the same fault of another", async () => {
    await inject({ through: ["default/edge"] });
    await inject({ through: ["default/edge"], service: "login" });
    const [first] = await faults();
    await api.call("DELETE", `/limpid/v1/faults/${first?.id}`);
    expect((await spec("shop")).http.map((rule) => rule.fault !== undefined)).toEqual([true, false]);
  });

  test("where no rule is in force there", async () => {
    const answer = await inject({ through: ["other/gateway"] });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: "through" }] } });
    expect(answer.body.message).toContain("it is entered by mesh, default/edge");
  });
});

test("a gateway's rule by hand is listed with the service that it hits, and gRPC's status as such", async () => {
  const http = [{ ...to("productpage"), fault: { abort: { grpcStatus: "UNAVAILABLE", percentage: { value: 10 } } } }];
  await put({ ...entrance, spec: { ...entrance.spec, http } });
  expect(await faults()).toMatchObject([
    {
      service: "productpage",
      hosts: ["shop.test"],
      through: ["default/edge"],
      abort: { percentage: 10, httpStatus: null, grpcStatus: "UNAVAILABLE" },
    },
  ]);
});

describe("weights of a service that is entered through a gateway", () => {
  const path = "/limpid/v1/services/default/productpage/routing";
  const setWeights = (body: object, query = "") => api.call("PUT", `${path}/weights${query}`, body);

  test("routing lists the entrance, and weights go into its rule, or into both at once", async () => {
    const routing = Routing.parse((await api.call("GET", path)).body);
    expect(routing.entrances).toMatchObject([
      { name: "shop", hosts: ["shop.test"], gateways: ["default/edge"], rules: [{ index: 1 }] },
    ]);
    const resourceVersion = routing.entrances[0]?.resourceVersion ?? "";
    const shop = { virtualService: { namespace: "default", name: "shop" }, rule: 1, resourceVersion };
    const weights = { v1: 90, v2: 10 };
    const dry = ChangeResult.parse((await setWeights({ weights, ...shop }, "?dryRun=true")).body);
    expect(dry.objects.map(({ kind, through }) => [kind, through])).toEqual([
      ["DestinationRule", undefined],
      ["VirtualService", ["default/edge"]],
    ]);
    const both = await setWeights({ weights, rule: 0, resourceVersion: null, also: [shop] });
    expect(ChangeResult.parse(both.body).objects.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "DestinationRule productpage",
      "VirtualService productpage",
      "VirtualService shop",
    ]);
    expect((await spec("shop")).http[1]?.route).toMatchObject([{ weight: 90 }, { weight: 10 }]);
    expect((await spec("shop")).http[0]?.route).toEqual(to("login").route);
    const late = await setWeights({ weights, ...shop });
    expect(late.status).toBe(409);
  });

  test("a VirtualService that sends nothing to the service is refused by name", async () => {
    const body = { weights: { v1: 100 }, rule: 0, resourceVersion: "1", virtualService: { namespace: "x", name: "y" } };
    expect(await setWeights(body)).toMatchObject({ status: 422, body: { errors: [{ path: "virtualService" }] } });
  });
});
