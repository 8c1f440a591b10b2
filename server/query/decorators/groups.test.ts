import { expect, it } from "vitest";
import { buildGraph } from "../graph.ts";
import { edge, facts, graphInput, row, service } from "../testing/rows.ts";

const endpoint = (workload: string, group?: string) => ({
  address: "127.0.0.1",
  port: 9080,
  workload,
  ...(group !== undefined && { group }),
});
const cart = (...endpoints: ReturnType<typeof endpoint>[]) =>
  service("cart", ["v1"], {
    versions: [
      { version: "v1", subset: null, workloads: endpoints.map(({ workload }) => workload), apps: ["cart"], endpoints },
    ],
  });
const groupOf = (...endpoints: ReturnType<typeof endpoint>[]) =>
  buildGraph(graphInput([row(edge("page", "cart"))], facts(cart(...endpoints)))).nodes.map(({ id, group }) => [
    id,
    group,
  ]);

it("says of which WorkloadGroup a node's workloads are, each once however many ports it has", () => {
  expect(groupOf(endpoint("cart-b", "cart"), endpoint("cart-a", "cart"), endpoint("cart-a", "cart"))).toEqual([
    ["default/cart/v1", { name: "cart", members: ["cart-a", "cart-b"] }],
    ["default/page/v1", undefined],
  ]);
});

it("says it of no node that stands for others, too", () => {
  expect(groupOf(endpoint("cart-a", "cart"), endpoint("cart-b", "basket"))[0]?.[1]).toBeUndefined();
  expect(groupOf(endpoint("cart-a", "cart"), endpoint("cart-written"))[0]?.[1]).toBeUndefined();
});
