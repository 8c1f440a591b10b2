import { describe, expect, it } from "vitest";
import { subjectOf, sumSignals } from "./subject.ts";
import { testEdge, testNode, testSignals } from "./testing/graph.ts";

const box = "default/reviews";
const graph = {
  nodes: [
    testNode("unknown/unknown/unknown", { kind: "source" }),
    testNode("default/productpage/v1"),
    testNode("default/reviews/v1", { box }),
    testNode("default/reviews/v2", { box, health: "failing" }),
    testNode("default/ratings/v1"),
  ],
  edges: [
    testEdge("unknown/unknown/unknown", "default/productpage/v1"),
    testEdge("default/productpage/v1", "default/reviews/v1"),
    testEdge("default/productpage/v1", "default/reviews/v2"),
    testEdge("default/reviews/v2", "default/ratings/v1"),
  ],
};

describe("subjectOf", () => {
  it("takes a box for the whole service, with the worst health of its versions", () => {
    const subject = subjectOf(graph, box);
    expect(subject).toMatchObject({ name: "reviews", version: null, health: "failing" });
    expect([subject?.callers.length, subject?.calls.length]).toEqual([2, 1]);
    const hostname = "reviews.default.svc.cluster.local";
    expect(subject?.service).toEqual({ namespace: "default", name: "reviews", hostname });
    expect(subjectOf(graph, `default/${hostname}`)?.nodes).toEqual(subject?.nodes);
  });
  it("takes a node in a box for one version, and a node by itself for its service", () => {
    expect(subjectOf(graph, "default/reviews/v2")).toMatchObject({ version: "v2", service: { name: "reviews" } });
    expect(subjectOf(graph, "default/ratings/v1")).toMatchObject({ version: null, service: { name: "ratings" } });
  });
  it("knows the service by the name it is called by", () => {
    const stars = { namespace: "other", name: "stars", hostname: "stars.other.svc.cluster.local" };
    const called = { ...testEdge("default/productpage/v1", "default/ratings/v1"), service: stars.hostname, to: stars };
    expect(subjectOf({ ...graph, edges: [called] }, "default/ratings/v1")?.service).toEqual(stars);
  });
  it("guesses no service that the registry does not know", () => {
    const node = testNode("default/maps.vendor.test/latest", { services: [] });
    const call = { ...testEdge("default/productpage/v1", node.id), service: "maps.vendor.test", to: null };
    expect(subjectOf({ nodes: [...graph.nodes, node], edges: [call] }, node.id)?.service).toBeNull();
  });
  it("has no service for a source, and nothing for what is gone", () => {
    expect(subjectOf(graph, "unknown/unknown/unknown")?.service).toBeNull();
    expect(subjectOf(graph, "default/gone/v1")).toBeNull();
  });
});

it("sums rates and weighs the rest by them", () => {
  const sum = sumSignals([
    testSignals({ requestRate: 30, errorShare: 0 }),
    testSignals({ requestRate: 10, errorShare: 0.4, latencyMsP95: 50 }),
  ]);
  expect(sum.requestRate).toBe(40);
  expect(sum.errorShare).toBeCloseTo(0.1);
  expect(sum.latencyMsP95).toBeCloseTo(20);
  expect(sumSignals([testSignals({ requestRate: 0, latencyMsP95: null })]).latencyMsP95).toBeNull();
});
