import { describe, expect, it } from "vitest";
import { type LayoutEdge, type LayoutNode, layoutGraph } from "./layout.ts";

const node = (id: string, over: Partial<LayoutNode> = {}): LayoutNode => ({
  id,
  group: id,
  namespace: "default",
  outside: false,
  ...over,
});
const edge = (text: string): LayoutEdge => {
  const [source = "", target = ""] = text.split(">");
  return { source, target };
};
const reviews = ["reviews/v1", "reviews/v2", "reviews/v3"].map((id) => node(id, { group: "reviews" }));
const bookinfo = [
  node("browser", { outside: true, namespace: "" }),
  node("gateway"),
  node("productpage"),
  node("details"),
  ...reviews,
  node("ratings"),
];
const calls = [
  "browser>gateway",
  "gateway>productpage",
  "productpage>details",
  "productpage>reviews/v1",
  "productpage>reviews/v2",
  "productpage>reviews/v3",
  "reviews/v2>ratings",
  "reviews/v3>ratings",
].map(edge);

const at = (points: ReturnType<typeof layoutGraph>, id: string) => points.get(id) ?? { x: Number.NaN, y: Number.NaN };

describe("layoutGraph", () => {
  it("goes left to right along the calls", () => {
    const points = layoutGraph(bookinfo, calls);
    for (const { source, target } of calls) expect(at(points, source).x).toBeLessThan(at(points, target).x);
  });
  it("keeps the versions of a service in one column, in order, and nothing between them", () => {
    const points = layoutGraph(bookinfo, calls);
    const column = reviews.map(({ id }) => at(points, id));
    expect(new Set(column.map(({ x }) => x)).size).toBe(1);
    expect(column.map(({ y }) => y - (column[0]?.y ?? 0))).toEqual([0, 104, 208]);
    const details = at(points, "details").y;
    expect(details < (column[0]?.y ?? 0) || details > (column[2]?.y ?? 0)).toBe(true);
  });
  it("goes downwards where the place is narrow", () => {
    const points = layoutGraph(bookinfo, calls, "down");
    for (const { source, target } of calls) expect(at(points, source).y).toBeLessThan(at(points, target).y);
    expect(new Set(reviews.map(({ id }) => at(points, id).y)).size).toBe(1);
  });
  it("does not depend on the order of its input", () => {
    expect(layoutGraph(bookinfo.toReversed(), calls.toReversed())).toEqual(layoutGraph(bookinfo, calls));
  });
  it("survives cycles, unknown ends and self calls", () => {
    const points = layoutGraph([node("a"), node("b"), node("c")], ["a>b", "b>c", "c>a", "b>b", "a>ghost"].map(edge));
    expect(points.size).toBe(3);
    expect(at(points, "a").x).toBeLessThan(at(points, "b").x);
  });
  it("gives namespaces bands that do not overlap", () => {
    const nodes = [...bookinfo, ...["x", "y", "z"].map((id) => node(id, { namespace: "other" }))];
    const points = layoutGraph(nodes, [...calls, edge("x>y"), edge("x>z"), edge("productpage>x")]);
    const ys = (namespace: string) =>
      nodes.filter((one) => one.namespace === namespace).map((one) => at(points, one.id).y);
    expect(Math.max(...ys("default"))).toBeLessThan(Math.min(...ys("other")));
  });
  it("puts a gateway of another namespace before what it calls, and not into a band of its own", () => {
    const nodes = bookinfo.map((one) => (one.id === "gateway" ? { ...one, namespace: "istio-system" } : one));
    const points = layoutGraph(nodes, calls);
    expect(at(points, "gateway").y).toBe(at(points, "productpage").y);
    expect(at(points, "browser").y).toBe(at(points, "gateway").y);
  });
  it("leaves the gateway its place before what it calls, though a namespace that nobody calls comes first by name", () => {
    const nodes = bookinfo.map((one) => (one.id === "gateway" ? { ...one, namespace: "istio-system" } : one));
    const points = layoutGraph([...nodes, node("mysqldb", { namespace: "data" })], calls);
    expect(at(points, "gateway").y).toBe(at(points, "productpage").y);
    const ys = bookinfo.map(({ id }) => at(points, id).y);
    const { y } = at(points, "mysqldb");
    expect(y < Math.min(...ys) || y > Math.max(...ys)).toBe(true);
  });
  it("never lays two of a thousand nodes over each other, and stays roughly as wide as high", () => {
    const nodes = Array.from({ length: 1000 }, (_, i) => node(`n${i}`, { namespace: `ns${i % 5}` }));
    const edges = nodes
      .slice(1)
      .flatMap((_, i) => [edge(`n${Math.floor(i / 3)}>n${i + 1}`), edge(`n${Math.floor(i / 7)}>n${i + 1}`)]);
    const points = [...layoutGraph(nodes, edges).values()];
    expect(new Set(points.map(({ x, y }) => `${x},${y}`)).size).toBe(1000);
    const size = (values: number[]) => Math.max(...values) - Math.min(...values);
    const ratio = size(points.map(({ x }) => x)) / size(points.map(({ y }) => y));
    expect(ratio).toBeGreaterThan(0.2);
    expect(ratio).toBeLessThan(5);
  });
  it("places what has no calls at all", () => {
    const points = layoutGraph([...bookinfo, node("lonely")], calls);
    const others = bookinfo.map(({ id }) => at(points, id).y);
    expect(at(points, "lonely").y).toBeGreaterThan(Math.max(...others));
  });
});
