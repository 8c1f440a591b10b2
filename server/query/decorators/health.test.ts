import { expect, it } from "vitest";
import { healthOf } from "./health.ts";

it.each([
  [0, 0, "healthy"],
  [0.001, 0, "degraded"],
  [0.0999, 0, "degraded"],
  [0.1, 0, "failing"],
  [1, 0, "failing"],
  [0, 0.0999, "healthy"],
  [0, 0.1, "degraded"],
  [0, 0.1999, "degraded"],
  [0, 0.2, "failing"],
  [0.01, 0.2, "failing"],
])("of %f errors and %f client errors it makes %s, as Kiali does", (errorShare, clientErrorShare, health) => {
  const none = { latencyMsP50: null, latencyMsP90: null, latencyMsP95: null, latencyMsP99: null };
  expect(healthOf({ requestRate: 1, errorShare, clientErrorShare, ...none })).toBe(health);
  expect(healthOf({ requestRate: 0, errorShare, clientErrorShare, ...none })).toBe("idle");
});
