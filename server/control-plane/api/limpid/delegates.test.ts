import { afterEach, beforeEach, expect, test } from "vitest";
import { ChangeResult, FaultList, GatewayList, type MeshService, Routing } from "../../../contract/index.ts";
import { type ApiHarness, startApi } from "../testing/api-harness.ts";

const hostname = "reviews.team.svc.cluster.local";
const reviews: MeshService = {
  namespace: "team",
  name: "reviews",
  hostname,
  external: false,
  ports: [{ name: "http", port: 9080, protocol: "HTTP" }],
  versions: ["v1", "v2"].map((version) => ({ version, subset: version, workloads: [], endpoints: [] })),
  virtualServices: [],
  destinationRules: [],
};
const istio = (kind: string, name: string, spec: object, namespace = "team") => ({
  apiVersion: "networking.istio.io/v1",
  kind,
  metadata: { name, namespace },
  spec,
});
const share = (v1: number) => [
  { destination: { host: "reviews", subset: "v1" }, weight: v1 },
  { destination: { host: "reviews", subset: "v2" }, weight: 100 - v1 },
];
const part = istio("VirtualService", "part", {
  http: [
    { match: [{ uri: { prefix: "/elsewhere" } }], route: share(50) },
    { match: [{ uri: { prefix: "/reviews/new" } }], route: share(50) },
    { route: share(100) },
  ],
});
const delegated = { match: [{ uri: { prefix: "/reviews" } }], delegate: { name: "part", namespace: "team" } };
const inMeshRules = [delegated, { route: share(100) }];
const inMesh = istio("VirtualService", "reviews", { hosts: ["reviews"], http: inMeshRules });
const atGateway = istio(
  "VirtualService",
  "shop",
  { hosts: ["shop.test"], gateways: ["edge"], http: [delegated] },
  "default",
);
const objects = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "team" } },
  istio(
    "Gateway",
    "edge",
    { selector: { istio: "door" }, servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }] },
    "default",
  ),
  istio("Service", "reviews", { selector: { app: "reviews" }, ports: [{ port: 9080, name: "http" }] }),
  istio("DestinationRule", "reviews", {
    host: "reviews",
    subsets: ["v1", "v2"].map((version) => ({ name: version, labels: { version } })),
  }),
  part,
];

let api: ApiHarness;
beforeEach(async () => {
  api = await startApi({ services: async () => [reviews], gatewayProxies: () => [] });
  await put(...objects.map((one) => (one.kind === "Service" ? { ...one, apiVersion: "v1" } : one)));
});
afterEach(() => api.close());

async function put(...all: object[]): Promise<void> {
  const writes = all.map((object) => ({ op: "put", object }));
  const { status, body } = await api.call("POST", "/limpid/v1/transactions", { writes });
  expect(status, JSON.stringify(body)).toBe(200);
}
const routing = async () => Routing.parse((await api.call("GET", "/limpid/v1/services/team/reviews/routing")).body);
const httpOf = async (name: string, namespace = "team") => {
  const found = await api.store.get({ kind: "VirtualService", namespace, name });
  return (found?.spec.http ?? []) as Record<string, unknown>[];
};

test("a service's rules name their delegate, whose rules are shown with those that are in force, and edited", async () => {
  await put(inMesh);
  const { rules, delegates = [] } = await routing();
  expect(rules.map(({ delegate, destinations }) => [delegate, destinations.length])).toEqual([
    [{ namespace: "team", name: "part" }, 0],
    [undefined, 2],
  ]);
  const [one, ...others] = delegates;
  expect(others).toEqual([]);
  expect(one).toMatchObject({
    name: "part",
    hosts: ["reviews"],
    gateways: [],
    roots: [{ namespace: "team", name: "reviews" }],
  });
  // What the root does not let through is in force nowhere.
  expect(
    one?.rules.map(({ index, destinations }) => [index, destinations.map(({ ours, version }) => [ours, version])]),
  ).toEqual([
    [
      1,
      [
        [true, "v1"],
        [true, "v2"],
      ],
    ],
    [
      2,
      [
        [true, "v1"],
        [true, "v2"],
      ],
    ],
  ]);
  const weights = {
    rule: 2,
    weights: { v1: 30, v2: 70 },
    resourceVersion: one?.resourceVersion,
    virtualService: { namespace: "team", name: "part" },
  };
  const written = await api.call("PUT", "/limpid/v1/services/team/reviews/routing/weights", weights);
  expect(ChangeResult.parse(written.body).shares).toMatchObject([
    { virtualService: "team/part", rule: 2, subset: "v1", before: 100, after: 30 },
    { virtualService: "team/part", rule: 2, subset: "v2", before: 0, after: 70 },
  ]);
  expect((await httpOf("part"))[2]?.route).toEqual(share(30));
  expect(await httpOf("reviews")).toEqual(inMeshRules);
});

test("a fault on its requests goes into the rule that hands over, from which the delegate's take it", async () => {
  await put(inMesh);
  const fault = {
    namespace: "team",
    service: "reviews",
    delay: null,
    abort: { percentage: 50, httpStatus: 503 },
    header: null,
    durationSec: null,
  };
  expect((await api.call("POST", "/limpid/v1/faults", fault)).status).toBe(200);
  expect((await httpOf("reviews")).map((rule) => rule.fault !== undefined)).toEqual([true, true]);
  expect((await httpOf("part")).some((rule) => rule.fault !== undefined)).toBe(false);
  const { faults } = FaultList.parse((await api.call("GET", "/limpid/v1/faults")).body);
  await api.call("DELETE", `/limpid/v1/faults/${faults[0]?.id}`);
  expect(await httpOf("reviews")).toEqual(inMeshRules);
});

test("at a gateway the delegate is what sends to the service: an entrance, with its root's hosts and gateways", async () => {
  await put(atGateway);
  const { entrances, delegates } = await routing();
  expect(delegates).toEqual([]);
  expect(entrances).toMatchObject([
    {
      namespace: "team",
      name: "part",
      hosts: ["shop.test"],
      gateways: ["default/edge"],
      roots: [{ namespace: "default", name: "shop" }],
    },
  ]);
  expect(entrances[0]?.rules.map(({ index }) => index)).toEqual([1, 2]);
  const fault = {
    namespace: "team",
    service: "reviews",
    delay: null,
    abort: { percentage: 50, httpStatus: 503 },
    header: null,
    durationSec: null,
  };
  const dry = ChangeResult.parse(
    (await api.call("POST", "/limpid/v1/faults?dryRun=true", { ...fault, through: ["default/edge"] })).body,
  );
  expect(dry.objects.map(({ name }) => name)).toEqual(["part"]);
  await api.call("POST", "/limpid/v1/faults", { ...fault, through: ["default/edge"] });
  const { faults } = FaultList.parse((await api.call("GET", "/limpid/v1/faults")).body);
  expect(faults).toMatchObject([{ service: "reviews", hosts: ["shop.test"], through: ["default/edge"] }]);
  const { gateways } = GatewayList.parse((await api.call("GET", "/limpid/v1/gateways")).body);
  expect(gateways[0]?.routes.map(({ virtualService, rule }) => [virtualService.name, rule.index])).toEqual([
    ["part", 1],
    ["part", 2],
  ]);
});
