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
