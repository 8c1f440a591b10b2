import { describe, expect, it } from "vitest";
import { parseFind } from "./find.ts";
import { namespacesOf, narrowed } from "./narrow.ts";
import { bookinfo } from "./testing/graph.ts";

const nothing = { namespaces: [], hide: null, focus: null };
const ids = (of: { nodes: readonly { id: string }[] }) => of.nodes.map(({ id }) => id);
const expression = (text: string) => {
  const parsed = parseFind(text);
  return parsed.ok ? parsed.matches : null;
};

describe("what of the graph is looked at", () => {
  it("is all of it, as the same object, when nothing is asked", () =>
    expect(narrowed(bookinfo, nothing)).toBe(bookinfo));

  it("is a namespace, and the gateway that enters it", () => {
    const seen = narrowed(bookinfo, { ...nothing, namespaces: ["default"] });
    expect(ids(seen)).toContain("istio-system/istio-ingressgateway/unknown");
    expect(ids(seen)).not.toContain("unknown/unknown/unknown");
    expect(namespacesOf(bookinfo)).toEqual(["default", "istio-system"]);
  });

  it("is what is not hidden: a node goes with its calls, a call alone", () => {
    const withoutReviews = narrowed(bookinfo, { ...nothing, hide: expression('"/reviews/"') });
    expect(ids(withoutReviews).some((id) => id.includes("reviews"))).toBe(false);
    expect(withoutReviews.edges.some(({ id }) => id.includes("reviews"))).toBe(false);
    const withoutSlow = narrowed(bookinfo, { ...nothing, hide: expression("p95 > 200ms") });
    expect(withoutSlow.nodes.length).toBe(bookinfo.nodes.length);
    expect(withoutSlow.edges.length).toBe(bookinfo.edges.length - 3);
  });

  it("is what is near: one call away, or two", () => {
    const one = narrowed(bookinfo, { ...nothing, focus: { id: "default/details/v1", hops: 1 } });
    expect(ids(one)).toEqual(["default/productpage/v1", "default/details/v1"]);
    const two = narrowed(bookinfo, { ...nothing, focus: { id: "default/details/v1", hops: 2 } });
    expect(ids(two)).toContain("default/ratings/v1");
    expect(ids(two)).not.toContain("unknown/unknown/unknown");
    const box = narrowed(bookinfo, { ...nothing, focus: { id: "default/reviews", hops: 1 } });
    expect(ids(box)).toEqual(expect.arrayContaining(["default/productpage/v1", "default/ratings/v1"]));
  });

  it("is all of it when what was in focus is gone", () => {
    expect(ids(narrowed(bookinfo, { ...nothing, focus: { id: "default/gone/v1", hops: 1 } }))).toEqual(ids(bookinfo));
  });
});
