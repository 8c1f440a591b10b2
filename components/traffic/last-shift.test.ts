import { expect, it } from "vitest";
import type { Change, Routing } from "../../server/contract/index.ts";
import { overtakenBy, undoableShift } from "./last-shift.ts";

const routingAt = (resourceVersion: string): Routing => ({
  hostname: "reviews.default.svc.cluster.local",
  virtualService: { namespace: "default", name: "reviews", resourceVersion, yaml: "" },
  destinationRule: null,
  rules: [],
  versions: [],
  proxies: 0,
  entrances: [],
});
const shift: Change = {
  revision: 7,
  at: 1000,
  author: "ana",
  words: [],
  summary: "reviews 80/20 → 70/30",
  kind: "traffic",
  weights: { before: "80/20", after: "70/30" },
  objects: [{ type: "MODIFIED", kind: "VirtualService", namespace: "default", name: "reviews" }],
};
const own = { revision: 9, before: "70/30", after: "50/50" };

it("offers after a reload what the history says was written last", () => {
  expect(undoableShift(routingAt("7"), [shift], null, 2000)).toEqual({
    revision: 7,
    before: "80/20",
    after: "70/30",
    by: { author: "ana", at: 1000 },
  });
});

it("promises no weights of a canary's step, whose undo takes its whole run back", () => {
  const word = { code: "canary", canary: "reviews", event: "step", version: "v3", weight: 50 } as const;
  expect(undoableShift(routingAt("7"), [{ ...shift, words: [word] }], null, 2000)).toMatchObject({ before: null });
  const back = { ...word, event: "rollback" } as const;
  expect(undoableShift(routingAt("7"), [{ ...shift, words: [back] }], null, 2000)).toBe(null);
});

it("leaves an old one to the history", () => {
  expect(undoableShift(routingAt("7"), [shift], null, shift.at + 16 * 60_000)).toBe(null);
  expect(undoableShift(routingAt("9"), [shift], own, shift.at + 16 * 60_000)).toBe(own);
});

it("offers nothing when another write stands on top, or the last one was no shift", () => {
  expect(undoableShift(routingAt("8"), [shift], null, 2000)).toBe(null);
  expect(undoableShift(routingAt("7"), [{ ...shift, kind: "fault-start" }], null, 2000)).toBe(null);
  expect(undoableShift(undefined, [shift], null, 2000)).toBe(null);
});

it("offers this page's own write until somebody writes over it", () => {
  expect(undoableShift(routingAt("7"), [shift], own, 2000)).toBe(own);
  expect(undoableShift(routingAt("9"), [shift], own, 2000)).toBe(own);
  expect(undoableShift(routingAt("12"), [{ ...shift, revision: 12 }], own, 2000)).toMatchObject({ revision: 12 });
  expect(undoableShift({ ...routingAt("9"), virtualService: null }, [], own, 2000)).toBe(own);
});

it("names whose write overtook a draft: the newest of these rules, not one of another namespace's or an older one", () => {
  const foreign: Change = {
    ...shift,
    revision: 9,
    objects: shift.objects.map((one) => ({ ...one, namespace: "other" })),
  };
  expect(overtakenBy([foreign, shift], routingAt("7"), "3")).toBe(shift);
  expect(overtakenBy([foreign, shift], { ...routingAt("7"), virtualService: null }, "3")).toBe(shift);
  expect(overtakenBy([foreign, shift], routingAt("7"), "7")).toBe(undefined);
});
