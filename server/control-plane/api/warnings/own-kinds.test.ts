import { describe, expect, test } from "vitest";
import { warn } from "./testing/warn.ts";

describe("Limpid's own kinds", () => {
  const layer = (name: string, more: string) =>
    `{ apiVersion: limpid.dev/v1alpha1, kind: RuntimeLayer, metadata: { name: ${name} }, spec: { ${more} } }`;
  test("a RuntimeLayer for nobody, and two that set one key", () => {
    expect(warn(layer("a", "selector: { matchLabels: { app: revews } }, values: { a.b: 1 }"))).toEqual([
      "spec.selector.matchLabels: no workload of the namespace default has the labels app=revews: it is for nobody",
    ]);
    const selector = "selector: { matchLabels: { app: reviews } },";
    expect(warn(`${layer("a", "values: { a.b: 1, c: 2 }")}\n---\n${layer("b", "values: { a.b: 3 }")}`)).toEqual([
      'spec.values["a.b"]: RuntimeLayer default/b sets it for the same workloads, too; this one\'s, the older, counts',
      'spec.values["a.b"]: RuntimeLayer default/a sets it for the same workloads, too; that one\'s, the older, counts',
    ]);
    expect(warn(`${layer("a", "values: { a.b: 1 }")}\n---\n${layer("b", `${selector} values: { a.b: 3 }`)}`)).toEqual(
      [],
    );
    expect(warn(`${layer("a", "values: { a.b: 1 }")}\n---\n${layer("b", "layer: other, values: { a.b: 3 }")}`)).toEqual(
      [],
    );
  });

  test("annotations on health that can't be followed", () => {
    const annotations = '{ health.kiali.io/rate: "404,1,5", health.limpid.dev/latency-p95: "1s" }';
    const service = `{ apiVersion: v1, kind: Service, metadata: { name: shop, annotations: ${annotations} }, spec: { ports: [{ port: 80 }] } }`;
    expect(warn(service)).toEqual([
      'metadata.annotations["health.kiali.io/rate"]: "404,1,5" is for single codes: only all of 5XX and all of 4XX can have thresholds',
      'metadata.annotations["health.limpid.dev/latency-p95"]: "1s" must be two durations, the first no longer than the second, such as 500ms,2s',
    ]);
  });

  const canary = (name: string, more: string) =>
    `{ apiVersion: limpid.dev/v1alpha1, kind: Canary, metadata: { name: ${name} }, spec: { steps: [{ weight: 10, hold: 1m }], ${more} } }`;
  test("a Canary for nobody, of versions that are not there, and two of one service", () => {
    expect(warn(canary("a", "service: { name: nobody }, from: v1, to: v2"))).toEqual([
      "spec.service.name: there is no service nobody in default",
    ]);
    const told = warn(
      canary("a", "service: { name: reviews }, from: v1, to: v9, thresholds: { successRate: { min: 0 } }"),
    );
    expect(told).toEqual([
      "spec.to: no workload of reviews has the version v9",
      "spec.thresholds.successRate.min: is 0: no share of failures stops it",
    ]);
    const both = "service: { name: reviews }, from: v1, to: v2";
    const rivals = warn(`${canary("a", both)}\n---\n${canary("b", both)}`);
    expect(rivals.filter((one) => one.startsWith("spec.service"))).toEqual([
      "spec.service: Canary default/b moves its weights, too: each pauses at the other's steps",
      "spec.service: Canary default/a moves its weights, too: each pauses at the other's steps",
    ]);
  });

  const limits = (name: string, descriptors: string, domain = "edge") =>
    `{ apiVersion: limpid.dev/v1alpha1, kind: RateLimitConfig, metadata: { name: ${name} }, spec: { domain: ${domain}, descriptors: [${descriptors}] } }`;
  test("a RateLimitConfig that limits nothing, or everything", () => {
    const told = warn(
      limits(
        "a",
        "{ key: a }, { key: b, shadow_mode: true, descriptors: [{ key: c, rate_limit: { unlimited: true, unit: day } }] }, { key: d, rate_limit: { unit: day, requests_per_unit: 0 } }",
      ),
    );
    expect(told).toEqual([
      "spec.descriptors[0]: has no rate_limit and no descriptors: it limits nothing",
      "spec.descriptors[1].shadow_mode: has no effect without rate_limit",
      "spec.descriptors[1].descriptors[0].rate_limit: is unlimited: unit and requests_per_unit have no effect",
      "spec.descriptors[2].rate_limit.requests_per_unit: is 0: every request is refused",
    ]);
    expect(warn(limits("a", "{ key: a, rate_limit: { unit: day, requests_per_unit: 5 } }"))).toEqual([]);
  });

  test("two RateLimitConfigs with a limit for one descriptor", () => {
    const limit = "rate_limit: { unit: day, requests_per_unit: 5 }";
    const nested = `{ key: a, descriptors: [{ key: b, value: x, ${limit} }] }`;
    expect(warn(`${limits("a", nested)}\n---\n${limits("b", nested)}`)).toEqual([
      "spec.descriptors[0].descriptors[0].rate_limit: RateLimitConfig default/b has a limit for it in the domain edge, too; this one's, the older, counts",
      "spec.descriptors[0].descriptors[0].rate_limit: RateLimitConfig default/a has a limit for it in the domain edge, too; that one's, the older, counts",
    ]);
    expect(warn(`${limits("a", nested)}\n---\n${limits("b", nested, "other")}`)).toEqual([]);
  });
});
