import { expect, test } from "vitest";
import type { ResourceMetrics } from "../lib/otlp-metrics.ts";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import type { LoadCounts } from "../xds/load-reports.ts";
import { LoadHistory } from "./load-history.ts";

const cluster = "outbound|9080|v1|reviews.default.svc.cluster.local";
const counts = (change: Partial<LoadCounts> = {}): LoadCounts => ({
  cluster,
  service: "",
  locality: "",
  requests: 10,
  errors: 0,
  inProgress: 2,
  dropped: 0,
  ...change,
});
const node = { id: "sidecar~1", cluster: "productpage.default" };

interface Point {
  asDouble: number;
  startTimeUnixNano: string;
  timeUnixNano: string;
  attributes: { key: string; value: { stringValue: string } }[];
}
interface Metric {
  name: string;
  sum?: { dataPoints: Point[] };
  gauge?: { dataPoints: Point[] };
}

/** `requests: 10`, by the metric's last word. */
const figures = (resources: readonly ResourceMetrics[]): Record<string, number> =>
  Object.fromEntries(
    pointsOf(resources).map(({ name, point }) => [name.split(".").at(-1) ?? "", point.asDouble] as const),
  );
const pointsOf = (resources: readonly ResourceMetrics[]) =>
  resources
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics as Metric[]))
    .flatMap(({ name, sum, gauge }) => (sum ?? gauge)?.dataPoints.map((point) => ({ name, point })) ?? []);

function setUp(maxSeries?: number) {
  const sent: (readonly ResourceMetrics[])[] = [];
  const state = { isThere: true, lost: 0 };
  const clock = new FakeClock();
  const history = new LoadHistory({
    clock,
    everyMs: 10_000,
    ...(maxSeries !== undefined && { maxSeries }),
    onLost: () => {
      state.lost += 1;
    },
    send: async (metrics) => {
      if (state.isThere) sent.push(metrics);
      return state.isThere;
    },
  });
  history.start();
  const pass = async () => {
    clock.advance(10_000);
    await new Promise((resolve) => setImmediate(resolve));
    return sent.splice(0);
  };
  return { history, state, pass };
}

test("reports add up to one point for each client and what it calls; what runs is as it was last", async () => {
  const { history, pass } = setUp();
  history.record(node, [counts({ errors: 1 })]);
  history.record(node, [counts({ requests: 5, inProgress: 7, dropped: 3 })]);
  const [resources = []] = await pass();
  expect(figures(resources)).toEqual({ requests: 15, errors: 1, dropped: 3, in_progress: 7 });
  expect(resources[0]?.resource.attributes).toEqual([
    { key: "service.name", value: { stringValue: "productpage.default" } },
    { key: "service.instance.id", value: { stringValue: "sidecar~1" } },
  ]);
  const [{ point } = { point: undefined }] = pointsOf(resources);
  expect(point).toMatchObject({ startTimeUnixNano: "0000000", timeUnixNano: "10000000000" });
  expect(point?.attributes).toEqual([
    { key: "cluster", value: { stringValue: cluster } },
    { key: "destination", value: { stringValue: "reviews.default.svc.cluster.local" } },
  ]);
  expect(await pass()).toEqual([]);
});

test("who is asked to keep them and is away is told of all of it later", async () => {
  const { history, state, pass } = setUp();
  state.isThere = false;
  history.record(node, [counts()]);
  expect(await pass()).toEqual([]);
  history.record(node, [counts({ inProgress: 0 })]);
  state.isThere = true;
  const [resources = []] = await pass();
  expect(figures(resources)).toEqual({ requests: 20, in_progress: 0 });
  expect(pointsOf(resources)[0]?.point).toMatchObject({ startTimeUnixNano: "0000000", timeUnixNano: "20000000000" });
});

test("only what goes to a service counts, and there is an end to it", async () => {
  const { history, state, pass } = setUp(2);
  history.record(node, [counts({ cluster: "xds-grpc" }), counts({ requests: 0, inProgress: 0 })]);
  expect(await pass()).toEqual([]);
  for (const locality of ["a", "b", "c"]) history.record(node, [counts({ locality })]);
  const [resources = []] = await pass();
  expect(pointsOf(resources).filter(({ name }) => name === "limpid.load.requests")).toHaveLength(2);
  expect(state.lost).toBe(1);
});
