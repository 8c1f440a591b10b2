import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { create } from "@bufbuild/protobuf";
import { type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import { type CertificateAuthority, openCertificateAuthority } from "../ca/certificate-authority.ts";
import { spiffeIdOf, tempFolder, tlsOf } from "../ca/testing/tls.ts";
import { writeCertificate } from "../ca/write-certificate.ts";
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
import { startSidecar } from "./testing/bundled-sidecar.ts";

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

/** @param authority with one the endpoints take mutual TLS */
async function startPlane(ports: readonly number[], authority?: CertificateAuthority) {
  const labels = authority ? "labels: { security.istio.io/tlsMode: istio }, " : "";
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
  endpoints: [${ports.map((port) => `{ address: 127.0.0.1, ${labels}ports: { http: ${port} } }`).join(", ")}]
---
apiVersion: limpid.dev/v1alpha1
kind: HealthCheck
metadata: { name: shop, namespace: default }
spec: { host: shop, http: { path: /up }, interval: 200ms, timeout: 5s, unhealthyThreshold: 1 }
`);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  await store.commit(
    parsed.value.map((object) => ({ op: "put" as const, object })),
    "test",
  );
  const plane = createControlPlane({
    store,
    xdsPort: 0,
    ...(authority && { xdsTls: { port: 0 }, authority }),
    clock: systemClock,
    logger: silentLogger,
  });
  await plane.start();
  closers.push(() => plane.stop());
  /** What the service page shows, by port. */
  const health = async () =>
    Object.fromEntries(
      (await plane.services()).flatMap(({ versions }) =>
        versions.flatMap(({ endpoints }) => endpoints.map((it) => [it.port, it.health] as const)),
      ),
    );
  const probers = () => plane.metrics.value("limpid_hds_probers");
  return { port: plane.addresses().xds, tlsPort: plane.addresses().xdsTls ?? 0, health, probers };
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
    30_000,
  );
  expect(first.probes).toContain("shop.default.svc.cluster.local/up");
  second.set(false);
  await vi.waitFor(
    async () => expect(await health()).toEqual({ [first.port]: "healthy", [second.port]: "unhealthy" }),
    30_000,
  );
  const flagsOf = async (at: number) => {
    const line = (await envoy.admin("/clusters"))
      .split("\n")
      .find((one) => one.startsWith("outbound|80||shop") && one.includes(`127.0.0.1:${at}::health_flags`));
    return line?.split("::").at(-1);
  };
  await vi.waitFor(async () => expect(await flagsOf(second.port)).toContain("failed_eds_health"), 30_000);
  expect(await flagsOf(first.port)).toBe("healthy");
  second.set(true);
  await vi.waitFor(async () => expect(await flagsOf(second.port)).toBe("healthy"), 30_000);
  await envoy.stop();
  await vi.waitFor(
    async () => expect(await health()).toEqual({ [first.port]: undefined, [second.port]: undefined }),
    30_000,
  );
});

test.skipIf(envoyMissing)("the bundled sidecar probes beside Envoy, and goes on without it", async () => {
  const [first, second] = [await application(), await application()];
  const { port, health, probers } = await startPlane([first.port, second.port]);
  const proxy = (name: string) => ({
    id: `sidecar~127.0.0.1~${name}.default~default.svc.cluster.local`,
    xdsPort: port,
    api: "DELTA_GRPC" as const,
    metadata: { INTERCEPTION_MODE: "NONE", NAMESPACE: "default" },
    staticClusters: ["limpid-collector"],
    healthDiscovery: true,
  });
  const envoy = await startEnvoy(proxy("envoy"));
  closers.push(() => envoy.stop());
  const sidecar = await startSidecar(proxy("bundled"));
  const stopSidecar = vi.fn(() => sidecar.stop());
  closers.push(() => stopSidecar.mock.calls.length > 0 || stopSidecar());
  await vi.waitFor(() => expect(probers()).toBe(2), 30_000);
  const found = (state: string | undefined, other = state) =>
    vi.waitFor(async () => expect(await health()).toEqual({ [first.port]: state, [second.port]: other }), 30_000);
  await found("healthy");
  second.set(false);
  await found("healthy", "unhealthy");
  await vi.waitFor(
    async () =>
      expect(await envoy.admin("/clusters")).toMatch(`127.0.0.1:${second.port}::health_flags::/failed_eds_health`),
    30_000,
  );
  second.set(true);
  await found("healthy");
  await envoy.stop();
  await vi.waitFor(() => expect(probers()).toBe(1), 30_000);
  second.set(false);
  await found("healthy", "unhealthy");
  second.set(true);
  await found("healthy");
  await stopSidecar();
  await found(undefined);
});

/** An application that lets in who shows a certificate of the mesh, and nobody else. */
async function guarded(authority: CertificateAuthority) {
  let up = true;
  const callers = new Set<string | undefined>();
  const own = await authority.issue({ spiffeUri: spiffeIdOf("shop"), ttlSec: 3600 });
  // What clients inside the mesh offer.
  const mesh = { ALPNProtocols: ["istio"], requestCert: true, rejectUnauthorized: true };
  const options = { ...tlsOf(authority, own), ...mesh };
  const server = createTlsServer(options, (request, response) => {
    callers.add((request.socket as TLSSocket).getPeerCertificate().subjectaltname);
    response.writeHead(up ? 200 : 503).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  closers.push(() => server.close());
  closers.push(() => server.closeAllConnections());
  return { port: (server.address() as AddressInfo).port, callers, set: (value: boolean) => (up = value) };
}

test.for([
  { name: "the bundled sidecar", start: startSidecar },
  { name: "Envoy", start: startEnvoy },
])("$name probes what takes mutual TLS with its certificate", async ({ start }, { skip }) => {
  skip(start === startEnvoy && envoyMissing);
  const [folder, clean] = await tempFolder();
  closers.push(clean);
  const authority = await openCertificateAuthority(join(folder, "ca"), {
    clock: systemClock,
    trustDomain: "cluster.local",
  });
  const app = await guarded(authority);
  const { tlsPort, port, health, probers } = await startPlane([app.port], authority);
  const files = await writeCertificate(
    join(folder, "run"),
    await authority.issue({ spiffeUri: spiffeIdOf("prober"), ttlSec: 3600 }),
  );
  const metadata = { INTERCEPTION_MODE: "NONE", NAMESPACE: "default", SERVICE_ACCOUNT: "prober" };
  const proxy = {
    id: "sidecar~127.0.0.1~prober.default~default.svc.cluster.local",
    api: "DELTA_GRPC" as const,
    metadata,
    staticClusters: ["limpid-collector"],
    healthDiscovery: true,
  };
  // Who has no certificate is not asked to probe it, since it could find nothing but a closed door.
  const stranger = await startSidecar({ ...proxy, id: proxy.id.replace("prober", "stranger"), xdsPort: port });
  closers.push(() => stranger.stop());
  await vi.waitFor(() => expect(probers()).toBe(1), 30_000);
  const serverUri = spiffeIdOf("control-plane", "limpid-system");
  const tls = { ...files, root: join(folder, "ca/root-cert.pem"), serverUri };
  const prober = await start({ ...proxy, xdsPort: tlsPort, tls });
  closers.push(() => prober.stop());
  const found = (state: string) =>
    vi.waitFor(async () => expect(await health()).toEqual({ [app.port]: state }), 30_000);
  await found("healthy");
  expect([...app.callers]).toEqual([`URI:${spiffeIdOf("prober")}`]);
  app.set(false);
  await found("unhealthy");
  app.set(true);
  await found("healthy");
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
