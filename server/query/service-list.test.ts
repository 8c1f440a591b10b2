import { expect, it } from "vitest";
import { ServiceList } from "../contract/index.ts";
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
  const list = buildServiceList({ window, rows, facts: facts(service("reviews", ["v1", "v2"]), service("quiet", [])) });
  expect(list).toMatchObject({ at: 10_000, windowSec: 10 });
  expect(
    list.services.map((each) => [each.name, each.health, each.signals.requestRate, each.signals.errorShare]),
  ).toEqual([
    ["reviews", "failing", 1, 0.2],
    ["quiet", "idle", 0, 0],
  ]);
});

it("has a curve over the time there are records of, and over no more", () => {
  const rows = [6, 7, 8, 9].map((second) => row(edge("page", "reviews/v1"), { atMs: second * 1000, count: 5 }));
  const window = { fromMs: 0, toMs: 10_000, stepSec: 1 };
  const known = facts(service("reviews", ["v1"], { badges: ["split"] }), service("quiet", []));
  const list = ServiceList.parse(buildServiceList({ window, rows, facts: known, dataFromMs: 5000 }));
  expect(list.windowSec).toBe(5);
  const [reviews, quiet] = list.services;
  expect(reviews?.badges).toEqual(["split"]);
  expect(reviews?.signals.requestRate).toBe(4);
  expect(reviews?.trend.requestRate).toEqual([0, 5, 5, 5, 5]);
  expect(reviews?.trend.latencyMsP95.map((value) => value && Math.round(value))).toEqual([null, 10, 10, 10, 10]);
  expect(quiet?.trend.requestRate).toEqual([0, 0, 0, 0, 0]);
});

it("keeps a curve of a long window to some thirty steps, each over the seconds that it has", () => {
  const window = { fromMs: 0, toMs: 3605_000, stepSec: 60 };
  const rows = [row(edge("page", "reviews/v1"), { atMs: 3600_000, count: 50 })];
  const [reviews] = buildServiceList({ window, rows, facts: facts(service("reviews", ["v1"])) }).services;
  expect(reviews?.trend.requestRate.length).toBe(21);
  expect(reviews?.trend.requestRate.at(-1)).toBe(10);
});
