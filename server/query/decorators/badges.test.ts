import { expect, it } from "vitest";
import { buildGraph } from "../graph.ts";
import { edge, facts, graphInput, row, service } from "../testing/rows.ts";

it("badges every version of a service that config acts on, and gateways", () => {
  const rows = [
    row(edge("gw", "reviews/v1", { gateway: true })),
    row(edge("gw", "reviews/v2", { gateway: true })),
    row(edge("gw", "details", { gateway: true })),
  ];
  const known = facts(service("reviews", ["v1", "v2"], { badges: ["split", "fault"] }), service("details", ["v1"]));
  const { nodes } = buildGraph(graphInput(rows, known));
  expect(Object.fromEntries(nodes.map((node) => [node.id, node.badges]))).toEqual({
    "default/gw/v1": ["gateway"],
    "default/reviews/v1": ["split", "fault"],
    "default/reviews/v2": ["split", "fault"],
    "default/details/v1": [],
  });
});
