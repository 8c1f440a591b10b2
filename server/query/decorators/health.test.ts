import { expect, it } from "vitest";
import { errorTone, healthCause, healthOf, latencyTone } from "../../contract/index.ts";

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
    value: 0.043,
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

it("knows slowness, where a duration says something", () => {
  const of = (latencyMsP95: number, timed = true) =>
    healthOf(
      {
        requestRate: 1,
        errorShare: 0,
        clientErrorShare: 0,
        latencyMsP50: 1,
        latencyMsP90: 1,
        latencyMsP95,
        latencyMsP99: 1,
      },
      { timed },
    );
  expect([of(999), of(1000), of(5000), of(5000, false)]).toEqual(["healthy", "degraded", "failing", "healthy"]);
});

it("gives a number the colour of the health that it alone would make", () => {
  expect([0, 0.003, 0.1].map((errorShare) => errorTone({ errorShare }))).toEqual(["plain", "warn", "bad"]);
  expect([null, 40, 1200, 9000].map((latencyMsP95) => latencyTone({ latencyMsP95 }))).toEqual([
    "plain",
    "plain",
    "warn",
    "bad",
  ]);
});

it("goes by a service's own thresholds, where it has any, for the number's colour, too", () => {
  const thresholds = {
    errors: { degraded: 0.02, failing: 0.5 },
    clientErrors: { degraded: 0.1, failing: 0.2 },
    latencyMsP95: { degraded: 100, failing: 200 },
  };
  const none = { latencyMsP50: null, latencyMsP90: null, latencyMsP95: null, latencyMsP99: null };
  const of = (errorShare: number, latencyMsP95: number | null = null) => {
    const signals = { requestRate: 1, errorShare, clientErrorShare: 0, ...none, latencyMsP95, thresholds };
    return [healthOf(signals), errorTone(signals), latencyTone(signals)];
  };
  expect(of(0.01)).toEqual(["healthy", "plain", "plain"]);
  expect(of(0.2)).toEqual(["degraded", "warn", "plain"]);
  expect(of(0, 250)).toEqual(["failing", "plain", "bad"]);
});
