import { describe, expect, it } from "vitest";
import type { Graph } from "../../server/contract/index.ts";
import { viewedAs } from "./graph-view-kinds.ts";
import { bookinfo } from "./testing/graph.ts";

const graph: Graph = {
  at: 0,
  windowSec: 60,
  ...bookinfo,
  timeline: { fromMs: 0, stepSec: 1, requestRate: [], errorShare: [], recordedFromMs: 0 },
  freshAt: 0,
  silentSince: null,
};
const ids = (of: Graph) => of.nodes.map(({ id }) => id).toSorted();

describe("what a node stands for", () => {
  it("is a version of an app, as the graph comes", () => expect(viewedAs(graph, "versions")).toBe(graph));

  it("is an app: its versions are one, and what was sent to each is summed", () => {
    const seen = viewedAs(graph, "app");
    expect(ids(seen)).toContain("default/reviews");
    expect(ids(seen).some((id) => id.startsWith("default/reviews/"))).toBe(false);
    const [into] = seen.edges.filter(({ target }) => target === "default/reviews");
    expect(into?.signals.requestRate).toBeCloseTo(12.9 + 3.7 + 1.9);
    const [onward] = seen.edges.filter(({ source }) => source === "default/reviews");
    expect(onward).toMatchObject({ target: "default/ratings", codes: { "503": 0.2 } });
    // Of 5.6 requests 0.022 · 3.7 + 0.063 · 1.9 failed.
    expect(onward?.signals.errorShare).toBeCloseTo((0.022 * 3.7 + 0.063 * 1.9) / 5.6);
  });

  it("is a workload by its own name", () => {
    expect(ids(viewedAs(graph, "workload"))).toContain("default/reviews-v2");
  });

  it("is a service that was called", () => {
    const seen = viewedAs(graph, "service");
    expect(ids(seen)).toContain("default/reviews.default.svc.cluster.local");
    expect(
      seen.edges.filter(({ source }) => source.startsWith("default/reviews.")).map(({ target }) => target),
    ).toEqual(["default/ratings.default.svc.cluster.local"]);
    expect(seen.nodes.find(({ app }) => app === "reviews")?.badges).toEqual(["split"]);
  });

  it("keeps who comes from outside, and gateways", () => {
    for (const kind of ["app", "workload", "service"] as const) {
      expect(ids(viewedAs(graph, kind))).toEqual(
        expect.arrayContaining(["istio-system/istio-ingressgateway/unknown", "unknown/unknown/unknown"]),
      );
    }
  });
});
