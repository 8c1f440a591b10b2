import { afterEach, expect, it } from "vitest";
import { systemClock } from "../../server/lib/clock.ts";
import { silentLogger } from "../../server/lib/logger.ts";
import { createQueries } from "../../server/query/queries.ts";
import { MemoryTelemetryStore } from "../../server/store/telemetry/memory-store.ts";
import { createCollector } from "../../server/telemetry/collector.ts";
import { steppedClock } from "../stepped-clock.ts";
import { startApplication } from "./harness/application.ts";
import { call } from "./harness/call.ts";
import { Cleanups } from "./harness/cleanups.ts";
import { freePorts } from "./harness/ports.ts";
import { spawnProxy, untilReady } from "./harness/proxy.ts";
import { until } from "./harness/until.ts";

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

const address = "127.0.79.1";
const hour = 3_600;
const cluster = "outbound|80||reviews.default.svc.cluster.local";

/** The clock of the machine is stepped under a running proxy and collector, as when a laptop wakes. */
it("rates are right at once after the clock was stepped by an hour, forward and back", async () => {
  const clock = steppedClock();
  cleanups.add(() => clock.remove());
  let offsetMs = 0;
  const now = () => Date.now() + offsetMs;
  const stepped = { ...systemClock, now };
  const store = new MemoryTelemetryStore();
  const collector = createCollector({
    store,
    grpcPort: 0,
    httpPort: 0,
    logger: silentLogger,
    clock: stepped,
  });
  await collector.start();
  cleanups.add(() => collector.stop());
  const application = await startApplication("reviews", "v1");
  cleanups.add(() => application.close());
  const [port = 0] = await freePorts(1, address);
  const config = bootstrap(port, application.port, Number(collector.addresses().grpc.split(":")[1]));
  const proxy = await spawnProxy("limpid sidecar", config, clock.env);
  cleanups.add(() => proxy.stop());
  await untilReady(proxy);

  let sent = 0;
  const request = async (path = "/") => {
    const answer = await call({ address, port, host: "reviews", path });
    expect(answer.status).toBe(200);
    sent++;
    return answer;
  };
  /** Of the last minute, as the graph has it. */
  const shown = async () => {
    const graph = await createQueries({ reader: store, clock: stepped }).graph({ window: 60 });
    const edge = graph.edges.find(({ target }) => target.includes("reviews"));
    return Math.round((edge?.signals.requestRate ?? 0) * graph.windowSec);
  };
  // Each in an hour in which nothing else was.
  for (const step of [0, hour, -hour]) {
    clock.step(step);
    offsetMs = step * 1_000;
    // The step has been seen when the proxy's own `date` says so.
    await until(async () => {
      const { headers } = await request("/date");
      expect(Math.abs(Date.parse(String(headers.date)) - now())).toBeLessThan(hour * 500);
    });
    for (let i = 0; i < 50; i++) await request();
    await until(async () => expect([step, await shown()]).toEqual([step, 50]));
    await until(() => expect(collector.stats().httpRecords).toBe(sent));
    const late = collector.stats().lateRecords;
    for (let i = 0; i < 10; i++) await request();
    await until(async () => expect([step, await shown()]).toEqual([step, 60]));
    expect(collector.stats().lateRecords).toBe(late);
    const [state] = await store.collectors();
    expect(Math.abs((state?.freshAtMs ?? 0) - now())).toBeLessThan(hour * 500);
  }
});

function bootstrap(listenerPort: number, upstreamPort: number, collectorPort: number): object {
  const socketAddress = (host: string, port: number) => ({ socket_address: { address: host, port_value: port } });
  const to = (name: string, port: number, more: object = {}) => ({
    name,
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress("127.0.0.1", port) } }] }],
    },
    ...more,
  });
  const type = (name: string) => `type.googleapis.com/envoy.extensions.${name}`;
  const routes = [
    { match: { path: "/date" }, direct_response: { status: 200 } },
    { match: { prefix: "/" }, route: { cluster } },
  ];
  const manager = {
    "@type": type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "static",
    server_name: "limpid",
    route_config: {
      name: "static",
      virtual_hosts: [{ name: "all", domains: ["*"], routes }],
    },
    access_log: [
      {
        name: "als",
        typed_config: {
          "@type": type("access_loggers.grpc.v3.HttpGrpcAccessLogConfig"),
          common_config: {
            log_name: "limpid.outbound",
            transport_api_version: "V3",
            buffer_flush_interval: "0.1s",
            grpc_service: { envoy_grpc: { cluster_name: "limpid-collector" } },
          },
        },
      },
    ],
    http_filters: [{ name: "router", typed_config: { "@type": type("filters.http.router.v3.Router") } }],
  };
  const http2 = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": type("upstreams.http.v3.HttpProtocolOptions"),
      explicit_http_config: { http2_protocol_options: {} },
    },
  };
  return {
    node: { id: "sidecar~127.0.79.1~productpage-v1.default~default.svc.cluster.local", cluster: "productpage.default" },
    admin: { address: socketAddress(address, 0) },
    static_resources: {
      listeners: [
        {
          name: "static",
          address: socketAddress(address, listenerPort),
          filter_chains: [{ filters: [{ name: "hcm", typed_config: manager }] }],
        },
      ],
      clusters: [
        to(cluster, upstreamPort),
        to("limpid-collector", collectorPort, { typed_extension_protocol_options: http2 }),
      ],
    },
  };
}
