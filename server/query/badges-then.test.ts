import { expect, it } from "vitest";
import type { Graph, GraphEdge, GraphNode } from "../contract/index.ts";
import { withBadgesThen } from "./badges-then.ts";

const service = { namespace: "default", hostname: "reviews.default.svc.cluster.local", name: "reviews" };
const graph = {
  nodes: [
    { id: "reviews", services: [service], badges: ["timeout"], faults: ["a/b/c"] },
    { id: "door", services: [], badges: ["gateway"] },
  ] as unknown as GraphNode[],
  edges: [{ id: "door>reviews", faults: ["a/b/c"] }] as unknown as GraphEdge[],
} as Graph;

it("shows a past moment with the config of then, and none where that is not known", () => {
  const then = { revision: 3, services: [{ ...service, badges: ["split" as const, "fault" as const] }] };
  const shown = withBadgesThen(graph, then);
  expect(shown.nodes.map(({ badges }) => badges)).toEqual([["split", "fault"], ["gateway"]]);
  expect(shown.edges[0]?.faults).toBeUndefined();
  expect(withBadgesThen(graph, undefined).nodes.map(({ badges }) => badges)).toEqual([[], ["gateway"]]);
});
