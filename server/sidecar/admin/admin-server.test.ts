import { request } from "node:http";
import { create, fromJson, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ClustersSchema } from "../../gen/proto/envoy/admin/v3/clusters_pb.js";
import { ConfigDumpSchema } from "../../gen/proto/envoy/admin/v3/config_dump_pb.js";
import {
  ClustersConfigDumpSchema,
  EndpointsConfigDumpSchema,
  ListenersConfigDumpSchema,
  RoutesConfigDumpSchema,
} from "../../gen/proto/envoy/admin/v3/config_dump_shared_pb.js";
import { BootstrapSchema } from "../../gen/proto/envoy/config/bootstrap/v3/bootstrap_pb.js";
import { ClusterSchema } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { NodeSchema } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { ClusterLoadAssignmentSchema } from "../../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "../../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { VirtualHostSchema } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "../../gen/proto/envoy/config/route/v3/route_pb.js";
import { TypeUrl } from "../../xds/types.ts";
import { IstioMetrics } from "../access-log/istio-metrics.ts";
import { extensionRegistry } from "../bootstrap/extensions.ts";
import { HealthFlag } from "../cluster/health-flags.ts";
import { Runtime, runtimeValues } from "../runtime.ts";
import { Stats } from "../stats.ts";
import { ConfigState } from "../xds/config-state.ts";
import type { ServerState } from "../xds/initialization.ts";
import { staticCluster } from "../xds/testing/static-cluster.ts";
import { AdminServer } from "./admin-server.ts";

const stats = new Stats();
let state: ServerState = "LIVE";
let level = "info";
const drained: object[] = [];
let admin: AdminServer;

function configState(): ConfigState {
  const bootstrap = create(BootstrapSchema, { staticResources: { clusters: [staticCluster("xds-grpc", 15010)] } });
  const config = new ConfigState(bootstrap, () => 1_794_999_645_000);
  const cluster = (name: string) => toBinary(ClusterSchema, create(ClusterSchema, { name }));
  config.accepted(TypeUrl.cluster, "outbound|9080||a", "v1", cluster("outbound|9080||a"));
  config.accepted(TypeUrl.cluster, "outbound|9080||b", "v1", cluster("outbound|9080||b"));
  config.refused(TypeUrl.cluster, "outbound|9080||b", "v2", cluster("outbound|9080||b"), "type: not supported");
  const listener = create(ListenerSchema, { name: "127.0.1.2_15001" });
  config.accepted(TypeUrl.listener, listener.name, "l1", toBinary(ListenerSchema, listener));
  const shell = create(RouteConfigurationSchema, { name: "http_proxy", vhds: { configSource: {} } });
  config.accepted(TypeUrl.route, "http_proxy", "r1", toBinary(RouteConfigurationSchema, shell));
  for (const [name, route] of [
    ["reviews", "http_proxy"],
    ["elsewhere", "8080"],
  ]) {
    const host = create(VirtualHostSchema, { name, domains: [`${name}:9080`] });
    config.accepted(TypeUrl.virtualHost, `${route}/${name}`, "h1", toBinary(VirtualHostSchema, host));
  }
  const endpoints = create(ClusterLoadAssignmentSchema, { clusterName: "outbound|9080||a" });
  config.accepted(TypeUrl.endpoint, "outbound|9080||a", "e1", toBinary(ClusterLoadAssignmentSchema, endpoints));
  return config;
}

const runtime = new Runtime();

beforeAll(async () => {
  runtime.setLayer("static", runtimeValues({ a: 1 }));
  runtime.setLayer("admin", new Map());
  stats.counter("cluster.a.upstream_rq_total").inc(2);
  stats.counter("cluster.a.upstream_rq_retry");
  stats.gauge("server.live").set(1);
  stats.histogram("cluster.a.upstream_rq_time").record(7);
  stats.histogram("cluster.a.upstream_cx_connect_ms");
  const node = create(NodeSchema, { id: "n1", cluster: "a.default" });
  const istio = new IstioMetrics(node);
  admin = await AdminServer.listen(
    { host: "127.0.0.1", port: 0 },
    {
      node,
      config: configState(),
      stats: () => stats,
      istio: () => istio,
      version: "1.2.3",
      options: { configPath: "b.yaml", concurrency: 1 },
      certs: () => [],
      clusters: () => [
        {
          name: "outbound|9080||a",
          edsServiceName: "outbound|9080||a",
          addedViaApi: true,
          limits: { maxConnections: 1024, maxPendingRequests: 7, maxRequests: 1024, maxRetries: 3 },
          rates: { external: { average: 97.5, threshold: 60.25 }, local: { average: -1, threshold: -1 } },
          hosts: [
            {
              address: "127.0.1.5",
              port: 9080,
              hostname: "",
              weight: 1,
              priority: 0,
              region: "r",
              zone: "z",
              subZone: "",
              canary: false,
              healthFlags: HealthFlag.failedOutlierCheck | HealthFlag.failedActiveCheck | HealthFlag.activeCheckTimeout,
              successRate: 99.5,
              localOriginSuccessRate: -1,
              connections: 2,
              connectFailures: 0,
              connectionsTotal: 4,
              requestsActive: 1,
              requestsPending: 0,
              requestsTotal: 9,
              requestsSuccess: 8,
              requestsError: 1,
            },
          ],
        },
      ],
      listeners: () => [{ name: "127.0.1.2_15001", address: "127.0.1.2", port: 15001 }],
      state: () => state,
      logLevel: {
        get: () => level,
        set: (next) => {
          level = next;
          return true;
        },
      },
      failHealthChecks: (fail) => {
        state = fail ? "DRAINING" : "LIVE";
      },
      drainListeners: () => drained.push({ drained: true }),
      refreshStats: () => {},
      resetCounters() {
        for (const counter of stats.counters.values()) counter.value = 0;
        istio.reset();
      },
      runtime: { values: runtime, adminLayer: "admin" },
      reopenLogs: () => drained.push({ reopened: true }),
      quit: () => drained.push({ quit: true }),
    },
  );
});
afterAll(() => admin.close());

function call(
  path: string,
  { method = "GET", headers = {} }: { method?: string; headers?: Record<string, string> } = {},
) {
  return new Promise<{ status: number; type: string; body: string }>((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port: admin.address.port, path, method, headers }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers["content-type"] ?? "", body }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function dump(query = "") {
  const { status, body } = await call(`/config_dump${query}`);
  expect(status).toBe(200);
  return fromJson(ConfigDumpSchema, JSON.parse(body), { registry: extensionRegistry }).configs;
}

describe("/config_dump", () => {
  it("has Envoy's sections in Envoy's order", async () => {
    const types = (await dump("?include_eds")).map(({ typeUrl }) => typeUrl.split(".").at(-1));
    expect(types).toEqual([
      "BootstrapConfigDump",
      "ClustersConfigDump",
      "EndpointsConfigDump",
      "ListenersConfigDump",
      "ScopedRoutesConfigDump",
      "RoutesConfigDump",
      "SecretsConfigDump",
    ]);
    expect((await dump()).some(({ typeUrl }) => typeUrl.includes("Endpoints"))).toBe(false);
  });

  it("shows no more than a mask names", async () => {
    const { body } = await call("/config_dump?resource=dynamic_active_clusters&mask=version_info,cluster.name");
    expect(JSON.parse(body).configs[0]).toEqual({
      "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump.DynamicCluster",
      version_info: "v1",
      cluster: { "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", name: "outbound|9080||a" },
    });
    const whole = JSON.parse((await call("/config_dump?mask=static_clusters")).body).configs as object[];
    expect(whole.map((section) => Object.keys(section).length)).toEqual([1, 2, 1, 1, 1, 1]);
  });

  it("tells version, time and refusal of each cluster", async () => {
    const clusters = (await dump()).map((any) => anyUnpack(any, ClustersConfigDumpSchema)).find(Boolean);
    expect(clusters?.staticClusters).toHaveLength(1);
    expect(clusters?.dynamicActiveClusters).toMatchObject([
      { versionInfo: "v1", clientStatus: 3, lastUpdated: { seconds: 1_794_999_645n } },
      { versionInfo: "v1", clientStatus: 4, errorState: { details: "type: not supported", versionInfo: "v2" } },
    ]);
  });

  it("shows virtual hosts from VHDS within their route configuration", async () => {
    const routes = (await dump()).map((any) => anyUnpack(any, RoutesConfigDumpSchema)).find(Boolean);
    const config = routes?.dynamicRouteConfigs[0]?.routeConfig;
    const { virtualHosts } = (config && anyUnpack(config, RouteConfigurationSchema)) ?? {};
    expect(virtualHosts?.map(({ name }) => name)).toEqual(["reviews"]);
  });

  it("filters by name and by resource", async () => {
    const named = (await dump("?name_regex=.*a&include_eds")).map((any) => anyUnpack(any, ClustersConfigDumpSchema));
    expect(named.find(Boolean)?.dynamicActiveClusters).toHaveLength(1);
    const listeners = await dump("?resource=dynamic_listeners");
    expect(listeners.map(({ typeUrl }) => typeUrl)).toEqual([
      "type.googleapis.com/envoy.admin.v3.ListenersConfigDump.DynamicListener",
    ]);
    expect(await call("/config_dump?resource=nope")).toMatchObject({ status: 404 });
    expect(await call("/config_dump?name_regex=(")).toMatchObject({ status: 400 });
  });

  it("holds listeners and endpoints", async () => {
    const all = await dump("?include_eds");
    const listeners = all.map((any) => anyUnpack(any, ListenersConfigDumpSchema)).find(Boolean);
    expect(listeners?.dynamicListeners[0]).toMatchObject({
      name: "127.0.1.2_15001",
      activeState: { versionInfo: "l1" },
    });
    const endpoints = all.map((any) => anyUnpack(any, EndpointsConfigDumpSchema)).find(Boolean);
    expect(endpoints).toMatchObject({ staticEndpointConfigs: [{}], dynamicEndpointConfigs: [{ versionInfo: "e1" }] });
  });
});

describe("/clusters and /listeners", () => {
  it("as text", async () => {
    const { body, type } = await call("/clusters");
    expect(type).toBe("text/plain; charset=UTF-8");
    expect(body).toContain("outbound|9080||a::default_priority::max_pending_requests::7\n");
    expect(body).toContain("outbound|9080||a::added_via_api::true\n");
    expect(body).toContain("outbound|9080||a::127.0.1.5:9080::rq_total::9\n");
    expect(body).toContain(
      "outbound|9080||a::127.0.1.5:9080::health_flags::/failed_active_hc/failed_outlier_check/active_hc_timeout\n",
    );
    expect(body).toContain("outbound|9080||a::127.0.1.5:9080::zone::z\n");
    expect(body).toContain("outbound|9080||a::127.0.1.5:9080::success_rate::99.5\n");
    expect(body).toContain("outbound|9080||a::outlier::success_rate_average::97.5\n");
    expect((await call("/listeners")).body).toBe("127.0.1.2_15001::127.0.1.2:15001\n");
  });

  it("as JSON that is Envoy's message", async () => {
    const clusters = fromJson(ClustersSchema, JSON.parse((await call("/clusters?format=json")).body));
    expect(clusters.clusterStatuses[0]).toMatchObject({
      name: "outbound|9080||a",
      addedViaApi: true,
      successRateEjectionThreshold: { value: 60.25 },
      hostStatuses: [
        {
          healthStatus: { failedOutlierCheck: true, failedActiveHealthCheck: true, activeHcTimeout: true },
          locality: { region: "r", zone: "z" },
          successRate: { value: 99.5 },
          weight: 1,
        },
      ],
    });
    expect(JSON.parse((await call("/listeners?format=json")).body)).toEqual({
      listener_statuses: [
        {
          name: "127.0.1.2_15001",
          local_address: { socket_address: { address: "127.0.1.2", port_value: 15001 } },
        },
      ],
    });
  });
});

describe("/stats", () => {
  it("as text, sorted, with filters", async () => {
    const { body } = await call("/stats");
    const lines = body.split("\n").filter(Boolean);
    expect(lines[0]).toBe("cluster.a.upstream_rq_retry: 0");
    expect(lines).toContain("cluster.a.upstream_rq_total: 2");
    expect(lines).toContain("cluster.a.upstream_cx_connect_ms: No recorded values");
    expect(lines.at(-1)).toMatch(/^cluster.a.upstream_rq_time: P0\(5,5\) .* P100\(10,10\)$/);
    expect((await call("/stats?filter=rq_total&usedonly")).body).toBe("cluster.a.upstream_rq_total: 2\n");
    expect((await call("/stats?type=Gauges")).body).toBe("server.live: 1\n");
    expect((await call("/stats?filter=(")).status).toBe(400);
  });

  it("as JSON", async () => {
    const { body, type } = await call("/stats?format=json&filter=a.upstream_rq_t");
    expect(type).toBe("application/json");
    const parsed = JSON.parse(body).stats;
    expect(parsed[0]).toEqual({ name: "cluster.a.upstream_rq_total", value: 2 });
    expect(parsed[1].histograms.computed_quantiles[0].name).toBe("cluster.a.upstream_rq_time");
  });

  it("for Prometheus", async () => {
    expect((await call("/stats/prometheus")).body).toContain(
      'envoy_cluster_upstream_rq_total{envoy_cluster_name="a"} 2\n',
    );
    expect((await call("/stats?format=prometheus")).body).toContain("# TYPE envoy_server_live gauge\n");
  });
});

describe("state and changes", () => {
  it("is ready only when live", async () => {
    expect(await call("/ready")).toMatchObject({ status: 200, body: "LIVE\n" });
    state = "INITIALIZING";
    expect(await call("/ready")).toMatchObject({ status: 503, body: "INITIALIZING\n" });
    state = "LIVE";
    expect(JSON.parse((await call("/server_info")).body)).toMatchObject({ node: { id: "n1" }, state: "LIVE" });
  });

  it.each(["/quitquitquit", "/drain_listeners", "/logging", "/reopen_logs", "/reset_counters"])(
    "%s needs POST",
    async (path) => {
      expect(await call(path)).toMatchObject({ status: 405, body: "Method GET not allowed, POST required." });
    },
  );

  it("drains, quits, resets and sets the log level", async () => {
    expect((await call("/drain_listeners", { method: "POST" })).body).toBe("OK\n");
    expect((await call("/drain_listeners?inboundonly", { method: "POST" })).status).toBe(400);
    expect((await call("/quitquitquit", { method: "POST" })).body).toBe("OK\n");
    expect((await call("/reopen_logs", { method: "POST" })).body).toBe("OK\n");
    expect(drained).toEqual([{ drained: true }, { quit: true }, { reopened: true }]);
    expect((await call("/logging?level=debug", { method: "POST" })).body).toContain("sidecar: debug");
    expect((await call("/logging?level=loud", { method: "POST" })).status).toBe(400);
    await call("/reset_counters", { method: "POST" });
    expect((await call("/stats?filter=rq_total")).body).toBe("cluster.a.upstream_rq_total: 0\n");
  });

  it("answers to names of this machine only", async () => {
    expect((await call("/ready", { headers: { host: "evil.example:15000" } })).status).toBe(403);
    expect((await call("/ready", { headers: { host: "localhost:15000" } })).status).toBe(200);
    expect((await call("/ready", { headers: { host: "127.0.1.2:15090" } })).status).toBe(200);
    const foreign = { method: "POST", headers: { origin: "http://evil.example" } };
    expect((await call("/quitquitquit", foreign)).status).toBe(403);
  });

  it("lists its pages for an unknown path", async () => {
    const { status, body } = await call("/nope");
    expect(status).toBe(404);
    expect(body).toContain("invalid path. admin commands are:\n");
    expect(body).toContain("  /quitquitquit (POST): exit the server\n");
  });
});

it("fails health checks when told to, with POST and not for a web page", async () => {
  expect((await call("/healthcheck/fail")).status).toBe(405);
  const foreign = { method: "POST", headers: { origin: "http://evil.example" } };
  expect((await call("/healthcheck/fail", foreign)).status).toBe(403);
  expect((await call("/healthcheck/fail", { method: "POST" })).body).toBe("OK\n");
  expect(await call("/ready")).toMatchObject({ status: 503, body: "DRAINING\n" });
  expect((await call("/healthcheck/ok", { method: "POST" })).body).toBe("OK\n");
  expect((await call("/ready")).status).toBe(200);
  const entries = async () => JSON.parse((await call("/runtime")).body).entries;
  expect(await entries()).toEqual({ a: { layer_values: ["1", ""], final_value: "1" } });
  expect((await call("/runtime_modify?a=2&b=true", { method: "POST" })).body).toBe("OK\n");
  expect(await entries()).toEqual({
    a: { layer_values: ["1", "2"], final_value: "2" },
    b: { layer_values: ["", "true"], final_value: "true" },
  });
  expect((await call("/runtime_modify?a=&b=", { method: "POST" })).body).toBe("OK\n");
  expect(await entries()).toEqual({ a: { layer_values: ["1", ""], final_value: "1" } });
  expect((await call("/runtime_modify", { method: "POST" })).status).toBe(400);
});
