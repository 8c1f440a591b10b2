import { afterEach, expect, test } from "vitest";
import { LoadList, PushHistory, RateLimitUses } from "../../../contract/index.ts";
import { type ApiHarness, startApi } from "../testing/api-harness.ts";

let api: ApiHarness;
afterEach(() => api.close());

const load = (cluster: string, requestsPerSec: number) => ({
  cluster,
  locality: "",
  requestsPerSec,
  errorsPerSec: 0,
  droppedPerSec: 0,
  inProgress: 1,
  at: 5,
  service: "not told",
});

test("what proxies report and how limits stand is told in the contract's form", async () => {
  const limit = { name: "", unit: "minute" as const, requestsPerUnit: 10, unlimited: false, shadow: false };
  api = await startApi({
    use: {
      loads: () => new Map([["a", [load("quiet", 1), load("busy", 9)]]]),
      rateLimits: () => [{ domain: "shop", descriptor: "path=/", limit, count: 4, endMs: 60_000 }],
    },
  });
  const loads = LoadList.parse((await api.call("GET", "/limpid/v1/loads")).body);
  expect(loads.proxies.map(({ id, loads }) => [id, loads.map(({ cluster }) => cluster)])).toEqual([
    ["a", ["busy", "quiet"]],
  ]);
  expect(RateLimitUses.parse((await api.call("GET", "/limpid/v1/rate-limits")).body).limits).toEqual([
    {
      domain: "shop",
      descriptor: "path=/",
      name: "",
      unit: "minute",
      requestsPerUnit: 10,
      shadow: false,
      count: 4,
      endMs: 60_000,
    },
  ]);
  expect(PushHistory.parse((await api.call("GET", "/limpid/v1/pushes")).body)).toEqual({ pushes: [] });
});

test("where nothing is known, nothing is told", async () => {
  api = await startApi();
  expect((await api.call("GET", "/limpid/v1/loads")).body).toEqual({ proxies: [] });
  expect((await api.call("GET", "/limpid/v1/rate-limits")).body).toEqual({ limits: [] });
});
