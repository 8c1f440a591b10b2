import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { keyOf } from "../config/object.ts";
import type { ConfigChange } from "../config/store.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { objectsOf, proxyOf } from "../translate/testing/cases.ts";
import { createMeshPipeline } from "./pipeline.ts";
import { previewChange } from "./preview.ts";

const service = (name: string) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 9080 }] }
---`;

const rule = (weight: number) => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http: [{ route: [{ destination: { host: reviews, subset: v1 }, weight: ${weight} }, { destination: { host: reviews, subset: v2 }, weight: ${100 - weight} }] }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec: { host: reviews, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
`;

const sidecar = (app: string, delta = true, ip = "127.0.1.1"): MeshProxy =>
  proxyOf({
    id: `sidecar~${ip}~${app}.default~default.svc.cluster.local`,
    metadata: { LABELS: { app }, INTERCEPTION_MODE: "NONE" },
    delta,
  });

const pipelineWith = (yaml: string) => {
  const pipeline = createMeshPipeline();
  pipeline.reset(objectsOf(yaml), 1);
  return pipeline;
};

function modified(before: string, after: string): ConfigChange[] {
  const old = objectsOf(before);
  return objectsOf(after).flatMap((object, i) => {
    const was = old[i];
    if (!was || JSON.stringify(was) === JSON.stringify(object)) return [];
    return [{ type: "MODIFIED" as const, key: keyOf(object), before: was, after: object }];
  });
}

const mesh = `${service("reviews")}${service("ratings")}${rule(80)}`;
const weightsIn = (yaml: string): number[] =>
  parse(yaml).routes[0].route.weightedClusters.clusters.map(({ weight }: { weight: number }) => weight);

describe("a preview", () => {
  it("compares with the mesh after commits that are not pushed yet", async () => {
    const pipeline = pipelineWith(mesh);
    const pending = modified(rule(80), rule(50));
    const same = await previewChange(pipeline.preview(modified(rule(50), rule(50)), pending), [sidecar("productpage")]);
    expect(same.resources).toEqual([]);
    const next = await previewChange(pipeline.preview(modified(rule(50), rule(10)), pending), [sidecar("productpage")]);
    expect([weightsIn(next.resources[0]?.before ?? ""), weightsIn(next.resources[0]?.after ?? "")]).toEqual([
      [50, 50],
      [10, 90],
    ]);
  });

  it("shows the one virtual host that a weight changes, before and after, and who gets it", async () => {
    const pipeline = pipelineWith(mesh);
    const preview = await previewChange(pipeline.preview(modified(rule(80), rule(70))), [
      sidecar("productpage"),
      sidecar("ratings"),
    ]);
    expect(preview).toMatchObject({ more: 0, unseen: 0, proxies: ["productpage", "ratings"] });
    const [only, ...others] = preview.resources;
    expect(others).toEqual([]);
    expect(only).toMatchObject({
      type: "VHDS",
      name: "http_proxy/reviews.default.svc.cluster.local:9080",
      proxies: ["productpage", "ratings"],
    });
    expect([weightsIn(only?.before ?? ""), weightsIn(only?.after ?? "")]).toEqual([
      [80, 20],
      [70, 30],
    ]);
  });

  it("shows a state-of-the-world proxy's virtual host, not its whole route configuration", async () => {
    const pipeline = pipelineWith(mesh);
    const preview = await previewChange(pipeline.preview(modified(rule(80), rule(70))), [
      sidecar("productpage", false),
    ]);
    expect(preview.resources.map(({ type, name }) => [type, name])).toEqual([
      ["RDS", "http_proxy/reviews.default.svc.cluster.local:9080"],
    ]);
  });

  it("leaves the mesh, and what is remembered for its proxies, as they were", async () => {
    const pipeline = pipelineWith(mesh);
    const proxy = sidecar("productpage");
    const held = pipeline.translate(proxy);
    await previewChange(pipeline.preview(modified(rule(80), rule(70))), [proxy]);
    const again = pipeline.translate(proxy);
    expect(pipeline.revision).toBe(1);
    for (const type of ["virtualHosts", "routes", "clusters", "endpoints", "listeners"] as const) {
      expect(again[type]).toBe(held[type]);
    }
  });

  it("says of clusters that go that they are gone, and of new ones that they are new", async () => {
    const pipeline = pipelineWith(mesh);
    const [destinationRule] = objectsOf(rule(80)).filter(({ kind }) => kind === "DestinationRule");
    if (!destinationRule) throw new Error("no DestinationRule");
    const without = {
      ...destinationRule,
      spec: { host: "reviews", subsets: [{ name: "v3", labels: { version: "v3" } }] },
    };
    const change = { type: "MODIFIED" as const, key: keyOf(destinationRule), before: destinationRule, after: without };
    const { resources } = await previewChange(pipeline.preview([change]), [sidecar("productpage")]);
    const clusters = resources.filter(({ type }) => type === "CDS");
    const name = (subset: string) => `outbound|9080|${subset}|reviews.default.svc.cluster.local`;
    expect(clusters.find((each) => each.name === name("v1"))?.after).toBe("");
    expect(clusters.find((each) => each.name === name("v3"))?.before).toBe("");
  });

  it("translates once for the proxies of one workload, and keeps to its limits", async () => {
    const pipeline = pipelineWith(mesh);
    const translate = pipeline.preview(modified(rule(80), rule(70)));
    let translated = 0;
    const counting = (proxy: MeshProxy) => {
      translated++;
      return translate(proxy);
    };
    const proxies = [sidecar("a", true, "10.0.0.1"), sidecar("a", true, "10.0.0.2"), sidecar("b"), sidecar("c")];
    const limits = { proxyKinds: 2, resources: 0, characters: 40, sliceMs: 0, budgetMs: 10_000 };
    const preview = await previewChange(counting, proxies, { limits });
    expect(translated).toBe(2);
    expect(preview).toMatchObject({ resources: [], more: 1, unseen: 1, proxies: ["a", "b"] });
    const { resources } = await previewChange(translate, proxies, { limits: { ...limits, resources: 1 } });
    expect(resources[0]?.after).toMatch(/# … \d+ characters more\n$/);
  });
});
