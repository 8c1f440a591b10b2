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
