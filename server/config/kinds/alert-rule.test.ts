import { describe, expect, it } from "vitest";
import { alertRule } from "./alert-rule.ts";

const parse = (spec: object) =>
  alertRule.parse({
    apiVersion: "limpid.dev/v1alpha1",
    kind: "AlertRule",
    metadata: { name: "a", namespace: "d" },
    spec,
  });

describe("an AlertRule", () => {
  it.each([
    { when: { errors: { above: 5 } } },
    { service: "reviews", when: { latency: { above: "300ms", percentile: "P99" } }, for: "0s", window: "1h" },
    { when: { rate: { below: 1 } }, severity: "Info", receivers: ["team"] },
    { when: { proxies: { states: ["Disconnected"] } }, suspended: true },
    { when: { certificates: { endWithin: "72h" } } },
  ])("%j", (spec) => expect(parse(spec)).toMatchObject({ ok: true, value: { spec } }));

  it.each([
    [{ when: {} }, "spec.when", "set one of errors, latency, rate, health, proxies, certificates"],
    [{ when: { errors: { above: 5 }, health: { atLeast: "Failing" } } }, "spec.when", "set one of"],
    [{ when: { rate: { above: 1, below: 2 } } }, "spec.when.rate", "set one of above, below"],
    [{ when: { errors: { above: 101 } } }, "spec.when.errors.above", "must be at most 100"],
    [{ when: { errors: { above: 1 } }, window: "5s" }, "spec.window", "must be at least 10s, not 5s"],
    [{ when: { errors: { above: 1 } }, for: "25h" }, "spec.for", "must be at most 24h, not 25h"],
    [{ service: "a", when: { proxies: { states: ["Refused"] } } }, "spec.service", "must not be beside when.proxies"],
  ])("%j is refused at %s", (spec, path, message) => {
    const result = parse(spec);
    expect(result.ok ? [] : result.errors).toContainEqual(
      expect.objectContaining({ path, message: expect.stringContaining(message) }),
    );
  });

  it("says once what is wrong with a duration that is none", () => {
    const result = parse({ when: { errors: { above: 1 } }, window: "abc" });
    expect(result.ok ? [] : result.errors.map(({ path }) => path)).toEqual(["spec.window"]);
  });
});
