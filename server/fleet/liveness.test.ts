import { expect, test } from "vitest";
import { Liveness, type ProbeResult } from "./liveness.ts";

const policy = { everyMs: 3_000, unresponsiveProbes: 2, hungMs: 30_000, hungProbes: 5, startMs: 120_000 };

/** Probes at the seconds given. */
const judge = (probes: readonly (readonly [sec: number, result: ProbeResult, lateSec?: number])[]) => {
  const liveness = new Liveness(policy, 0);
  return probes.map(([sec, result, lateSec = 0]) => liveness.record(result, sec * 1000, lateSec * 1000));
};

test("it takes two silent probes to be unresponsive, and half a minute and five to be hung", () => {
  expect(
    judge([
      [1, "ready"],
      [9, "silent"],
      [17, "silent"],
      [25, "silent"],
      [30, "silent"],
      [33, "silent"],
    ]),
  ).toEqual(["ready", "ready", "unresponsive", "unresponsive", "unresponsive", "hung"]);
  expect(
    judge([
      [1, "ready"],
      [40, "silent"],
      [80, "silent"],
    ]),
  ).toEqual(["ready", "ready", "unresponsive"]);
});

test("any answer begins anew, also one that says no", () => {
  const silent = [9, 17, 25, 30].map((sec) => [sec, "silent"] as const);
  const later = [33, 37, 41, 45].map((sec) => [sec, "silent"] as const);
  expect(judge([[1, "ready"], ...silent, [31, "unready"], ...later]).slice(-5)).toEqual([
    "unready",
    "ready",
    "unresponsive",
    "unresponsive",
    "unresponsive",
  ]);
});

test("when the prober itself stood still, the silence says nothing", () => {
  const probes = [9, 17, 25, 30].map((sec) => [sec, "silent"] as const);
  expect(judge([[1, "ready"], ...probes, [600, "silent", 560]]).at(-1)).toBe("ready");
});

test("a start may take two minutes", () => {
  expect(
    judge([
      [1, "silent"],
      [60, "silent"],
      [119, "silent"],
      [120, "silent"],
    ]),
  ).toEqual(["unready", "unready", "unready", "hung"]);
});
