import { afterEach, expect, it } from "vitest";
import type { Foretold } from "../../foretell.ts";
import { type ApiHarness, reviews, startApi } from "../testing/api-harness.ts";

let api: ApiHarness | undefined;
afterEach(() => api?.close());

const put = (query: string) =>
  api?.call("POST", `/limpid/v1/transactions${query}`, {
    writes: [{ op: "put", object: reviews({ v1: 80, v2: 20 }) }],
  });

const preview = { resources: [], more: 0, proxies: ["productpage-v1"], unseen: 0 };

async function start(refusals: Foretold[], onAsked: (names: string[], shown: boolean | undefined) => void) {
  api = await startApi({
    pushes: {
      get: () => undefined,
      latency: () => ({ sinceMs: 1, count: 0, p99Ms: null }),
      affected: () => 6,
      preview: async (changes, options) => {
        const names = changes.map(({ key }) => key.name);
        onAsked(names, options?.shown);
        return { envoy: preview, refusals };
      },
    },
  });
}

it("says what the proxies would get when a dry run asks for it, and only then", async () => {
  const asked: unknown[] = [];
  await start([], (names, shown) => asked.push([names, shown]));
  const dry = await put("?dryRun=true&envoy=true");
  expect([dry?.status, dry?.body.envoy]).toEqual([200, preview]);
  expect((await put("?dryRun=true"))?.body).not.toHaveProperty("envoy");
  // What is written is not drafted any more.
  expect((await put("?envoy=true"))?.body).not.toHaveProperty("envoy");
  expect(asked).toEqual([
    [["reviews"], true],
    [["reviews"], false],
  ]);
});

it("says of every dry run who would refuse it, and which line of which object is meant", async () => {
  const said = { type: "VHDS" as const, name: "http_proxy/reviews", proxies: ["reviews-v1"] };
  const origin = "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews";
  await start([{ ...said, detail: "routes[0]: weight of 'v2' is odd", origin }], () => {});
  const body = (await put("?dryRun=true"))?.body as { refusals: unknown[]; objects: { after: string }[] };
  const lines = body.objects[0]?.after.split("\n") ?? [];
  expect(body.refusals).toMatchObject([
    {
      type: "VHDS",
      resource: "http_proxy/reviews",
      proxies: ["reviews-v1"],
      object: { kind: "VirtualService", namespace: "default", name: "reviews" },
      place: { path: "http[0].route[1].destination.subset" },
    },
  ]);
  const { place } = body.refusals[0] as { place: { line: number } };
  // Lines are those of the YAML as it is shown, without what the store fills in.
  const shown = lines.filter((line) => !/^ {2}(uid|creationTimestamp|generation|resourceVersion): /.test(line));
  expect(shown[place.line - 1]).toContain("subset: v2");
  expect((await put(""))?.body).not.toHaveProperty("refusals");
});
