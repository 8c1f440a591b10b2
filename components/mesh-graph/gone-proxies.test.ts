import { expect, it } from "vitest";
import { goneBefore, goneOf, withGoneProxies } from "./gone-proxies.ts";
import { testNode } from "./testing/graph.ts";

const proxy = (name: string, connected: boolean, namespace = "default") => ({ name, connected, namespace });

it("misses those that are not connected, unless another has taken their place", () => {
  const [v1, moved, other] = [proxy("reviews-v1", false), proxy("reviews-v2", false), proxy("details-v1", true)];
  expect(goneOf([v1, moved, other, proxy("reviews-v2", true)])).toEqual([v1]);
});

it("marks the workloads behind them, in their own namespace, and nothing else of the graph", () => {
  const graph = { nodes: [testNode("default/reviews/v1", { badges: ["retry"] }), testNode("other/reviews/v1")] };
  const gone = [proxy("reviews-v1", false)];
  const marked = withGoneProxies(graph, gone);
  expect(marked.nodes.map(({ badges }) => badges)).toEqual([["proxy-gone", "retry"], []]);
  expect(goneBefore(graph.nodes, gone)).toEqual(gone);
  expect(withGoneProxies(graph, [])).toBe(graph);
});
