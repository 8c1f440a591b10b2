import { expect, it } from "vitest";
import { noFacts } from "./facts.ts";
import { buildOutbound } from "./outbound.ts";
import { edge, host, row, service } from "./testing/rows.ts";

const window = { fromMs: 0, toMs: 20_000, stepSec: 10 };

it("tells what was called by service, the busiest first, each call once", () => {
  const told = edge("productpage", "reviews/v2");
  const toldAgain = edge("productpage", "reviews/v2", { reporter: "destination" });
  const result = buildOutbound({
    window,
    dataFromMs: 0,
    gaps: [],
    facts: { ...noFacts, services: [service("reviews", ["v1", "v2"])] },
    rows: [
      row(told, { count: 30 }),
      row(toldAgain, { count: 30 }),
      row(edge("productpage", "reviews/v1"), { atMs: 10_000, count: 10, code: 503 }),
      row(edge("productpage", "details"), { count: 10 }),
    ],
  });
  expect(
    result.destinations.map(({ hostname, service: link, signals }) => [hostname, link?.name, signals.requestRate]),
  ).toEqual([
    [host("reviews"), "reviews", 2],
    [host("details"), undefined, 0.5],
  ]);
  expect(result.destinations[0]?.signals.errorShare).toBe(0.25);
  expect(result.series[0]).toMatchObject({ version: host("reviews"), requestRate: [3, 1], errorShare: [0, 1] });
});
