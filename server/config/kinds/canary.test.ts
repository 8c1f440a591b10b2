import { expect, test } from "vitest";
import { parse } from "yaml";
import { canary } from "./canary.ts";

const parsed = (spec: string) =>
  canary.parse({
    apiVersion: "limpid.dev/v1alpha1",
    kind: "Canary",
    metadata: { name: "reviews", namespace: "default" },
    spec: parse(spec),
  });
const errors = (spec: string) => {
  const result = parsed(spec);
  return result.ok ? [] : result.errors.map(({ path, message }) => `${path}: ${message}`);
};

test("a whole one", () => {
  expect(
    errors(`
      service: { name: reviews, namespace: shop }
      route: { virtualService: istio-system/entry, rule: 2 }
      from: v1
      to: v2
      steps: [{ weight: 5, hold: 30s }, { weight: 100, hold: 24h }]
      thresholds: { minRequests: 10, successRate: { min: 99.5, maxDrop: 0.5 }, latencyP95: { max: 250ms, maxRatio: 1.5 } }
      onFailure: Pause
      paused: true`),
  ).toEqual([]);
});

test("everything that is wrong, at once and by its path", () => {
  expect(
    errors(`
      service: { name: reviews }
      from: v1
      to: v1
      steps: [{ weight: 50, hold: 25h }, { weight: 50, hold: soon }, { weight: 101 }]
      thresholds: { successRate: {}, latencyP95: { maxRatio: 0.5 }, minRequest: 3 }
      onFailure: Rolback`),
  ).toEqual([
    "spec.steps[0].hold: must be at most 24h, not 25h",
    'spec.steps[1].hold: must be a duration such as "500ms", "7s" or "1h2m3s", not "soon"',
    "spec.steps[2].weight: must be at most 100, not 101",
    "spec.steps[2].hold: is required",
    "spec.thresholds.successRate: set one of min, maxDrop, or all",
    "spec.thresholds.latencyP95.maxRatio: must be at least 1, not 0.5",
    "spec.thresholds.minRequest: unknown field; did you mean minRequests?",
    "spec.onFailure: must be one of Rollback, Pause; did you mean Rollback?",
    'spec.to: must be another version than from, "v1"',
    "spec.steps[1].weight: must be more than the step before has, 50, not 50",
  ]);
  expect(errors("{ service: { name: a }, from: v1, to: v2, steps: [] }")).toEqual([
    "spec.steps: needs at least one entry",
  ]);
});
