import { expect, test } from "vitest";
import type { CanarySpec } from "../../config/kinds/index.ts";
import type { CanaryFigures, CanaryObserved, CanaryStatus } from "../../contract/index.ts";
import { type Advice, advance, type Route, type World } from "./advance.ts";

const spec: CanarySpec = {
  service: { name: "reviews" },
  from: "v1",
  to: "v3",
  steps: [
    { weight: 10, hold: "1m" },
    { weight: 50, hold: "1m" },
  ],
};
const version = (name: string) => ({ version: name, subset: name });
const good: CanaryFigures = { requests: 100, successRate: 100, latencyMsP95: 20 };

function route(weights: Record<string, number>): Route {
  return {
    virtualService: { namespace: "default", name: "reviews" },
    rule: 0,
    from: version("v1"),
    to: version("v3"),
    weights,
  };
}
const seen = (to: Partial<CanaryFigures> = {}, from: Partial<CanaryFigures> = {}): CanaryObserved => ({
  at: 0,
  windowSec: 60,
  from: { ...good, ...from },
  to: { ...good, ...to },
});
const moved = (advice: Advice) => {
  if (advice.is !== "move") throw new Error(`it waits: ${JSON.stringify(advice)}`);
  return advice.move;
};
/** From the beginning, with the weights always as it set them. */
function run(of: CanarySpec, start: Record<string, number>) {
  let status: CanaryStatus | undefined;
  let weights = start;
  return {
    get status() {
      return status;
    },
    at(now: number, rest: Partial<World> = {}, spec = of): Advice {
      const advice = advance(spec, status, { now, route: route(weights), ...rest });
      if (advice.is === "move") {
        status = advice.move.status;
        weights = advice.move.weights ?? weights;
      }
      return advice;
    },
  };
}

test("goes through: each step is held, and at the end everything is the new version's", () => {
  const canary = run(spec, { v1: 80, v2: 20 });
  expect(moved(canary.at(0))).toMatchObject({ event: "step", weights: { v1: 72, v2: 20, v3: 8 } });
  expect(canary.at(30_000, { observed: seen() })).toEqual({ is: "wait", until: 60_000 });
  expect(moved(canary.at(60_000, { observed: seen() })).weights).toEqual({ v1: 40, v2: 20, v3: 40 });
  expect(canary.at(119_999, { observed: seen() })).toEqual({ is: "wait", until: 120_000 });
  const last = moved(canary.at(120_000, { observed: seen() }));
  expect(last).toMatchObject({ event: "finished", weights: { v1: 0, v2: 20, v3: 80 } });
  expect(last.status).toMatchObject({ phase: "Succeeded", reason: "Passed", observed: seen() });
  expect(canary.at(500_000)).toEqual({ is: "wait" });
});

test.each([
  ["it fails too often", seen({ successRate: 98 }), "success-min"],
  ["it fails more often than the old one", seen({ successRate: 99.1 }, { successRate: 100 }), undefined],
  ["far slower", seen({ latencyMsP95: 120 }, { latencyMsP95: 30 }), "latency-ratio"],
  ["slower, and still quick", seen({ latencyMsP95: 40 }, { latencyMsP95: 2 }), undefined],
])("%s: within the hold", (_, observed, by) => {
  const canary = run(spec, { v1: 100 });
  canary.at(0);
  const advice = canary.at(10_000, { observed });
  if (by === undefined) return expect(advice.is).toBe("wait");
  expect(moved(advice)).toMatchObject({ event: "rollback", weights: { v1: 100 } });
  expect(canary.status).toMatchObject({ phase: "RolledBack", reason: "Worse", fault: { by }, observed });
  // The same file applied again starts nothing anew; another one does.
  expect(canary.at(20_000)).toEqual({ is: "wait" });
  expect(moved(canary.at(20_000, {}, { ...spec, to: "v3", steps: [{ weight: 5, hold: "1m" }] })).event).toBe("step");
});

test("limits of one's own: a drop in points, a p95 in milliseconds; and a pause in place of a way back", () => {
  const own: CanarySpec = {
    ...spec,
    thresholds: { minRequests: 5, successRate: { maxDrop: 0.5 }, latencyP95: { max: "80ms" } },
    onFailure: "Pause",
  };
  const slow = run(own, { v1: 100 });
  slow.at(0);
  const stop = moved(slow.at(1, { observed: seen({ latencyMsP95: 81 }) }));
  expect(stop.weights).toBeUndefined();
  expect(stop.status).toMatchObject({ phase: "Paused", reason: "Worse", fault: { by: "latency-max", limit: 80 } });
  const failing = run(own, { v1: 100 });
  failing.at(0);
  expect(moved(failing.at(1, { observed: seen({ successRate: 99 }) })).status.fault?.by).toBe("success-drop");
});

test("too few requests: it waits, and is neither promoted nor taken back", () => {
  const canary = run(spec, { v1: 100 });
  canary.at(0);
  const bad = { requests: 49, successRate: 0 };
  expect(canary.at(90_000, { observed: seen(bad) })).toEqual({ is: "wait", for: "requests" });
  expect(canary.at(90_000, { observed: seen({}, { requests: 3 }) })).toEqual({ is: "wait", for: "requests" });
  // Nobody can tell: no step without figures, however long ago it should have been.
  expect(canary.at(900_000).is).toBe("wait");
  expect(canary.status?.step).toBe(1);
});

test("a step that leaves the old version nothing is compared with what it did before", () => {
  const whole = { ...spec, steps: [...spec.steps, { weight: 100, hold: "1m" }] };
  const canary = run(whole, { v1: 100 });
  canary.at(0);
  canary.at(60_000, { observed: seen() });
  expect(moved(canary.at(120_000, { observed: seen() })).weights).toEqual({ v1: 0, v3: 100 });
  const none = { requests: 0, successRate: null, latencyMsP95: null };
  expect(moved(canary.at(130_000, { observed: seen({ latencyMsP95: 190 }, none) })).event).toBe("rollback");
});

test("somebody else's weights pause it, and it touches nothing until it is told to", () => {
  const canary = run(spec, { v1: 100 });
  canary.at(0);
  const stop = moved(canary.at(10_000, { route: route({ v1: 50, v3: 50 }), observed: seen() }));
  expect(stop).toMatchObject({ event: "paused", status: { phase: "Paused", reason: "WeightsChanged" } });
  expect(stop.weights).toBeUndefined();
  expect(stop.status.message).toContain("v1 50 %, v3 50 % and not v1 90 %, v3 10 %");
  expect(canary.at(600_000, { route: route({ v1: 50, v3: 50 }) })).toEqual({ is: "wait" });
});

test("`paused` holds it, and without it the step is held anew", () => {
  const canary = run(spec, { v1: 100 });
  canary.at(0);
  const paused = { ...spec, paused: true };
  expect(moved(canary.at(30_000, {}, paused)).status.reason).toBe("PausedByHand");
  expect(canary.at(300_000, { observed: seen({ successRate: 0 }) }, paused)).toEqual({ is: "wait" });
  expect(moved(canary.at(400_000))).toMatchObject({ event: "resumed", status: { step: 1, reason: "Holding" } });
  expect(canary.at(459_000, { observed: seen() })).toEqual({ is: "wait", until: 460_000 });
});

test("what can't be shared does not begin, says why, and begins as soon as it can", () => {
  const canary = run(spec, {});
  expect(moved(canary.at(0, { route: "the service has no version v3" })).status).toMatchObject({
    phase: "Pending",
    message: "the service has no version v3",
  });
  expect(canary.at(1, { route: "the service has no version v3" })).toEqual({ is: "wait" });
  expect(moved(canary.at(2, { route: route({ v1: 100 }) })).weights).toEqual({ v1: 90, v3: 10 });
});

test("an edited weight is taken at once", () => {
  const canary = run(spec, { v1: 100 });
  canary.at(0);
  const edited = { ...spec, steps: [{ weight: 20, hold: "1m" }, ...spec.steps.slice(1)] };
  expect(moved(canary.at(10_000, { observed: seen() }, edited)).weights).toEqual({ v1: 80, v3: 20 });
});
