import { describe, expect, it } from "vitest";
import { routesFrom } from "../test-plane.ts";
import { backOffMs, type CompiledRetryPolicy, compileRetryPolicy, resetMs, retriesResponse } from "./retry-policy.ts";

function compiled(policy: Record<string, unknown>): CompiledRetryPolicy {
  const config = routesFrom({
    virtual_hosts: [
      {
        name: "a",
        domains: ["*"],
        routes: [{ match: { prefix: "/" }, route: { cluster: "c", retry_policy: policy as never } }],
      },
    ],
  });
  const action = config.virtualHosts[0]?.routes[0]?.action;
  const made = action?.case === "route" ? compileRetryPolicy(action.value.retryPolicy) : undefined;
  if (made === undefined) throw new Error("no policy");
  return made;
}

describe("back-off", () => {
  it("doubles what it is taken from, up to the limit, evenly at random", () => {
    const policy = compiled({ retry_back_off: { base_interval: "0.1s", max_interval: "0.5s" } });
    const most = [1, 2, 3, 4, 5].map((retry) => backOffMs(policy, retry, () => 1));
    expect(most).toEqual([100, 200, 400, 500, 500]);
    const seen = Array.from({ length: 2000 }, () => backOffMs(policy, 1, Math.random));
    const mean = seen.reduce((sum, ms) => sum + ms, 0) / seen.length;
    // Uniform over 100: a mean of 2000 has a deviation of 28.9 / √2000 = 0.65.
    expect(Math.abs(mean - 50)).toBeLessThan(3.3);
    expect(backOffMs(compiled({}), 9, () => 1)).toBe(250);
  });

  it.each<[string, string[], number | undefined]>([
    ["seconds", ["retry-after", "2"], 2000],
    ["the first that can be read", ["retry-after", "soon", "x-reset", "1010"], 10_000],
    ["a time that is over", ["x-reset", "990"], undefined],
    ["longer than anybody waits", ["retry-after", "61"], undefined],
    ["at once", ["retry-after", "0"], undefined],
    ["nothing", [], undefined],
  ])("as the response asks: %s", (_, headers, ms) => {
    const reset_headers = [{ name: "Retry-After" }, { name: "x-reset", format: "UNIX_TIMESTAMP" }];
    const policy = compiled({ rate_limited_retry_back_off: { reset_headers, max_interval: "60s" } });
    expect(resetMs(policy, headers, 1_000_500)).toBe(ms);
  });
});

it("an answer that another proxy has limited is tried again only where that is asked for", () => {
  const limited = ["x-envoy-ratelimited", "true"];
  expect(retriesResponse(compiled({ retry_on: "5xx" }), 503, limited)).toBe(false);
  expect(retriesResponse(compiled({ retry_on: "5xx,envoy-ratelimited" }), 429, limited)).toBe(true);
});

it.each<[string, Record<string, unknown>, string]>([
  ["no update frequency", { retry_priority: { name: "p" } }, "retry_priority.typed_config.update_frequency: required"],
  ["no reset header", { rate_limited_retry_back_off: {} }, "rate_limited_retry_back_off.reset_headers: needs at least"],
  [
    "a longest pause below the shortest",
    { retry_back_off: { base_interval: "1s", max_interval: "0.5s" } },
    "retry_back_off.max_interval: must not be less than base_interval",
  ],
])("refuses %s", (_, policy, error) => {
  expect(() => compiled(policy)).toThrow(error);
});
