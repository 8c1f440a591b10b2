import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { parseDocuments } from "../config/kinds/index.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { fetchProxyStatuses } from "../xds/csds-client.ts";
import { type Envoy, envoyMissing, freePort, startEnvoy } from "../xds/testing/envoy.ts";
import { type ControlPlane, createControlPlane } from "./control-plane.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const put = (store: MemoryConfigStore, yaml: string) => {
  const parsed = parseDocuments(yaml);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return store.commit(
    parsed.value.map((object) => ({ op: "put" as const, object })),
    "test",
  );
};

/** The reviews service with two versions, each a plain HTTP server here. */
const mesh = (ports: { v1: number; v2: number }) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews.default.svc.cluster.local]
  ports: [{ name: http, number: 9080, protocol: HTTP }]
  resolution: STATIC
  location: MESH_INTERNAL
  endpoints:
    - { address: 127.0.0.1, ports: { http: ${ports.v1} }, labels: { app: reviews, version: v1 } }
    - { address: 127.0.0.1, ports: { http: ${ports.v2} }, labels: { app: reviews, version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec:
  host: reviews
  subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }]
`;

const split = (v1: number, match = "") => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:
    ${match}
    - route:
        - { destination: { host: reviews, subset: v1 }, weight: ${v1} }
        - { destination: { host: reviews, subset: v2 }, weight: ${100 - v1} }
`;

async function upstream(body: string): Promise<number> {
  const server = createServer((_, response) => response.end(body));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

function call(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: "127.0.1.77", headers: { host: "reviews:9080" }, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve(response.statusCode === 200 ? body : String(response.statusCode)));
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function shares(port: number, calls: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < calls; i++) {
    const answer = await call(port);
    counts[answer] = (counts[answer] ?? 0) + 1;
  }
  return counts;
}

async function start(
  api: "DELTA_GRPC" | "GRPC",
): Promise<{ plane: ControlPlane; store: MemoryConfigStore; port: number; envoy: Envoy }> {
  const store = new MemoryConfigStore();
  await put(store, `${mesh({ v1: await upstream("v1"), v2: await upstream("v2") })}---${split(100)}`);
  const plane = createControlPlane({ store, xdsPort: 0, clock: systemClock, logger: silentLogger });
  await plane.start();
  closers.push(() => plane.stop());
  const port = await freePort();
  const envoy = await startEnvoy({
    id: "sidecar~127.0.1.77~client.default~default.svc.cluster.local",
    xdsPort: plane.addresses().xds,
    api,
    staticClusters: ["limpid-collector"],
    metadata: { INTERCEPTION_MODE: "NONE", HTTP_PROXY_PORT: String(port), LABELS: { app: "client", version: "v1" } },
  });
  closers.push(() => envoy.stop());
  await vi.waitFor(async () => expect(await call(port)).toBe("v1"), { timeout: 15_000, interval: 50 });
  return { plane, store, port, envoy };
}

describe.skipIf(envoyMissing)("Envoy under the control plane", () => {
  test.each(["DELTA_GRPC", "GRPC"] as const)("follows a weight from the config store, over %s", async (api) => {
    const { plane, store, port } = await start(api);
    expect(await shares(port, 20)).toEqual({ v1: 20 });
    const { revision } = await put(store, split(0));
    expect(await plane.pushes.wait(revision, 10_000)).toMatchObject({
      complete: true,
      proxies: [{ name: "client", state: "acked" }],
    });
    // Acknowledged is in force but for the event loop's next turn in Envoy's worker.
    await vi.waitFor(async () => expect(await call(port)).toBe("v2"), { timeout: 5_000, interval: 5 });
    expect(await shares(port, 20)).toEqual({ v2: 20 });
    const [status] = await fetchProxyStatuses(`127.0.0.1:${plane.addresses().xds}`, { contents: true });
    expect(status).toMatchObject({ name: "client", kind: "sidecar", protocol: api === "GRPC" ? "sotw" : "delta" });
    expect(JSON.stringify(status?.resources)).not.toContain('"unreadable"');
  });

  test("a route that Envoy refuses is told to whoever wrote it, and the last good one stays", async () => {
    const { plane, store, port } = await start("DELTA_GRPC");
    // Valid RE2, but beyond the size that Envoy compiles.
    const match = `- { match: [{ uri: { regex: "/${"(a{1,100}){1,10}".repeat(3)}" } }], route: [{ destination: { host: reviews } }] }`;
    const { revision } = await put(store, split(0, match));
    const status = await plane.pushes.wait(revision, 10_000);
    expect(status?.proxies).toMatchObject([
      { state: "nacked", error: expect.stringContaining("virtual-service/reviews") },
    ]);
    expect(await shares(port, 10)).toEqual({ v1: 10 });
  });
});
