import { expect, it } from "vitest";
import { buildGraph } from "../graph.ts";
import { edge, facts, graphInput, host, row, service } from "../testing/rows.ts";

it("adds what is registered and unseen, marked as idle, and leaves the seen alone", () => {
  const known = {
    ...facts(
      service("reviews", ["v1", "v2"]),
      service("api", [], { external: true, hostname: "api.example.com" }),
      service("empty", []),
    ),
    gateways: [{ namespace: "istio-system", app: "gw", version: "latest", workload: "gw-1" }],
  };
  const { nodes } = buildGraph(graphInput([row(edge("page", "reviews/v1", { service: host("reviews") }))], known));
  expect(nodes.map((node) => [node.id, node.kind, node.idle, node.health, node.workload])).toEqual([
    ["default/page/v1", "workload", false, "healthy", "page-v1"],
    ["default/reviews/v1", "workload", false, "healthy", "reviews-v1"],
    ["istio-system/gw/latest", "gateway", true, "idle", "gw-1"],
    ["default/reviews/v2", "workload", true, "idle", "reviews-v2"],
    ["default/api.example.com/unknown", "external", true, "idle", null],
  ]);
  expect(nodes[4]?.signals).toMatchObject({ requestRate: 0, errorShare: 0, latencyMsP50: null });
});
