import { expect, it } from "vitest";
import { pathThrough } from "./path.ts";
import { bookinfo, testEdge, testNode } from "./testing/graph.ts";

const apps = (ids: ReadonlySet<string> | null) =>
  [...(ids ?? [])].filter((id) => !id.includes(">")).map((id) => id.split("/").slice(1).join("/"));

it("is everything upstream and downstream of a node, and nothing beside it", () => {
  const path = apps(pathThrough(bookinfo, "default/reviews/v2"));
  expect(path).toContain("istio-ingressgateway/unknown");
  expect(path).toContain("ratings/v1");
  expect(path).not.toContain("details/v1");
  expect(path).not.toContain("reviews/v3");
});

it("takes a call with what is before its source and after its target, and a box as all its versions", () => {
  const call = "default/productpage/v1>default/reviews/v1";
  const path = pathThrough(bookinfo, call);
  expect(path?.has(call)).toBe(true);
  expect(path?.has("default/productpage/v1>default/details/v1")).toBe(false);
  expect(apps(pathThrough(bookinfo, "default/reviews"))).toContain("reviews/v3");
  expect(pathThrough(bookinfo, "nowhere")).toBeNull();
});

it("ends in a circle", () => {
  const nodes = [testNode("d/a/v1"), testNode("d/b/v1")];
  const edges = [testEdge("d/a/v1", "d/b/v1"), testEdge("d/b/v1", "d/a/v1")];
  expect(pathThrough({ nodes, edges }, "d/a/v1")?.size).toBe(4);
});
