import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { create } from "@bufbuild/protobuf";
import { type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import { parseDocuments } from "../config/kinds/index.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import { HealthStatus } from "../gen/proto/envoy/config/core/v3/health_check_pb.js";
import {
  Capability_Protocol,
  type HealthCheckSpecifier,
  HealthDiscoveryService,
  HealthCheckRequestOrEndpointHealthResponseSchema as MessageSchema,
} from "../gen/proto/envoy/service/health/v3/hds_pb.js";
import { systemClock } from "../lib/clock.ts";
import { makeClient } from "../lib/grpc.ts";
import { silentLogger } from "../lib/logger.ts";
import { socketAddress } from "../translate/endpoints.ts";
import { envoyMissing, startEnvoy } from "../xds/testing/envoy.ts";
import { createControlPlane } from "./control-plane.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** An application that is up or not, as it is told. */
async function application() {
  const probes: string[] = [];
  let up = true;
  const server = createServer(({ url, headers }, response) => {
    probes.push(`${headers.host}${url}`);
    response.writeHead(up ? 200 : 503).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  closers.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { port, probes, set: (value: boolean) => (up = value) };
}

async function startPlane(ports: readonly number[]) {
  const store = new MemoryConfigStore();
  const parsed = parseDocuments(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: shop, namespace: default }
spec:
  hosts: [shop.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ name: http, number: 80, protocol: HTTP }]
  endpoints: [${ports.map((port) => `{ address: 127.0.0.1, ports: { http: ${port} } }`).join(", ")}]
---
apiVersion: limpid.dev/v1alpha1
kind: HealthCheck
metadata: { name: shop, namespace: default }
spec: { host: shop, http: { path: /up }, interval: 200ms, timeout: 100ms, unhealthyThreshold: 1 }
`);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  await store.commit(
    parsed.value.map((object) => ({ op: "put" as const, object })),
    "test",
  );
  const plane = createControlPlane({ store, xdsPort: 0, clock: systemClock, logger: silentLogger });
  await plane.start();
  closers.push(() => plane.stop());
  /** What the service page shows, by port. */
  const health = async () =>
    Object.fromEntries(
      (await plane.services()).flatMap(({ versions }) =>
        versions.flatMap(({ endpoints }) => endpoints.map((it) => [it.port, it.health] as const)),
      ),
    );
  return { port: plane.addresses().xds, health };
}

test.skipIf(envoyMissing)("Envoy probes, and what it finds is in every proxy's endpoints", async () => {
  const [first, second] = [await application(), await application()];
  const { port, health } = await startPlane([first.port, second.port]);
  const envoy = await startEnvoy({
    id: "sidecar~127.0.0.1~prober.default~default.svc.cluster.local",
    xdsPort: port,
    api: "DELTA_GRPC",
    metadata: { INTERCEPTION_MODE: "NONE", NAMESPACE: "default" },
    staticClusters: ["limpid-collector"],
    healthDiscovery: true,
  });
  closers.push(() => envoy.stop());
  await vi.waitFor(
    async () => expect(await health()).toEqual({ [first.port]: "healthy", [second.port]: "healthy" }),
    15_000,
  );
  expect(first.probes).toContain("shop.default.svc.cluster.local/up");
  second.set(false);
  await vi.waitFor(
    async () => expect(await health()).toEqual({ [first.port]: "healthy", [second.port]: "unhealthy" }),
    10_000,
  );
  const flagsOf = async (at: number) => {
    const line = (await envoy.admin("/clusters"))
      .split("\n")
      .find((one) => one.startsWith("outbound|80||shop") && one.includes(`127.0.0.1:${at}::health_flags`));
    return line?.split("::").at(-1);
  };
  await vi.waitFor(async () => expect(await flagsOf(second.port)).toContain("failed_eds_health"), 10_000);
  expect(await flagsOf(first.port)).toBe("healthy");
  second.set(true);
  await vi.waitFor(async () => expect(await flagsOf(second.port)).toBe("healthy"), 10_000);
  await envoy.stop();
  await vi.waitFor(
    async () => expect(await health()).toEqual({ [first.port]: undefined, [second.port]: undefined }),
    10_000,
  );
});

test("any gRPC client may probe: it registers, is told, reports, and is forgotten", async () => {
  const { port, health } = await startPlane([81, 82]);
  const client = makeClient(HealthDiscoveryService, `127.0.0.1:${port}`);
  closers.push(() => client.close());
  const stream = client.streamHealthCheck();
  const told: HealthCheckSpecifier[] = [];
  stream.on("data", (specifier) => told.push(specifier));
  stream.on("error", () => undefined);
  stream.write(
    create(MessageSchema, {
      requestType: {
        case: "healthCheckRequest",
        value: { node: { id: "n" }, capability: { healthCheckProtocols: [Capability_Protocol.HTTP] } },
      },
    }),
  );
  await vi.waitFor(() => expect(told).toHaveLength(1), 5_000);
  const [check] = told[0]?.clusterHealthChecks ?? [];
  expect(check?.localityEndpoints[0]?.endpoints).toHaveLength(2);
  const endpointsHealth = [81, 82].map((at) => ({
    endpoint: { address: socketAddress("127.0.0.1", at) },
    healthStatus: at === 81 ? HealthStatus.HEALTHY : HealthStatus.TIMEOUT,
  }));
  const clusterEndpointsHealth = [
    { clusterName: check?.clusterName ?? "", localityEndpointsHealth: [{ endpointsHealth }] },
  ];
  const report = create(MessageSchema, {
    requestType: { case: "endpointHealthResponse", value: { clusterEndpointsHealth } },
  });
  for (let i = 0; i < 2; i++) stream.write(report);
  await vi.waitFor(async () => expect(await health()).toEqual({ 81: "healthy", 82: "unhealthy" }), 5_000);
  stream.cancel();
  await vi.waitFor(async () => expect(await health()).toEqual({ 81: undefined, 82: undefined }), 5_000);
});

test("whoever says no name is turned away", async () => {
  const { port } = await startPlane([81]);
  const client = makeClient(HealthDiscoveryService, `127.0.0.1:${port}`);
  closers.push(() => client.close());
  const stream = client.streamHealthCheck();
  const failed = new Promise<ServiceError>((resolve) => stream.on("error", resolve));
  stream.write(create(MessageSchema, { requestType: { case: "healthCheckRequest", value: {} } }));
  expect(await failed).toMatchObject({ code: status.INVALID_ARGUMENT });
});
