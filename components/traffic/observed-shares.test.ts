import { expect, it } from "vitest";
import type { Series, ServiceMetrics } from "../../server/contract/index.ts";
import { observedSince } from "./observed-shares.ts";

const series = (version: string, requestRate: number[]): Series => ({
  version,
  requestRate,
  errorShare: [],
  latencyMsP50: [],
  latencyMsP90: [],
  latencyMsP95: [],
  latencyMsP99: [],
});
const metrics: ServiceMetrics = {
  at: 110_000,
  windowSec: 10,
  stepSec: 1,
  fromMs: 100_000,
  dataFromMs: 0,
  workloads: [],
  series: [
    series("all", [10, 10, 10, 10, 10, 10, 10, 10, 10, 10]),
    series("v1", [10, 10, 10, 10, 10, 10, 10, 10, 2, 3]),
    series("v2", [0, 0, 0, 0, 0, 0, 0, 0, 8, 7]),
  ],
  totals: {},
  observedShares: { v1: 0.85, v2: 0.15 },
  callers: [],
};

it("counts only whole steps since the change", () => {
  expect(observedSince(metrics, 107_300)).toEqual({ shares: { v1: 0.25, v2: 0.75 }, of: "change" });
});

it("takes the last 10 s when nothing changed, long ago, or too few requests came since", () => {
  const window = { shares: { v1: 0.85, v2: 0.15 }, of: "window" };
  expect(observedSince(metrics, null)).toEqual(window);
  expect(observedSince(metrics, 90_000)).toEqual(window);
  expect(observedSince(metrics, 109_500)).toEqual(window);
  expect(observedSince(metrics, 111_000)).toEqual(window);
});
