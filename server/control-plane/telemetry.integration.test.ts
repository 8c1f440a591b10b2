import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { parseDocuments } from "../config/kinds/index.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { type EnvoyOptions, envoyMissing, freePort, startEnvoy } from "../xds/testing/envoy.ts";
import { createControlPlane } from "./control-plane.ts";
import { startSidecar } from "./testing/bundled-sidecar.ts";
import { startTelemetryReceiver } from "./testing/telemetry-receiver.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type StartProxy = (options: EnvoyOptions) => Promise<{ stop(): Promise<void> }>;

/** A service with its proxy before it, whoever asks it, and two receivers: the mesh's own, and somebody else's. */
async function setUp(start: StartProxy) {
  const application = createServer((incoming, response) => {
    response.statusCode = incoming.url?.startsWith("/bad") ? 503 : 200;
    response.end();
  });
  await new Promise<void>((done) => application.listen(0, "127.0.0.1", done));
  closers.push(() => application.close());
  const [own, other] = [await startTelemetryReceiver(closers), await startTelemetryReceiver(closers)];
  const folder = await mkdtemp(join(tmpdir(), "limpid-telemetry-"));
  closers.push(() => rm(folder, { recursive: true }));
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
  const file = join(folder, "calls.log");
  await put(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: shop, namespace: default }
spec:
  hosts: [shop.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ name: http, number: 80, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.1, labels: { app: shop }, ports: { http: ${inbound} } }]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: other, namespace: istio-system }
spec:
  hosts: [other.example.com]
  resolution: STATIC
  ports: [{ name: grpc, number: 4317, protocol: GRPC }]
  endpoints: [{ address: 127.0.0.1, ports: { grpc: ${other.port} } }]
---
apiVersion: limpid.dev/v1alpha1
kind: MeshConfig
metadata: { name: default }
spec:
  accessLogFile: ${file}
  accessLogFormat: "%REQ(:PATH)%"
  extensionProviders:
    - { name: calls, envoyHttpAls: { service: other.example.com, port: 4317, logName: theirs } }
    - { name: otel, envoyOtelAls: { service: other.example.com, port: 4317, logFormat: { text: "%REQ(:PATH)%" } } }
    - { name: spans, opentelemetry: { service: other.example.com, port: 4317 } }
`);
  const plane = createControlPlane({ store, xdsPort: 0, clock: systemClock, logger: silentLogger });
  await plane.start();
  closers.push(() => plane.stop());
  const proxy = await start({
    id: "sidecar~127.0.0.1~shop.default~default.svc.cluster.local",
    xdsPort: plane.addresses().xds,
    api: "DELTA_GRPC",
    metadata: {
      LABELS: { app: "shop" },
      INTERCEPTION_MODE: "NONE",
      HTTP_PROXY_PORT: String(await freePort()),
      INGRESS: { [inbound]: `127.0.0.1:${(application.address() as AddressInfo).port}` },
    },
    staticClusters: ["limpid-collector"],
    clusterPorts: { "limpid-collector": own.port },
  });
  closers.push(() => proxy.stop());
  const ask = (path: string) =>
    new Promise<number | undefined>((resolve) => {
      const headers = { "x-tenant": "acme" };
      const sent = request({ port: inbound, host: "127.0.0.1", path, headers, agent: false }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode));
      });
      sent.on("error", () => resolve(undefined));
      sent.end();
    });
  const lines = async () => (await readFile(file, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
  await vi.waitFor(async () => expect(await ask("/ready")).toBe(200), 15_000);
  return { put, ask, lines, own, other };
}

const telemetry = (spec: string) => `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: shop, namespace: default }
spec:
  selector: { matchLabels: { app: shop } }
${spec}`;

const proxies: { kind: string; start: StartProxy; missing: boolean }[] = [
  { kind: "Envoy", start: startEnvoy, missing: envoyMissing },
  { kind: "our sidecar", start: startSidecar, missing: false },
];

/** Asks until a change is in force: what `seen` tells of the path that was asked for. */
async function until(ask: (path: string) => Promise<unknown>, name: string, seen: (path: string) => unknown) {
  let count = 0;
  await vi.waitFor(
    async () => {
      const path = `/${name}/${count++}`;
      await ask(path);
      await vi.waitFor(async () => expect(await seen(path)).toBe(true), 2_000);
    },
    { timeout: 30_000, interval: 50 },
  );
}

describe.each(proxies)("Telemetry on $kind", ({ start, missing }) => {
  test.skipIf(missing)("logs what an expression is true of, or nothing, and the mesh's own log goes on", async () => {
    const { put, ask, lines, own, other } = await setUp(start);
    await until(ask, "plain", async (path) => (await lines()).includes(path));
    await put(
      telemetry(`  accessLogging:
    - { filter: { expression: "response.code >= 500 && request.headers['x-tenant'] == 'acme'" } , providers: [{ name: envoy }] }
    - { match: { mode: SERVER }, providers: [{ name: calls }] }`),
    );
    await until(ask, "theirs", (path) => other.logged("theirs").includes(path));
    expect(await ask("/good")).toBe(200);
    expect(await ask("/bad")).toBe(503);
    await vi.waitFor(async () => expect(await lines()).toContain("/bad"), 15_000);
    await vi.waitFor(
      () => expect(own.logged("limpid.inbound")).toEqual(expect.arrayContaining(["/good", "/bad"])),
      15_000,
    );
    expect(await lines()).not.toContain("/good");
    await put(telemetry("  accessLogging: [{ disabled: true }]"));
    let silent = 0;
    await vi.waitFor(async () => {
      const path = `/bad/${silent++}`;
      await ask(path);
      await vi.waitFor(() => expect(own.logged("limpid.inbound")).toContain(path), 5_000);
      expect([(await lines()).includes(path), other.logged("theirs").includes(path)]).toEqual([false, false]);
    }, 30_000);
  });

  test.skipIf(missing)("sends spans with tags to another collector, or none", async () => {
    const { put, ask, own, other } = await setUp(start);
    const pathsOf = (spans: Record<string, unknown>[]) => spans.map((span) => String(span["http.url"]));
    await put(
      telemetry(`  tracing:
    - match: { mode: SERVER }
      providers: [{ name: spans }]
      randomSamplingPercentage: 100
      customTags:
        tenant: { header: { name: x-tenant } }
        nobody: { header: { name: x-none, defaultValue: someone } }
        place: { literal: { value: here } }
        way: { formatter: { value: "%REQ(:PATH)%" } }`),
    );
    await until(ask, "traced", (path) => pathsOf(other.spans()).some((url) => url.endsWith(path)));
    expect(other.spans().at(-1)).toMatchObject({
      tenant: "acme",
      nobody: "someone",
      place: "here",
      way: expect.stringContaining("/traced/"),
      "istio.canonical_service": "shop",
      "istio.namespace": "default",
      "istio.mesh_id": "cluster.local",
    });
    await put(telemetry("  tracing: [{ randomSamplingPercentage: 100 }]"));
    await until(ask, "own", (path) => pathsOf(own.spans()).some((url) => url.endsWith(path)));
    await put(
      telemetry(
        "  tracing: [{ disableSpanReporting: true }, { match: { mode: CLIENT }, disableSpanReporting: true }]\n  accessLogging: [{ providers: [{ name: calls }] }]",
      ),
    );
    await until(ask, "off", (path) => other.logged("theirs").includes(path));
    const last = other.logged("theirs").at(-1) ?? "";
    expect(pathsOf([...own.spans(), ...other.spans()]).some((url) => url.endsWith(last))).toBe(false);
  });

  test.skipIf(missing)("sends its logs over OTLP", async () => {
    const { put, ask, other } = await setUp(start);
    await put(telemetry("  accessLogging: [{ providers: [{ name: otel }] }]"));
    await until(ask, "otlp", (path) => other.bodies().some((body) => String(body).trim() === path));
  });
});
