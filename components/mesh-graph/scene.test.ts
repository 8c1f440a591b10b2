import { expect, it } from "vitest";
import { near } from "./detail.ts";
import { placeLabels } from "./place-labels.ts";
import { buildScene, radiusOf, visibleGraph, widthOf } from "./scene.ts";
import { testEdge, testNode } from "./testing/graph.ts";

const box = "default/reviews";
const nodes = [
  testNode("default/productpage/v1"),
  testNode("default/reviews/v1", { box, badges: ["split"] }),
  testNode("default/reviews/v2", { box, badges: ["split", "fault"], idle: true }),
];
const edges = [
  testEdge("default/productpage/v1", "default/reviews/v1"),
  testEdge("default/productpage/v1", "default/reviews/v2"),
];
const graph = {
  at: 0,
  windowSec: 60,
  freshAt: null,
  timeline: { fromMs: 0, stepSec: 1, requestRate: [], errorShare: [], recordedFromMs: 0 },
  silentSince: null,
  nodes,
  edges,
};
const points = new Map([
  ["default/productpage/v1", { x: 0, y: 50 }],
  ["default/reviews/v1", { x: 200, y: 0 }],
  ["default/reviews/v2", { x: 200, y: 104 }],
]);
const text = { name: () => "n", sub: () => "s", labels: () => [] };

it("grows with the rate, within bounds", () => {
  expect([radiusOf(0), radiusOf(42), radiusOf(1e9)].map(Math.round)).toEqual([14, 30, 38]);
  expect(widthOf(1e9)).toBe(6);
  expect(widthOf(40)).toBeGreaterThan(widthOf(10));
});

it("puts the versions into one box that says once that traffic is split", () => {
  const boxes = buildScene(graph, points, text).boxes;
  const versions = boxes.find(({ kind }) => kind === "versions");
  expect(versions).toMatchObject({ id: box, badges: ["split"] });
  for (const y of [0, 104]) {
    expect(versions && versions.y < y && versions.y + versions.height > y).toBe(true);
  }
  expect(boxes.filter(({ kind }) => kind === "namespace").map(({ name }) => name)).toEqual(["default"]);
});

it("leaves out calls that lead nowhere, and bounds everything that is drawn", () => {
  const scene = buildScene(
    { nodes, edges: [...edges, testEdge("default/productpage/v1", "default/ghost/v1")] },
    points,
    text,
  );
  expect(scene.edges.length).toBe(2);
  const { bounds } = scene;
  for (const rect of scene.boxes) {
    expect(bounds.x <= rect.x && bounds.x + bounds.width >= rect.x + rect.width).toBe(true);
  }
});

it("hides what is idle together with its calls", () => {
  expect(visibleGraph(graph, true)).toMatchObject({ nodes: [nodes[0], nodes[1]], edges: [edges[0]] });
  expect(visibleGraph(graph, false)).toBe(graph);
});

it("words what stands on a call only where it is read, and once", () => {
  let worded = 0;
  const scene = buildScene(graph, points, { ...text, labels: () => [`${++worded} rps`] });
  expect(placeLabels(scene, near * 0.9).numbers).toEqual([]);
  expect(worded).toBe(0);
  for (let times = 0; times < 2; times++) placeLabels(scene, near);
  expect(worded).toBe(scene.edges.length);
});
