import { expect, it } from "vitest";
import type { Fault } from "../../contract/index.ts";
import { buildGraph } from "../graph.ts";
import { edge, facts, graphInput, host, row, service } from "../testing/rows.ts";

const fault = (over: Partial<Fault> = {}): Fault => ({
  id: "default/ratings/a",
  namespace: "default",
  service: "ratings",
  hostname: host("ratings"),
  hosts: ["ratings"],
  through: ["mesh"],
  virtualService: "ratings",
  delay: null,
  abort: { percentage: 50, httpStatus: 503, grpcStatus: null },
  matches: [],
  source: null,
  author: "ana",
  startedAt: 1,
  endsAt: 2,
  ...over,
});

const rows = [
  row(edge("reviews/v2", "ratings/v1")),
  row(edge("reviews/v3", "ratings/v1")),
  row(edge("page", "details/v1")),
];
const known = facts(service("ratings", ["v1"], { badges: ["fault", "timeout"] }), service("details", ["v1"]));

function placed(one: Fault, more: typeof rows = []) {
  const { nodes, edges } = buildGraph(graphInput([...rows, ...more], { ...known, faults: [one] }));
  const ratings = nodes.find(({ app }) => app === "ratings");
  return {
    node: [ratings?.faults, ratings?.badges],
    edges: edges.filter(({ faults }) => faults).map(({ source, faults }) => [source, faults]),
  };
}

it("stands on the service that it hits for everybody", () => {
  expect(placed(fault())).toEqual({ node: [["default/ratings/a"], ["timeout", "fault"]], edges: [] });
});

it("stands on the calls of the one caller, or version of it, that it is limited to", () => {
  const v3 = { namespace: "default", app: "reviews", version: "v3" };
  const only = placed(fault({ source: v3 }));
  expect(only).toEqual({
    node: [undefined, ["timeout"]],
    edges: [["default/reviews/v3", ["default/ratings/a"]]],
  });
  const both = placed(fault({ source: { ...v3, version: null } }));
  expect(both.edges.map(([source]) => source)).toEqual(["default/reviews/v2", "default/reviews/v3"]);
});

it("of the mesh spares who comes by a gateway, and of a gateway who calls inside", () => {
  const entered = [row(edge("gw", "ratings/v1", { gateway: true }))];
  const inside = placed(fault(), entered);
  expect(inside.node[0]).toBeUndefined();
  expect(inside.edges.map(([source]) => source)).toEqual(["default/reviews/v2", "default/reviews/v3"]);
  const outside = placed(fault({ through: ["default/edge"] }), entered);
  expect(outside.edges.map(([source]) => source)).toEqual(["default/gw/v1"]);
  expect(placed(fault({ through: ["mesh", "default/edge"] }), entered).node[0]).toEqual(["default/ratings/a"]);
});

it("leaves the badge of the config where nobody knows the faults, and takes it away where there are none", () => {
  const badges = (faults?: Fault[]) =>
    buildGraph(graphInput(rows, { ...known, ...(faults && { faults }) })).nodes.find(({ app }) => app === "ratings")
      ?.badges;
  expect(badges()).toEqual(["fault", "timeout"]);
  expect(badges([])).toEqual(["timeout"]);
});
