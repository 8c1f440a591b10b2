import { expect, it } from "vitest";
import { mutualTlsByWorkload } from "./mutual-tls.ts";
import { advised, calls, edge, line, views } from "./testing/shop.ts";

const plain = { mtls: false };
const input = { workloads: views, advised, sums: [], rows: [], turnedAway: new Map<string, number>() };

it("counts mutual TLS and plain text by who comes so, where plain text comes in first", () => {
  const sums = [
    calls(edge("page", "reviews"), 20),
    calls(edge("legacy", "reviews", plain), 2),
    calls(edge("", "reviews", plain), 3),
    calls(edge("reviews", "page"), 7),
  ];
  const [reviews, page, legacy] = mutualTlsByWorkload({ ...input, sums });
  expect(reviews).toMatchObject({
    name: "reviews-v1",
    proxy: "certified",
    ports: [{ port: 9080, mode: "PERMISSIVE", plain: 5, mutual: 20 }],
    plainCallers: [
      { caller: "", calls: 3 },
      { caller: "default/legacy-v1", calls: 2 },
    ],
  });
  expect(page).toMatchObject({ name: "page-v1", plain: 0, mutual: 7 });
  expect(legacy).toMatchObject({ name: "legacy-v1", proxy: "none" });
});

it("tells the ports of a workload apart by the lines that are kept", () => {
  const mtls = [9080, 9090].map((port) => ({ port, mode: "PERMISSIVE" as const, by: null }));
  const workloads = views.map((view) => (view.app === "reviews" ? { ...view, mtls } : view));
  const rows = [
    line(edge("page", "reviews")),
    line(edge("legacy", "reviews", plain), { upstreamCluster: "inbound|9090||" }),
  ];
  const found = mutualTlsByWorkload({ ...input, workloads, rows }).find(({ name }) => name === "reviews-v1");
  expect(found?.ports).toMatchObject([
    { port: 9080, plain: 0, mutual: 1 },
    { port: 9090, plain: 1, mutual: 0 },
  ]);
});

it("puts first where STRICT turned connections away, and counts those of strict ports alone", () => {
  const turnedAway = new Map([
    ["10.0.0.2:9080", 4],
    ["10.0.0.1:9080", 9],
  ]);
  const strict = { port: 9080, mode: "STRICT" as const, by: { namespace: "default", name: "p", field: "mtls" } };
  const workloads = views.map((view) => (view.app === "reviews" ? { ...view, mtls: [strict] } : view));
  const [first, ...others] = mutualTlsByWorkload({
    ...input,
    workloads,
    turnedAway,
    sums: [calls(edge("", "page", plain), 90)],
  });
  expect(first).toMatchObject({ name: "reviews-v1", turnedAway: 4 });
  expect(others.map(({ turnedAway: count }) => count)).toEqual([0, 0]);
});
