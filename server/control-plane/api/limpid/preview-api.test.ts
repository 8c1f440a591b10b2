import { afterEach, expect, it } from "vitest";
import type { EnvoyPreview } from "../../../contract/index.ts";
import { type ApiHarness, reviews, startApi } from "../testing/api-harness.ts";

let api: ApiHarness | undefined;
afterEach(() => api?.close());

const put = (query: string) =>
  api?.call("POST", `/limpid/v1/transactions${query}`, {
    writes: [{ op: "put", object: reviews({ v1: 80, v2: 20 }) }],
  });

it("says what the proxies would get when a dry run asks for it, and only then", async () => {
  const asked: string[][] = [];
  const preview = async (changes: readonly { key: { name: string } }[]): Promise<EnvoyPreview> => {
    asked.push(changes.map(({ key }) => key.name));
    return { resources: [], more: 0, proxies: ["productpage-v1"], unseen: 0 };
  };
  api = await startApi({
    pushes: {
      get: () => undefined,
      latency: () => ({ sinceMs: 1, count: 0, p99Ms: null }),
      affected: () => 6,
      preview,
    },
  });
  const dry = await put("?dryRun=true&envoy=true");
  expect([dry?.status, dry?.body.envoy]).toEqual([
    200,
    { resources: [], more: 0, proxies: ["productpage-v1"], unseen: 0 },
  ]);
  expect((await put("?dryRun=true"))?.body).not.toHaveProperty("envoy");
  // What is written is not drafted any more.
  expect((await put("?envoy=true"))?.body).not.toHaveProperty("envoy");
  expect(asked).toEqual([["reviews"]]);
});
