import { expect, it } from "vitest";
import type { Change, Graph } from "../../server/contract/index.ts";
import { asOf, knownRates, momentOf, nextMoment } from "./replay.ts";
import { bookinfo } from "./testing/graph.ts";

const timeline = { fromMs: 0, stepSec: 1, requestRate: [], errorShare: [], recordedFromMs: 0 };
const graph: Graph = { at: 0, windowSec: 60, freshAt: null, silentSince: null, timeline, ...bookinfo };
const change = (at: number, kind: Change["kind"], name = "ratings"): Change => ({
  revision: at,
  at,
  author: "ana",
  words: [],
  summary: "",
  kind,
  objects: [{ type: "MODIFIED", kind: "VirtualService", namespace: "default", name }],
});
const hasFault = (changes: Change[], at: number, app = "ratings") =>
  asOf(graph, changes, at)
    .nodes.find((node) => node.app === app)
    ?.badges.includes("fault");

it("shows a fault only while it burned", () => {
  expect(hasFault([change(100, "fault-start")], 50)).toBe(false);
  expect(hasFault([change(100, "fault-start")], 150)).toBe(true);
  const over = [change(100, "fault-start", "details"), change(200, "fault-end", "details")];
  expect([50, 150, 250].map((at) => hasFault(over, at, "details"))).toEqual([false, true, false]);
});

it("leaves the graph alone when nothing changed since", () =>
  expect(asOf(graph, [change(1, "traffic")], 5)).toBe(graph));

it("is one step before live with the first key, and live past that", () => {
  const span = { from: 0, to: 900_000, stepMs: 10_000 };
  expect(momentOf(span.to - span.stepMs, span)).toBe(890_000);
  expect([momentOf(891_000, span), momentOf(span.to + 5000, span)]).toEqual([null, null]);
  expect(momentOf(-5000, span)).toBe(10_000);
});

it("knows no rate before the first record, and none in a gap that has none", () => {
  const told = {
    ...timeline,
    stepSec: 10,
    requestRate: [0, 3, 0, 0, 4, 0],
    gaps: [{ fromMs: 22_000, toMs: 41_000 }],
  };
  expect(knownRates(told, 1)).toEqual([null, 3, null, null, 4, 0]);
});

it("plays on from a moment, or from the start, as fast as it is told, until the end", () => {
  const span = { from: 0, to: 60_000, stepMs: 10_000 };
  expect(nextMoment(null, 1, span)).toBe(10_000);
  expect(nextMoment(20_000, 5, span)).toBe(25_000);
  expect(nextMoment(40_000, 20, span)).toBeNull();
});
