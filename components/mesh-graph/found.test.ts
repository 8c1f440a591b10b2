import { expect, it } from "vitest";
import { parseFind } from "./find.ts";
import { findIn } from "./found.ts";
import { testEdge, testNode } from "./testing/graph.ts";

const graph = {
  nodes: [testNode("default/a/v1"), testNode("default/b/v1", { badges: ["fault"] }), testNode("shop/c/v2")],
  edges: [testEdge("default/a/v1", "default/b/v1", { errorShare: 0.2 }), testEdge("default/b/v1", "shop/c/v2")],
};
const find = (text: string) => {
  const parsed = parseFind(text);
  return parsed.ok && parsed.matches ? findIn(graph, parsed.matches) : null;
};

it("lights a call that matches together with its two ends, and counts only what matches", () => {
  const found = find("errors > 1%");
  expect(found?.count).toBe(1);
  expect(found?.lit).toEqual(new Set(["default/a/v1>default/b/v1", "default/a/v1", "default/b/v1"]));
});

it("finds by namespace, version and badge", () => {
  expect(find("shop/c")?.count).toBe(2);
  expect(find("fault and not shop")?.lit).toEqual(new Set(["default/b/v1"]));
  expect(find("nowhere")?.count).toBe(0);
});

it("looks at a node's fields in nodes and at a call's in calls", () => {
  expect(find("namespace = default")?.lit).toEqual(new Set(["default/a/v1", "default/b/v1"]));
  expect(find("version != v1")?.lit).toEqual(new Set(["shop/c/v2"]));
  expect(find("from = b")?.lit).toEqual(new Set(["default/b/v1>shop/c/v2", "default/b/v1", "shop/c/v2"]));
  expect(find("to = b and errors > 1%")?.count).toBe(1);
  expect(find("service ^= c.")?.count).toBe(2);
});
