import { join } from "node:path";
import { expect, it } from "vitest";
import { MeshService } from "../contract/services.ts";
import { loadCase } from "../translate/testing/cases.ts";
import { buildMesh } from "./mesh.ts";
import { meshServices } from "./mesh-services.ts";

const demo = loadCase(join(import.meta.dirname, "../translate/testdata/bookinfo-sidecar.in.yaml"));
const outside = loadCase(join(import.meta.dirname, "../translate/testdata/service-entries.in.yaml"));

it("describes services as the contract has them", () => {
  const services = meshServices(buildMesh([...demo.objects, ...outside.objects], 1));
  expect(MeshService.array().parse(services)).toEqual(services);
  expect(services.map((it) => it.name).slice(-3)).toEqual(["static", "vm", "hidden"]);
  expect(services.filter((it) => !it.external).map((it) => it.name)).toEqual([
    "productpage",
    "ratings",
    "reviews",
    "vm",
  ]);
});

it("tells versions with their subset, workloads and endpoints, and what routes them", () => {
  const [reviews] = meshServices(buildMesh(demo.objects, 1)).filter((it) => it.name === "reviews");
  expect(reviews).toEqual({
    namespace: "default",
    name: "reviews",
    hostname: "reviews.default.svc.cluster.local",
    external: false,
    ports: [{ name: "http", port: 9080, protocol: "HTTP" }],
    versions: ["v1", "v2", "v3"].map((version, index) => ({
      version,
      subset: version,
      workloads: [`reviews-${version}`],
      apps: ["reviews"],
      endpoints: [{ address: `127.0.1.${index + 2}`, port: 9080, workload: `reviews-${version}` }],
    })),
    virtualServices: ["default/reviews"],
    destinationRules: ["default/reviews"],
  });
});

it("counts a gateway's rules to the services that they send to, whatever hosts they are for", () => {
  const door = {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "door", namespace: "default" },
    spec: { hosts: ["*"], gateways: ["door"], http: [{ route: [{ destination: { host: "productpage" } }] }] },
  };
  const services = meshServices(buildMesh([...demo.objects, door], 1));
  const ruled = services.filter(({ virtualServices }) => virtualServices.includes("default/door"));
  expect(ruled.map(({ name }) => name)).toEqual(["productpage"]);
});

it("tells what health is judged by: the service's own word before the mesh's, figure by figure", () => {
  const annotated = demo.objects.map((object) =>
    object.kind === "Service" && object.metadata.name === "reviews"
      ? { ...object, metadata: { ...object.metadata, annotations: { "health.kiali.io/rate": "5XX,5,50" } } }
      : object,
  );
  const meshConfig = {
    apiVersion: "limpid.dev/v1alpha1",
    kind: "MeshConfig",
    metadata: {
      name: "default",
      namespace: "",
      annotations: { "health.kiali.io/rate": "5XX,1,2", "health.limpid.dev/latency-p95": "100ms,1s" },
    },
    spec: {},
  };
  const of = (name: string, ...objects: (typeof demo.objects)[number][]) =>
    meshServices(buildMesh(objects, 1)).find((it) => it.name === name)?.thresholds;
  const latencyMsP95 = { degraded: 100, failing: 1000 };
  const clientErrors = { degraded: 0.1, failing: 0.2 };
  expect(of("reviews", ...annotated, meshConfig)).toEqual({
    errors: { degraded: 0.05, failing: 0.5 },
    clientErrors,
    latencyMsP95,
  });
  expect(of("ratings", ...annotated, meshConfig)).toEqual({
    errors: { degraded: 0.01, failing: 0.02 },
    clientErrors,
    latencyMsP95,
  });
  expect(of("ratings", ...annotated)).toBeUndefined();
});
