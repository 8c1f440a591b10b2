import { expect, it } from "vitest";
import { buildGraph } from "../graph.ts";
import { edge, facts, graphInput, row, service } from "../testing/rows.ts";

it("boxes the versions of one app, those without traffic and those not reached included", () => {
  const rows = [
    row(edge("page", "reviews/v1")),
    row(edge("page", "details")),
    row(edge("page", "ratings/-")),
    row(edge("page", "ratings/v1")),
  ];
  const { nodes } = buildGraph(graphInput(rows, facts(service("reviews", ["v1", "v2"]))));
  expect(Object.fromEntries(nodes.map((node) => [node.id, node.box]))).toEqual({
    "default/page/v1": null,
    "default/details/v1": null,
    "default/reviews/v1": "default/reviews",
    "default/reviews/v2": "default/reviews",
    "default/ratings/v1": "default/ratings",
    "default/ratings/unknown": "default/ratings",
  });
});
