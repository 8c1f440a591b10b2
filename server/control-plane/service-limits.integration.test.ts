import { Agent, request } from "node:http";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type StartProxy, shopProxies, startShop } from "./testing/shop.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const limit = (spec: string) => `
apiVersion: limpid.dev/v1alpha1
kind: RateLimit
metadata: { name: shop, namespace: default }
spec: { host: shop, ${spec} }
`;

/** A service with its proxy before it. */
async function setUp(first: string, start: StartProxy) {
  const { port, plane, proxy, put } = await startShop(start, closers, { yaml: first });
  // One connection for all, which a drained listener would end.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  closers.push(() => agent.destroy());
  const sockets = new Set<unknown>();
  const ask = (headers: Record<string, string> = {}) =>
    new Promise<string>((resolve) => {
      const sent = request({ port, host: "127.0.0.1", agent, headers }, (response) => {
        sockets.add(response.socket);
        response.resume().on("end", () => {
          const left = response.headers["x-ratelimit-remaining"];
          resolve(`${response.statusCode}${left === undefined ? "" : ` ${left}`}`);
        });
      });
      sent.on("error", (error) => resolve(String(error)));
      sent.end();
    });
  return { plane, proxy, put, ask, sockets };
}

describe.each(shopProxies)("$kind", ({ start, missing }) => {
  test.skipIf(missing)("a service's local limit is in force, and another is while connections stay", async () => {
    const { proxy, put, ask, sockets } = await setUp(limit("local: { requests: 1000, per: 1h }"), start);
    await vi.waitFor(async () => expect(await ask()).toMatch(/^200 9\d\d$/), 15_000);
    const listeners = async () => proxy.admin?.("/stats?filter=listener_manager");
    const before = await listeners();
    sockets.clear();
    await put(limit("local: { requests: 2, per: 1h }"));
    await vi.waitFor(async () => expect(await ask()).toBe("429 0"), 10_000);
    await put(limit("local: { requests: 500, per: 1h }"));
    await vi.waitFor(async () => expect(await ask()).toMatch(/^200 4\d\d$/), 10_000);
    expect(sockets.size).toBe(1);
    // Envoy was told by ECDS: no listener was touched.
    expect(await listeners()).toBe(before);
  });

  test.skipIf(missing)("a global limit counts each user for himself, and its use is told", async () => {
    const { plane, ask } = await setUp(limit("global: { requests: 2, unit: year, by: [{ header: x-user }] }"), start);
    // Requests without the header are not counted.
    await vi.waitFor(async () => expect(await ask()).toBe("200"), 15_000);
    const ann = () => ask({ "x-user": "ann" });
    await vi.waitFor(async () => expect(await ann()).toBe("429 0"), 15_000);
    expect(await ask({ "x-user": "joe" })).toBe("200 1");
    const [fullest] = plane.rateLimits();
    expect(fullest).toMatchObject({
      domain: "limpid.services",
      descriptor: "service=shop.default.svc.cluster.local:80,x-user=ann",
      limit: { requestsPerUnit: 2, unit: "year" },
    });
  });
});
