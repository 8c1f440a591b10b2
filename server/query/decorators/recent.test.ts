import { expect, it } from "vitest";
import { buildGraph } from "../graph.ts";
import { edge, facts, row, service } from "../testing/rows.ts";

const window = { fromMs: 0, toMs: 60_000, stepSec: 60 };
const known = facts(service("page", ["v1"]), service("reviews", ["v1"]));
const call = edge("page", "reviews");

function graphOf(recent: { ok: number; failed: number }, before = 600) {
  const last = [row(call, { count: recent.ok }), row(call, { count: recent.failed, code: 503 })];
  const graph = buildGraph({
    window,
    rows: [row(call, { count: before }), ...last],
    timeline: { window, rows: [] },
    recent: { rows: last, seconds: 10 },
    facts: known,
    freshAt: 60_000,
  });
  return {
    edge: graph.edges[0],
    node: graph.nodes.find(({ app }) => app === "reviews"),
  };
}

it("is failing within seconds, and says of which seconds", () => {
  const { edge: one, node } = graphOf({ ok: 10, failed: 10 });
  expect(one).toMatchObject({ health: "failing", recent: { windowSec: 10, requestRate: 2, errorShare: 0.5 } });
  expect(one?.signals.errorShare).toBeCloseTo(10 / 620);
  expect(node).toMatchObject({ health: "failing", recent: { errorShare: 0.5 } });
});

it("is not called well before the window is, nor ill for a call or two", () => {
  expect(graphOf({ ok: 20, failed: 0 }).edge).toMatchObject({ health: "healthy" });
  const few = graphOf({ ok: 2, failed: 2 }).edge;
  expect(few).toMatchObject({ health: "degraded" });
  expect(few?.recent).toBeUndefined();
});
