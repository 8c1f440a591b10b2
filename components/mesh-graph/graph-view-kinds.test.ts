import { describe, expect, it } from "vitest";
import type { Graph } from "../../server/contract/index.ts";
import { nodesBehind, viewedAs } from "./graph-view-kinds.ts";
import { subjectOf } from "./subject.ts";
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

  it("is a workload by its own name, and still of its app and version: links, colours and traces go by these", () => {
    const seen = viewedAs(graph, "workload");
    const node = seen.nodes.find(({ id }) => id === "default/reviews-v2");
    expect(node).toMatchObject({ name: "reviews-v2", app: "reviews", version: "v2", workload: "reviews-v2" });
    const subject = subjectOf(seen, "default/reviews-v2");
    expect(subject).toMatchObject({ name: "reviews-v2", app: "reviews", version: "v2", isWorkload: true });
    expect(subjectOf(viewedAs(graph, "app"), "default/reviews")).toMatchObject({ version: null, isWorkload: false });
  });

  it("knows who stands behind a node of the view", () => {
    for (const kind of ["app", "service"] as const) {
      const reviews = viewedAs(graph, kind).nodes.filter(({ app }) => app === "reviews");
      expect(nodesBehind(graph, kind, reviews).map(({ workload }) => workload)).toEqual([
        "reviews-v1",
        "reviews-v2",
        "reviews-v3",
      ]);
    }
  });

  it("sums what just happened with what the others' window says", () => {
    const [first, ...others] = graph.edges.filter(({ source }) => source.startsWith("default/reviews/"));
    const recent = { windowSec: 5, requestRate: 4, errorShare: 0.5 };
    const edges = first ? [{ ...first, recent }, ...others] : [];
    const [onward] = viewedAs({ ...graph, edges }, "app").edges;
    expect(onward?.recent?.requestRate).toBeCloseTo(4 + 1.9);
    expect(onward?.recent?.errorShare).toBeCloseTo((4 * 0.5 + 1.9 * 0.063) / 5.9);
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
