import { expect, it } from "vitest";
import { buildServiceList } from "./service-list.ts";
import { edge, facts, host, row, service } from "./testing/rows.ts";

it("sums what callers were answered by each service, whatever its versions", () => {
  const rows = [
    row(edge("page", "reviews/v1"), { count: 8 }),
    row(edge("page", "reviews/v2"), { count: 2, code: 503 }),
    row(edge("page", "reviews/v1", { reporter: "destination" }), { count: 8 }),
    row(edge("page", "other", { service: host("not-registered") })),
  ];
  const window = { fromMs: 0, toMs: 10_000, stepSec: 1 };
  const list = buildServiceList(window, rows, facts(service("reviews", ["v1", "v2"]), service("quiet", [])));
  expect(list).toMatchObject({ at: 10_000, windowSec: 10 });
  expect(
    list.services.map((each) => [each.name, each.health, each.signals.requestRate, each.signals.errorShare]),
  ).toEqual([
    ["reviews", "failing", 1, 0.2],
    ["quiet", "idle", 0, 0],
  ]);
});
