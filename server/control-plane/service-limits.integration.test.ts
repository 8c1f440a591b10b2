import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { parseDocuments } from "../config/kinds/index.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { type EnvoyOptions, envoyMissing, freePort, startEnvoy } from "../xds/testing/envoy.ts";
import { createControlPlane } from "./control-plane.ts";
import { startSidecar } from "./testing/bundled-sidecar.ts";

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

type StartProxy = (options: EnvoyOptions) => Promise<{ stop(): Promise<void>; admin?(path: string): Promise<string> }>;

/** A service with its proxy before it. */
async function setUp(first: string, start: StartProxy) {
  const application = createServer((_, response) => response.end("ok"));
  await new Promise<void>((done) => application.listen(0, "127.0.0.1", done));
  closers.push(() => application.close());
  const inbound = await freePort();
  const store = new MemoryConfigStore();
  const put = async (yaml: string) => {
    const parsed = parseDocuments(yaml);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    await store.commit(
      parsed.value.map((object) => ({ op: "put" as const, object })),
      "test",
    );
  };
  await put(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: shop, namespace: default }
spec:
  hosts: [shop.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ name: http, number: 80, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.1, ports: { http: ${inbound} } }]
---${first}`);
  const plane = createControlPlane({ store, xdsPort: 0, clock: systemClock, logger: silentLogger });
  await plane.start();
  closers.push(() => plane.stop());
  const to = `127.0.0.1:${(application.address() as AddressInfo).port}`;
  const proxy = await start({
    id: "sidecar~127.0.0.1~shop.default~default.svc.cluster.local",
    xdsPort: plane.addresses().xds,
    api: "DELTA_GRPC",
    metadata: {
      INTERCEPTION_MODE: "NONE",
      HTTP_PROXY_PORT: String(await freePort()),
      INGRESS: { [inbound]: to },
    },
    staticClusters: ["limpid-collector"],
  });
  closers.push(() => proxy.stop());
  // One connection for all, which a drained listener would end.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  closers.push(() => agent.destroy());
  const sockets = new Set<unknown>();
  const ask = (headers: Record<string, string> = {}) =>
    new Promise<string>((resolve) => {
      const sent = request({ port: inbound, host: "127.0.0.1", agent, headers }, (response) => {
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

const proxies: { kind: string; start: StartProxy; missing: boolean }[] = [
  { kind: "Envoy", start: startEnvoy, missing: envoyMissing },
  { kind: "our sidecar", start: startSidecar, missing: false },
];

describe.each(proxies)("$kind", ({ start, missing }) => {
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
