import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { parseDocuments } from "../config/kinds/index.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { sendMetrics } from "../lib/otlp-metrics.ts";
import { createQueries } from "../query/queries.ts";
import { openSqliteTelemetryReader } from "../store/telemetry/sqlite-reader.ts";
import { openSqliteTelemetryStore } from "../store/telemetry/sqlite-store.ts";
import { createCollector } from "../telemetry/collector.ts";
import { envoyMissing, freePort, startEnvoy } from "../xds/testing/envoy.ts";
import { createControlPlane } from "./control-plane.ts";
import { startSidecar } from "./testing/bundled-sidecar.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const host = "reviews.default.svc.cluster.local";
const mesh = (port: number) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: reviews, namespace: default }
spec:
  hosts: [${host}]
  ports: [{ name: http, number: 9080, protocol: HTTP }]
  resolution: STATIC
  location: MESH_INTERNAL
  endpoints: [{ address: 127.0.0.1, ports: { http: ${port} } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec: { hosts: [${host}], http: [{ retries: { attempts: 0 }, route: [{ destination: { host: ${host} } }] }] }
`;

async function collector() {
  const folder = await mkdtemp(join(tmpdir(), "limpid-loads-"));
  const path = join(folder, "telemetry.db");
  const store = await openSqliteTelemetryStore({ path });
  const running = createCollector({ store, grpcPort: 0, httpPort: 0, logger: silentLogger });
  await running.start();
  const reader = await openSqliteTelemetryReader({ path });
  closers.push(async () => {
    await running.stop();
    await store.close();
    await reader.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { port: Number(running.addresses().http.split(":")[1]), queries: createQueries({ reader }) };
}

test.each([
  { kind: "Envoy", start: startEnvoy, missing: envoyMissing },
  { kind: "the bundled sidecar", start: startSidecar, missing: false },
])("what $kind reports of its load is there over time", { timeout: 90_000 }, async ({ start, missing }) => {
  if (missing) return;
  let calls = 0;
  const application = createServer((_, response) => {
    calls += 1;
    response.writeHead(calls % 2 === 0 ? 503 : 200).end();
  });
  await new Promise<void>((done) => application.listen(0, "127.0.0.1", done));
  closers.push(() => application.close());
  const { port: collectorPort, queries } = await collector();
  const store = new MemoryConfigStore();
  const parsed = parseDocuments(mesh((application.address() as AddressInfo).port));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  await store.commit(
    parsed.value.map((object) => ({ op: "put" as const, object })),
    "test",
  );
  const plane = createControlPlane({
    store,
    xdsPort: 0,
    clock: systemClock,
    logger: silentLogger,
    limits: { loadReportMs: 300 },
    keepLoads: { everyMs: 500, send: (loads) => sendMetrics(collectorPort, loads) },
  });
  await plane.start();
  closers.push(() => plane.stop());
  const port = await freePort();
  const id = "sidecar~127.0.1.77~client.default~default.svc.cluster.local";
  const proxy = await start({
    id,
    xdsPort: plane.addresses().xds,
    api: "DELTA_GRPC",
    loadStats: true,
    staticClusters: ["limpid-collector"],
    metadata: { INTERCEPTION_MODE: "NONE", HTTP_PROXY_PORT: String(port), LABELS: { app: "client" } },
  });
  closers.push(() => proxy.stop());
  const ask = () =>
    new Promise<number>((resolve) => {
      const sent = request(
        { port, host: "127.0.1.77", headers: { host: "reviews:9080" }, agent: false },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      sent.on("error", () => resolve(0));
      sent.end();
    });
  await vi.waitFor(async () => expect([200, 503]).toContain(await ask()), { timeout: 20_000, interval: 50 });

  const total = async (name: string) => {
    const where = { destination: host };
    const found = await queries.metricGroups({ name, fn: "increase", by: ["instance"], where, window: 300 });
    const [group] = found?.groups.filter(({ labels }) => labels.instance === id) ?? [];
    return group?.values.reduce<number>((sum, value) => sum + (value ?? 0), 0) ?? 0;
  };
  // Each is counted once; what came before the first answer of the control plane is not.
  await vi.waitFor(
    async () => {
      await ask();
      const [sent, failed] = [await total("limpid.load.requests"), await total("limpid.load.errors")];
      expect(sent).toBeGreaterThan(3);
      expect(failed).toBeGreaterThan(1);
      expect(sent).toBeLessThanOrEqual(calls);
    },
    { timeout: 60_000, interval: 200 },
  );
});
