import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { injectFault, type VirtualService } from "../config/edits/index.ts";
import { parseDocuments } from "../config/kinds/index.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import type { ConfigObject } from "../config/object.ts";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import type { TranslateOptions } from "../translate/options.ts";
import { fetchProxyStatuses } from "../xds/csds-client.ts";
import { envoyMissing, freePort, startEnvoy } from "../xds/testing/envoy.ts";
import { type ControlPlane, createControlPlane } from "./control-plane.ts";
import { startSidecar } from "./testing/bundled-sidecar.ts";

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

type ProxyKind =
  | "Envoy, incremental"
  | "Envoy, state of the world"
  | "Envoy with a stream of its own for each type, incremental"
  | "Envoy with a stream of its own for each type, state of the world"
  | "our sidecar";

async function start(kind: ProxyKind): Promise<{ plane: ControlPlane; store: MemoryConfigStore; port: number }> {
  const store = new MemoryConfigStore();
  await put(store, `${mesh({ v1: await upstream("v1"), v2: await upstream("v2") })}---${split(100)}`);
  const plane = await startPlane(store);
  const port = await freePort();
  const options = {
    id: "sidecar~127.0.1.77~client.default~default.svc.cluster.local",
    xdsPort: plane.addresses().xds,
    api: kind.endsWith("state of the world") ? ("GRPC" as const) : ("DELTA_GRPC" as const),
    ownStreams: kind.includes("of its own"),
    staticClusters: ["limpid-collector"],
    metadata: { INTERCEPTION_MODE: "NONE", HTTP_PROXY_PORT: String(port), LABELS: { app: "client", version: "v1" } },
  };
  if (kind === "our sidecar") {
    const sidecar = await startSidecar(options);
    closers.push(() => sidecar.stop());
  } else {
    const envoy = await startEnvoy(options);
    closers.push(() => envoy.stop());
  }
  await vi.waitFor(async () => expect(await call(port)).toBe("v1"), { timeout: 15_000, interval: 50 });
  return { plane, store, port };
}

async function startPlane(
  store: MemoryConfigStore,
  xdsPort = 0,
  translateOptions?: Partial<TranslateOptions>,
): Promise<ControlPlane> {
  const plane = createControlPlane({
    store,
    xdsPort,
    clock: systemClock,
    logger: silentLogger,
    ...(translateOptions && { translateOptions }),
  });
  await plane.start();
  closers.push(() => plane.stop());
  return plane;
}

describe.each([
  { kind: "Envoy, incremental", missing: envoyMissing },
  { kind: "Envoy, state of the world", missing: envoyMissing },
  { kind: "Envoy with a stream of its own for each type, incremental", missing: envoyMissing },
  { kind: "Envoy with a stream of its own for each type, state of the world", missing: envoyMissing },
  { kind: "our sidecar", missing: false },
] as const)("$kind", ({ kind, missing }) => {
  test.skipIf(missing)("follows a weight from the config store", async () => {
    const { plane, store, port } = await start(kind);
    expect(await shares(port, 20)).toEqual({ v1: 20 });
    const { revision } = await put(store, split(0));
    expect(await plane.pushes.wait(revision, 10_000)).toMatchObject({
      complete: true,
      proxies: [{ name: "client", state: "acked" }],
    });
    // Acknowledged is in force but for the next turn of Envoy's worker.
    await vi.waitFor(async () => expect(await call(port)).toBe("v2"), { timeout: 5_000, interval: 5 });
    expect(await shares(port, 20)).toEqual({ v2: 20 });
    const [status] = await fetchProxyStatuses(`127.0.0.1:${plane.addresses().xds}`, { contents: true });
    expect(status).toMatchObject({
      name: "client",
      kind: "sidecar",
      protocol: kind.endsWith("state of the world") ? "sotw" : "delta",
      implementation: expect.stringMatching(
        kind === "our sidecar" ? /^limpid-sidecar 1\.2\.3$/ : /^envoy \d+\.\d+\.\d+$/,
      ),
    });
    expect(JSON.stringify(status?.resources)).not.toContain('"unreadable"');
  });

  test.skipIf(missing)("keeps serving while the control plane is away, and is sent only what changed", async () => {
    const { plane, store, port } = await start(kind);
    const { xds } = plane.addresses();
    await plane.stop();
    expect(await shares(port, 5)).toEqual({ v1: 5 });
    await put(store, split(0));
    const next = await startPlane(store, xds);
    await vi.waitFor(async () => expect(await call(port)).toBe("v2"), { timeout: 20_000, interval: 20 });
    const pushed = next.metrics.text().match(/limpid_xds_pushed_resources_total\{.*/g);
    const whole = kind.endsWith("state of the world") || kind.includes("of its own");
    const type = whole ? "RouteConfiguration" : "VirtualHost";
    // A stream's first request on the state-of-the-world protocol is answered whatever version the client brings.
    const isAnswer = (line: string) => kind.endsWith("state of the world") && !line.includes(`"${type}"`);
    expect(pushed?.filter((line) => !line.endsWith(" 0") && !isAnswer(line))).toEqual([
      `limpid_xds_pushed_resources_total{type="${type}"} 1`,
    ]);
  });
});

test.skipIf(envoyMissing)(
  "a route that Envoy refuses is told to whoever wrote it, and the last good one stays",
  async () => {
    const { plane, store, port } = await start("Envoy, incremental");
    // Valid RE2, but beyond the size that Envoy compiles.
    const match = `- { match: [{ uri: { regex: "/${"(a{1,100}){1,10}".repeat(3)}" } }], route: [{ destination: { host: reviews } }] }`;
    const { revision } = await put(store, split(0, match));
    const status = await plane.pushes.wait(revision, 10_000);
    expect(status?.proxies).toMatchObject([
      { state: "nacked", error: expect.stringContaining("virtual-service/reviews") },
    ]);
    expect(await shares(port, 10)).toEqual({ v1: 10 });
  },
);

test.skipIf(envoyMissing)("a RuntimeLayer starts and stops a fault that no route knows of", async () => {
  const store = new MemoryConfigStore();
  // The route has a fault of 0 %: the filter is there, its runtime key says how many.
  const route =
    "fault: { abort: { httpStatus: 418, percentage: { value: 0 } } }, route: [{ destination: { host: reviews, subset: v1 } }]";
  const faulty = split(100).replace(/http:[\s\S]*$/, `http: [{ ${route} }]`);
  await put(store, `${mesh({ v1: await upstream("v1"), v2: await upstream("v2") })}---${faulty}`);
  const plane = await startPlane(store);
  const port = await freePort();
  const envoy = await startEnvoy({
    id: "sidecar~127.0.1.77~client.default~default.svc.cluster.local",
    xdsPort: plane.addresses().xds,
    api: "DELTA_GRPC",
    staticClusters: ["limpid-collector"],
    rtdsLayer: "limpid",
    metadata: { INTERCEPTION_MODE: "NONE", HTTP_PROXY_PORT: String(port), LABELS: { app: "client", version: "v1" } },
  });
  closers.push(() => envoy.stop());
  await vi.waitFor(async () => expect(await call(port)).toBe("v1"), { timeout: 15_000, interval: 50 });
  const layer = (percent: number) =>
    put(
      store,
      `apiVersion: limpid.dev/v1alpha1\nkind: RuntimeLayer\nmetadata: { name: chaos, namespace: default }\nspec: { selector: { matchLabels: { app: client } }, values: { fault.http.abort.abort_percent: ${percent} } }`,
    );
  const { revision } = await layer(100);
  expect(await plane.pushes.wait(revision, 10_000)).toMatchObject({ complete: true, proxies: [{ state: "acked" }] });
  await vi.waitFor(async () => expect(await call(port)).toBe("418"), { timeout: 5_000, interval: 20 });
  await layer(0);
  await vi.waitFor(async () => expect(await call(port)).toBe("v1"), { timeout: 5_000, interval: 20 });
  const [status] = await fetchProxyStatuses(`127.0.0.1:${plane.addresses().xds}`, { contents: true });
  expect(status?.types.RTDS).toMatchObject({ state: "SYNCED", resources: 1 });
});

test.each([
  { kind: "Envoy, incremental", api: "DELTA_GRPC", start: startEnvoy, missing: envoyMissing },
  { kind: "Envoy, state of the world", api: "GRPC", start: startEnvoy, missing: envoyMissing },
  { kind: "our sidecar", api: "DELTA_GRPC", start: startSidecar, missing: false },
] as const)("a fault with a fuse does not outlive the control plane: $kind", async ({ api, start, missing }) => {
  if (missing) return;
  const store = new MemoryConfigStore();
  await put(store, `${mesh({ v1: await upstream("v1"), v2: await upstream("v2") })}---${split(100)}`);
  const leased = { faultTtlMs: 1_500 };
  const plane = await startPlane(store, 0, leased);
  const { xds } = plane.addresses();
  const port = await freePort();
  const proxy = await start({
    id: "sidecar~127.0.1.77~client.default~default.svc.cluster.local",
    xdsPort: xds,
    api,
    staticClusters: ["limpid-collector"],
    rtdsLayer: "limpid-faults",
    clientFeatures: ["xds.config.supports-resource-ttl", "dev.limpid.fault-leases"],
    metadata: { INTERCEPTION_MODE: "NONE", HTTP_PROXY_PORT: String(port), LABELS: { app: "client", version: "v1" } },
  });
  closers.push(() => proxy.stop());
  const answers = (expected: string) =>
    vi.waitFor(async () => expect(await call(port)).toBe(expected), { timeout: 20_000, interval: 50 });
  await answers("v1");

  const [current] = (await store.list({ kind: "VirtualService" })).items;
  const reviews = { namespace: "default", name: "reviews", hostname: "reviews.default.svc.cluster.local" };
  const fault = { delay: null, abort: { percentage: 100, httpStatus: 418 }, header: null, durationSec: 3_600 };
  const injected = injectFault(current as unknown as VirtualService, reviews, fault, {
    id: "f1",
    now: Date.now(),
    author: "ann",
  });
  if (!injected.ok) throw new Error(JSON.stringify(injected.errors));
  await store.commit([{ op: "put", object: injected.value as unknown as ConfigObject }], "ann");
  await answers("418");
  await plane.stop();
  await answers("v1");

  // The fuse has not burnt down: whoever is there again to end it has the fault go on.
  await startPlane(store, xds, leased);
  await answers("418");
});
