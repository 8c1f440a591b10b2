import { expect, it } from "vitest";
import { WorkloadMetrics, type WorkloadView } from "../contract/index.ts";
import { edge, facts, host, row, service } from "./testing/rows.ts";
import { buildWorkloadList, buildWorkloadMetrics } from "./workload-metrics.ts";

const workload = (app: string, version: string): WorkloadView => ({
  namespace: "default",
  name: `${app}-${version}`,
  app,
  version,
  serviceAccount: "",
  labels: {},
  services: [],
  endpoints: [],
  mtls: [],
});
const rows = [
  row(edge("page/v1", "reviews/v2"), { count: 20, code: 503 }),
  row(edge("page/v1", "reviews/v2", { reporter: "destination" }), { count: 20 }),
  row(edge("reviews/v2", "ratings/v1"), { count: 10 }),
];
const known = facts(service("reviews", ["v2"]), service("ratings", ["v1"]));

it("counts what each workload is asked and what it asks others", () => {
  const list = buildWorkloadList({
    rows,
    seconds: 10,
    facts: known,
    workloads: [workload("reviews", "v2"), workload("ratings", "v1"), workload("idle", "v1")],
  });
  expect(
    list.map(({ name, health, inbound, outbound }) => [
      name,
      health,
      inbound?.requestRate ?? null,
      outbound?.requestRate ?? null,
    ]),
  ).toEqual([
    ["reviews-v2", "failing", 2, 1],
    ["ratings-v1", "healthy", 1, null],
    ["idle-v1", "idle", null, null],
  ]);
});

it("has both directions over time, and who is at the other end", () => {
  const window = { fromMs: 0, toMs: 4000, stepSec: 1 };
  const steps = [0, 1, 2, 3].map((second) => row(edge("page/v1", "reviews/v2"), { atMs: second * 1000, count: 4 }));
  const metrics = WorkloadMetrics.parse(
    buildWorkloadMetrics({
      workload: workload("reviews", "v2"),
      window,
      dataFromMs: 0,
      gaps: [],
      rows: [...steps, row(edge("reviews/v2", "api", { service: host("api") }), { atMs: 2000, count: 6, code: 500 })],
      facts: known,
    }),
  );
  expect(metrics.inbound.series.requestRate).toEqual([4, 4, 4, 4]);
  expect(metrics.outbound.series.requestRate).toEqual([0, 0, 6, 0]);
  expect(metrics.outbound.series.errorShare).toEqual([null, null, 1, null]);
  expect(metrics.inbound.peers.map(({ app, signals }) => [app, signals.requestRate])).toEqual([["page", 4]]);
  expect(metrics.outbound.peers.map(({ app, signals }) => [app, signals.errorShare])).toEqual([["api", 1]]);
});

it("tells workloads of one version apart by name, as the members of a WorkloadGroup are", () => {
  const named = (name: string) => ({ workload: name, namespace: "default", app: "cart", version: "v1" });
  const to = (name: string) => edge("page/v1", "cart", { destination: named(name) });
  const mixed = [
    row(to("cart-a"), { count: 30 }),
    row(to("cart-b"), { count: 10, code: 500 }),
    // A call of one to the other, and one that reached neither.
    row(edge("cart", "cart", { source: named("cart-a"), destination: named("cart-b") }), { count: 10 }),
    row(edge("page/v1", "cart/-"), { count: 40, code: 503 }),
  ];
  const carts = [
    { ...workload("cart", "v1"), name: "cart-a" },
    { ...workload("cart", "v1"), name: "cart-b" },
  ];
  const cartFacts = facts(service("cart", ["v1"]));
  const list = buildWorkloadList({ rows: mixed, seconds: 10, facts: cartFacts, workloads: carts });
  expect(
    list.map((one) => [one.name, one.inbound?.requestRate, one.inbound?.errorShare, one.outbound?.requestRate]),
  ).toEqual([
    ["cart-a", 3, 0, 1],
    ["cart-b", 2, 0.5, undefined],
  ]);
  const ofOne = (only: string) =>
    buildWorkloadMetrics({
      workload: workload("cart", "v1"),
      only,
      window: { fromMs: 0, toMs: 1000, stepSec: 1 },
      dataFromMs: 0,
      gaps: [],
      rows: mixed,
      facts: cartFacts,
    });
  expect(ofOne("cart-a").inbound.series.requestRate).toEqual([30]);
  expect(ofOne("cart-b").inbound.series.requestRate).toEqual([20]);
  expect(ofOne("cart-b").inbound.peers.map(({ app, signals }) => [app, signals.requestRate])).toEqual([
    ["page", 10],
    ["cart", 10],
  ]);
  expect(ofOne("cart-b").outbound.peers).toEqual([]);
});
