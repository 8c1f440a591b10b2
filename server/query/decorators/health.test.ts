import { expect, it } from "vitest";
import { healthCause, healthOf } from "../../contract/index.ts";

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

it("says which share is past which threshold", () => {
  const none = { latencyMsP50: null, latencyMsP90: null, latencyMsP95: null, latencyMsP99: null };
  const signals = { requestRate: 1, errorShare: 0, clientErrorShare: 0, ...none };
  expect(healthCause({ ...signals, errorShare: 0.043 })).toEqual({
    health: "degraded",
    by: "errors",
    share: 0.043,
    threshold: 0,
  });
  // 4xx fail it before a few 5xx would.
  expect(healthCause({ ...signals, errorShare: 0.01, clientErrorShare: 0.3 })).toMatchObject({
    health: "failing",
    by: "clientErrors",
    threshold: 0.2,
  });
  expect(healthCause(signals)).toBe(null);
});
