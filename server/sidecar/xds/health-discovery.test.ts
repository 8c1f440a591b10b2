import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { create, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { Client, credentials, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { afterEach, expect, it, vi } from "vitest";
import { NodeSchema } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { HealthStatus } from "../../gen/proto/envoy/config/core/v3/health_check_pb.js";
import {
  Capability_Protocol,
  type HealthCheckSpecifier,
  HealthCheckSpecifierSchema,
  HealthDiscoveryService,
  type HealthCheckRequestOrEndpointHealthResponse as Message,
} from "../../gen/proto/envoy/service/health/v3/hds_pb.js";
import { systemClock } from "../../lib/clock.ts";
import { addService, type DuplexCall } from "../../lib/grpc.ts";
import { silentLogger } from "../../lib/logger.ts";
import { spiffe, TestAuthority } from "../secret/testing/certificates.ts";
import { extensionRegistry } from "../supported/supported-fields.ts";
import { Fixtures, type TestPlane } from "../test-plane.ts";
import { inline, trusting, upstreamTls } from "../tls/testing/contexts.ts";
import { HealthDiscovery } from "./health-discovery.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

/** One who wants endpoints probed; `streams` are its clients, with what each has said. */
async function asker() {
  const streams: { call: DuplexCall<Message, HealthCheckSpecifier>; said: Message[] }[] = [];
  const server = new Server();
  addService(server, HealthDiscoveryService, {
    streamHealthCheck(call) {
      const said: Message[] = [];
      streams.push({ call, said });
      call.on("data", (message) => said.push(message));
      call.on("error", () => undefined);
    },
    fetchHealthCheck: (_, callback) => callback({ code: status.UNIMPLEMENTED }),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  fixtures.onClose(() => server.forceShutdown());
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  fixtures.onClose(() => client.close());
  const ask = (...checks: JsonObject[]) => {
    const json = { interval: "0.1s", cluster_health_checks: checks };
    streams.at(-1)?.call.write(fromJson(HealthCheckSpecifierSchema, json, { registry: extensionRegistry }));
  };
  /** The last report, by cluster, zone and port. */
  const found = () => {
    const last = streams.at(-1)?.said.at(-1)?.requestType;
    if (last?.case !== "endpointHealthResponse") return undefined;
    const lines = last.value.clusterEndpointsHealth.flatMap(({ clusterName, localityEndpointsHealth }) =>
      localityEndpointsHealth.flatMap(({ locality, endpointsHealth }) =>
        endpointsHealth.map(({ endpoint, healthStatus }) => {
          const at = endpoint?.address?.address;
          const port = at?.case === "socketAddress" ? at.value.portSpecifier.value : undefined;
          return [`${clusterName} ${locality?.zone} ${port}`, HealthStatus[healthStatus]] as const;
        }),
      ),
    );
    return Object.fromEntries(lines);
  };
  return { client, streams, ask, found };
}

async function prober(client: Client): Promise<TestPlane & { asked(): number }> {
  const test = await fixtures.plane({});
  let asked = 0;
  const discovery = new HealthDiscovery({
    node: create(NodeSchema, { id: "sidecar~1" }),
    channel: () => client,
    plane: test.plane,
    onAsked: () => (asked += 1),
    stats: test.stats,
    clock: systemClock,
    logger: silentLogger,
  });
  discovery.start();
  fixtures.onClose(() => discovery.stop());
  return Object.assign(test, { asked: () => asked });
}

const often = {
  timeout: "2s",
  interval: "0.02s",
  no_traffic_interval: "0.02s",
  unhealthy_threshold: 1,
  healthy_threshold: 1,
};
const http = { ...often, http_health_check: { path: "/up", host: "shop" } };
const endpoint = (port: number, more: JsonObject = {}): JsonObject => ({
  address: { socket_address: { address: "127.0.0.1", port_value: port } },
  ...more,
});
const zone = (name: string, ...endpoints: JsonObject[]): JsonObject => ({ locality: { zone: name }, endpoints });
const check = (name: string, how: JsonObject, ...localities: JsonObject[]): JsonObject => ({
  cluster_name: name,
  health_checks: [how],
  locality_endpoints: localities,
});

it("says who it is and what it can, probes what it is asked, and tells by cluster and locality", async () => {
  const { client, streams, ask, found } = await asker();
  let answer = 200;
  const probes: string[] = [];
  const web = await fixtures.http(({ url, headers }, response) => {
    probes.push(`${headers.host}${url}`);
    response.writeHead(answer).end();
  });
  const tcp = await fixtures.tcp(() => {});
  const unasked = await fixtures.http(() => probes.push("disabled"));
  const test = await prober(client);
  await vi.waitFor(() => expect(streams[0]?.said).toHaveLength(1), 20_000);
  expect(streams[0]?.said[0]?.requestType).toMatchObject({
    case: "healthCheckRequest",
    value: {
      node: { id: "sidecar~1" },
      capability: { healthCheckProtocols: [Capability_Protocol.HTTP, Capability_Protocol.TCP] },
    },
  });
  ask(
    check("a", http, zone("x", endpoint(web)), zone("y", endpoint(1))),
    check(
      "b",
      { ...often, tcp_health_check: {} },
      zone("x", endpoint(tcp), endpoint(unasked, { health_check_config: { disable_active_health_check: true } })),
    ),
  );
  const all = (state: string) => ({ [`a x ${web}`]: state, "a y 1": "UNHEALTHY", [`b x ${tcp}`]: "HEALTHY" });
  await vi.waitFor(() => expect(found()).toEqual(all("HEALTHY")), 20_000);
  answer = 503;
  await vi.waitFor(() => expect(found()).toEqual(all("UNHEALTHY")), 20_000);
  answer = 200;
  await vi.waitFor(() => expect(found()).toEqual(all("HEALTHY")), 20_000);
  expect(new Set(probes)).toEqual(new Set(["shop/up"]));
  expect(test.plane.clusterMap.size).toBe(0);

  ask(check("b", { ...often, tcp_health_check: {} }, zone("x", endpoint(tcp))));
  await vi.waitFor(() => expect(found()).toEqual({ [`b x ${tcp}`]: "HEALTHY" }), 20_000);
  expect(test.counter("hds_delegate.requests")).toBe(2);
});

it("comes back to a server that was away, and does the same again", async () => {
  const { client, streams, ask, found } = await asker();
  const web = await fixtures.http((_, response) => response.end());
  const test = await prober(client);
  await vi.waitFor(() => expect(streams).toHaveLength(1), 20_000);
  ask(check("a", http, zone("x", endpoint(web))));
  await vi.waitFor(() => expect(found()).toEqual({ [`a x ${web}`]: "HEALTHY" }), 20_000);
  streams[0]?.call.emit("error", { code: status.UNAVAILABLE, details: "going" });
  await vi.waitFor(() => expect(streams[1]?.said).toHaveLength(1), 20_000);
  expect(streams[1]?.said[0]?.requestType.case).toBe("healthCheckRequest");
  ask(check("a", http, zone("x", endpoint(web))));
  await vi.waitFor(() => expect(found()).toEqual({ [`a x ${web}`]: "HEALTHY" }), 20_000);
  expect(test.counter("hds_delegate.errors")).toBe(1);
  // What is asked again has not changed.
  expect(test.counter("hds_delegate.updates")).toBe(1);
  expect(test.asked()).toBe(1);
});

it("probes over mutual TLS where it is asked to, and finds what turns it away unhealthy", async () => {
  const { client, streams, ask, found } = await asker();
  const ca = await TestAuthority.create();
  const [app, own] = [await ca.issue({ uris: [spiffe("app")] }), await ca.issue({ uris: [spiffe("prober")] })];
  const server = createTlsServer(
    { cert: app.chain, key: app.key, ca: ca.pem, requestCert: true, rejectUnauthorized: true },
    (_, response) => response.end(),
  );
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  fixtures.onClose(() => server.close());
  fixtures.onClose(() => server.closeAllConnections());
  const { port } = server.address() as AddressInfo;
  await prober(client);
  await vi.waitFor(() => expect(streams).toHaveLength(1), 20_000);
  const mutual = upstreamTls({ ...inline(own), ...trusting(ca.pem, { exact: spiffe("app") }) });
  const bare = upstreamTls(trusting(ca.pem));
  const by = (kind: string) => ({ ...http, transport_socket_match_criteria: { kind } });
  const ways = [
    { name: "mutual", match: { kind: "mutual" }, ...mutual },
    { name: "bare", match: { kind: "bare" }, ...bare },
  ];
  ask(
    { ...check("mutual", by("mutual"), zone("x", endpoint(port))), transport_socket_matches: ways },
    { ...check("bare", by("bare"), zone("x", endpoint(port))), transport_socket_matches: ways },
    check("plain", http, zone("x", endpoint(port))),
  );
  await vi.waitFor(
    () =>
      expect(found()).toEqual({
        [`mutual x ${port}`]: "HEALTHY",
        [`bare x ${port}`]: "UNHEALTHY",
        [`plain x ${port}`]: "UNHEALTHY",
      }),
    20_000,
  );
});

it("leaves out what it cannot do, and what is too much, by its name", async () => {
  const test = await fixtures.plane({});
  const web = await fixtures.http((_, response) => response.end());
  const checks = (...asked: JsonObject[]) =>
    fromJson(HealthCheckSpecifierSchema, { cluster_health_checks: asked }, { registry: extensionRegistry })
      .clusterHealthChecks;
  const many = Array.from({ length: 2_000 }, (_, i) => endpoint(i + 1));
  expect(
    test.plane.setProbes(
      checks(
        check("good", http, zone("x", endpoint(web))),
        check("good", http, zone("x", endpoint(2))),
        check("unsaid", http, { endpoints: [{}] }),
        { cluster_name: "none", locality_endpoints: [zone("x", endpoint(2))] },
        check("later", { ...often, event_service: {}, tcp_health_check: {} }, zone("x", endpoint(2))),
        check("many", http, zone("x", ...many)),
      ),
    ),
  ).toEqual([
    "cluster good: cluster_name: there are two of this name",
    "cluster unsaid: load_assignment.endpoints[0].lb_endpoints[0].endpoint.address: only socket_address is supported",
    "cluster none: health_checks: one is required",
    "cluster later: health_checks[0].event_service: not supported",
    "cluster many: locality_endpoints: one proxy probes at most 2000 endpoints, and with these it would be 2001",
  ]);
  await vi.waitFor(
    () =>
      expect(test.plane.probes()).toMatchObject([
        {
          clusterName: "good",
          localityEndpointsHealth: [{ endpointsHealth: [{ healthStatus: HealthStatus.HEALTHY }] }],
        },
      ]),
    20_000,
  );
  // What cannot be taken any more is not probed any more.
  test.plane.setProbes(checks({ cluster_name: "good", locality_endpoints: [zone("x", endpoint(web))] }));
  expect(test.plane.probes()).toEqual([]);
});
