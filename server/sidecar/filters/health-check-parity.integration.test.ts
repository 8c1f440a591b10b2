import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, it } from "vitest";
import { type Ask, envoyMissing } from "../testing/beside-envoy.ts";
import { http, Transforms } from "./testing/transforms.ts";

const transforms = new Transforms();

const check = (config: JsonObject): JsonObject =>
  http("health_check", "health_check.v3.HealthCheck", {
    headers: [{ name: "x-check", string_match: { exact: "yes" } }],
    ...config,
  });

beforeAll(
  () =>
    transforms.start((listener) => ({
      checked: listener([check({ pass_through_mode: false })]),
      passed: listener([check({ pass_through_mode: true, cache_time: "60s" })]),
      healthy: listener([check({ pass_through_mode: false, cluster_min_healthy_percentages: { up: { value: 50 } } })]),
      absent: listener([check({ pass_through_mode: false, cluster_min_healthy_percentages: { gone: { value: 50 } } })]),
      hollow: listener([check({ pass_through_mode: false, cluster_min_healthy_percentages: { none: { value: 1 } } })]),
    })),
  90_000,
);
afterAll(() => transforms.close());

describe.skipIf(envoyMissing)("health checks, like Envoy", () => {
  it.each<[string, string, Ask]>([
    ["checked", "a check", { path: "/", headers: { "x-check": "yes" } }],
    ["checked", "a check with a body", { method: "POST", path: "/", headers: { "x-check": "yes" }, body: "b" }],
    ["checked", "no check", { path: "/" }],
    ["passed", "a check that goes on", { path: "/", headers: { "x-check": "yes" } }],
    ["passed", "the same again, remembered", { path: "/", headers: { "x-check": "yes" } }],
    ["healthy", "a cluster that is well", { path: "/", headers: { "x-check": "yes" } }],
    ["absent", "a cluster that is not there", { path: "/", headers: { "x-check": "yes" } }],
    ["hollow", "a cluster without hosts", { path: "/", headers: { "x-check": "yes" } }],
  ])("%s: %s", async (name, _, what) => {
    await transforms.compare(name, what);
  });

  it("counts as Envoy does", async () => {
    await transforms.compareCounters("http.test.health_check");
  });
});
