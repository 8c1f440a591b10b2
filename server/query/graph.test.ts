import { expect, it } from "vitest";
import { Graph } from "../contract/index.ts";
import { buildGraph } from "./graph.ts";
import { edge, facts, graphInput, row, service } from "./testing/rows.ts";

const rows = [
  row(edge("", "gw", { reporter: "destination", gateway: true }), { atMs: 1000, count: 40 }),
  row(edge("gw", "productpage", { gateway: true }), { atMs: 1000, count: 40, latencyMs: 50 }),
  row(edge("gw", "productpage", { reporter: "destination" }), { atMs: 1000, count: 40, latencyMs: 45 }),
  row(edge("productpage", "reviews/v1"), { atMs: 1000, count: 30 }),
  row(edge("productpage", "reviews/v2"), { atMs: 1000, count: 10, code: 503, flags: ["FI"] }),
];
const known = facts(service("reviews", ["v1", "v2", "v3"], { badges: ["split"] }), service("productpage", ["v1"]));

it("keeps to its contract and to what was seen", () => {
  const graph = Graph.parse(buildGraph(graphInput(rows, known)));
  expect(graph).toMatchObject({ at: 10_000, windowSec: 10, freshAt: 9900 });
  expect(graph.nodes.map((node) => [node.id, node.kind, node.health, node.signals.requestRate])).toEqual([
    ["default/gw/v1", "gateway", "healthy", 4],
    ["default/productpage/v1", "workload", "healthy", 4],
    ["default/reviews/v1", "workload", "healthy", 3],
    ["default/reviews/v2", "workload", "failing", 1],
    ["unknown/unknown/unknown", "source", "healthy", 4],
    ["default/reviews/v3", "workload", "idle", 0],
  ]);
  const page = graph.edges.find((each) => each.target === "default/productpage/v1");
  expect(page?.reported.source?.latencyMsP50).toBeCloseTo(50, 0);
  expect(page?.reported.destination?.latencyMsP50).toBeCloseTo(45, 0);
  const faulty = graph.edges.find((each) => each.target === "default/reviews/v2");
  expect(faulty).toMatchObject({
    codes: { "503": 1 },
    flags: { FI: 1 },
    health: "failing",
    reported: { destination: null },
  });
  expect(graph.timeline.requestRate).toEqual([0, 40, 0, 0, 0, 0, 0, 0, 0, 0]);
});

it("is empty without traffic and without a registry", () => {
  expect(Graph.parse(buildGraph(graphInput([])))).toMatchObject({ nodes: [], edges: [] });
});

it("gives the same ids in the same order for the same traffic", () => {
  const ids = (order: typeof rows) => buildGraph(graphInput(order, known)).nodes.map((node) => node.id);
  expect(ids(rows.toReversed())).toEqual(ids(rows));
});

it("tells the messages of gRPC as who is called counted them", () => {
  const grpc = { protocol: "grpc" } as const;
  const calls = [
    row(edge("reviews", "ratings", grpc), { count: 5 }),
    row(edge("reviews", "ratings", { ...grpc, reporter: "destination" }), {
      requestMessages: 20,
      responseMessages: 50,
    }),
    row(edge("reviews", "silent", grpc)),
  ];
  const { edges } = buildGraph(graphInput(calls));
  expect(edges.map(({ messagesPerSecond }) => messagesPerSecond)).toEqual([{ sent: 2, received: 5 }, undefined]);
});

it("takes the time that a TCP connection was open for nobody's latency", () => {
  const rows = [row(edge("ratings", "mysqldb", { protocol: "tcp" }), { code: 0, latencyMs: 2_500 })];
  const { nodes, edges } = buildGraph(graphInput(rows));
  expect(nodes.map(({ signals }) => signals.latencyMsP95)).toEqual([null, null]);
  expect(edges.map(({ signals }) => signals.latencyMsP50)).toEqual([null]);
});

it("tells the bytes of TCP", () => {
  const bytes = { code: 0, requestBytes: 1_000, responseBytes: 25_000 };
  const rows = [row(edge("ratings", "mysqldb", { protocol: "tcp" }), bytes), row(edge("ratings", "x"), bytes)];
  const { edges } = buildGraph(graphInput(rows));
  expect(edges.map(({ protocol, bytesPerSecond }) => [protocol, bytesPerSecond])).toEqual([
    ["tcp", { sent: 100, received: 2_500 }],
    ["http", undefined],
  ]);
});
