import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { call } from "./testing/scenario.ts";
import { type StartProxy, shopProxies, startShop } from "./testing/shop.ts";
import { startTelemetryReceiver } from "./testing/telemetry-receiver.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A service with its proxy before it, whoever asks it, and two receivers: the mesh's own, and somebody else's. */
async function setUp(start: StartProxy) {
  const [own, other] = [await startTelemetryReceiver(closers), await startTelemetryReceiver(closers)];
  const folder = await mkdtemp(join(tmpdir(), "limpid-telemetry-"));
  closers.push(() => rm(folder, { recursive: true }));
  const file = join(folder, "calls.log");
  const { port, put } = await startShop(start, closers, {
    yaml: `
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
`,
    application: ({ url }, response) => {
      response.writeHead(url?.startsWith("/bad") ? 503 : 200).end();
    },
    clusterPorts: { "limpid-collector": own.port },
  });
  const ask = async (path: string) => (await call(port, { path, headers: { "x-tenant": "acme" } })).status;
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

describe.each(shopProxies)("Telemetry on $kind", ({ start, missing }) => {
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
