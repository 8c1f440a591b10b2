import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { startApplication } from "./harness/application.ts";
import { bootstrap, type ProxyNode } from "./harness/bootstrap.ts";
import { call } from "./harness/call.ts";
import { Cleanups } from "./harness/cleanups.ts";
import { startCollector } from "./harness/collector.ts";
import { TestControlPlane } from "./harness/control-plane.ts";
import { freePorts } from "./harness/ports.ts";
import { envoyMissing, type ProxyKind, spawnProxy, untilReady, whySkipped } from "./harness/proxy.ts";
import { until } from "./harness/until.ts";

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

const address = "127.0.78.1";
const socketAddress = (host: string, port: number) => ({ socket_address: { address: host, port_value: port } });

async function spawned(kind: ProxyKind, config: object) {
  const proxy = await spawnProxy(kind, config);
  cleanups.add(() => proxy.stop());
  return proxy;
}

/** One static listener that passes everything to one static cluster. */
function staticBootstrap(
  listenerPort: number,
  upstreamPort: number,
  { adminPort = 0, routes = [{ match: { prefix: "/" }, route: { cluster: "app", timeout: "0s" } }] as object[] } = {},
) {
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "static",
    route_config: { name: "static", virtual_hosts: [{ name: "all", domains: ["*"], routes }] },
    http_filters: [
      {
        name: "envoy.filters.http.router",
        typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
      },
    ],
  };
  const filter = { name: "envoy.filters.network.http_connection_manager", typed_config: manager };
  const endpoint = { endpoint: { address: socketAddress("127.0.0.1", upstreamPort) } };
  return {
    admin: { address: socketAddress(address, adminPort) },
    static_resources: {
      listeners: [
        { name: "static", address: socketAddress(address, listenerPort), filter_chains: [{ filters: [filter] }] },
      ],
      clusters: [
        {
          name: "app",
          type: "STATIC",
          connect_timeout: "1s",
          load_assignment: { cluster_name: "app", endpoints: [{ lb_endpoints: [endpoint] }] },
        },
      ],
    },
  };
}

async function staticProxy(kind: ProxyKind) {
  const application = await startApplication("app", "v1");
  cleanups.add(() => application.close());
  const [port = 0] = await freePorts(1, address);
  const proxy = await spawned(kind, staticBootstrap(port, application.port));
  await untilReady(proxy);
  return { application, proxy, port };
}

for (const kind of ["limpid sidecar", "Envoy"] as const) {
  describe.skipIf(kind === "Envoy" && envoyMissing)(`lifecycle of ${kind}${whySkipped(kind)}`, () => {
    it("runs on static resources alone", async () => {
      const { port, proxy } = await staticProxy(kind);
      expect(await call({ address, port, host: "any", path: "/x" })).toMatchObject({
        status: 200,
        echo: { path: "/x" },
      });
      const { body } = await proxy.admin("/stats/prometheus");
      expect(body).toContain(
        'envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="app"} 1\n',
      );
    });

    it("has health and metrics on ports of their own, through its admin", async () => {
      const [port = 0, adminPort = 0] = await freePorts(2, address);
      const routes = [
        { match: { path: "/healthz/ready" }, route: { cluster: "app", prefix_rewrite: "/ready" } },
        { match: { path: "/stats/prometheus" }, route: { cluster: "app" } },
      ];
      const config = staticBootstrap(port, adminPort, { adminPort, routes });
      const [cluster] = config.static_resources.clusters;
      for (const { lb_endpoints } of cluster?.load_assignment.endpoints ?? []) {
        for (const { endpoint } of lb_endpoints) endpoint.address.socket_address.address = address;
      }
      await untilReady(await spawned(kind, config));
      expect(await call({ address, port, host: `localhost:${port}`, path: "/healthz/ready" })).toMatchObject({
        status: 200,
        body: "LIVE\n",
      });
      const metrics = await call({ address, port, host: `${address}:${port}`, path: "/stats/prometheus" });
      expect(metrics.body).toContain("# TYPE envoy_server_live gauge\nenvoy_server_live{} 1\n");
      expect((await call({ address, port, host: "any", path: "/quitquitquit", method: "POST" })).status).toBe(404);
    });

    it("waits for a control plane that comes late", async () => {
      const [xdsPort = 0, listenPort = 0] = await freePorts(2);
      const collector = await startCollector();
      cleanups.add(() => collector.close());
      const node: ProxyNode = {
        type: "sidecar",
        ip: address,
        workload: "late-v1",
        labels: { app: "late", version: "v1" },
        httpProxyPort: listenPort,
      };
      const proxy = await spawned(kind, bootstrap(node, { xdsPort, collectorPort: collector.port }));
      await until(async () => expect((await proxy.admin("/ready")).status).toBe(503));
      await expect(call({ address, port: listenPort, host: "nowhere" })).rejects.toThrow(/ECONNREFUSED/);

      const plane = new TestControlPlane({ port: xdsPort });
      await plane.start();
      cleanups.add(() => plane.stop());
      await untilReady(proxy);
      // Envoy may call itself live when its wait is over, and come back to the control plane some seconds later.
      const refused = async () => expect((await call({ address, port: listenPort, host: "nowhere" })).status).toBe(502);
      await until(refused, 45_000);
    });

    it("ends on /quitquitquit with code 0", async () => {
      const { proxy } = await staticProxy(kind);
      expect((await proxy.admin("/quitquitquit", "POST")).status).toBe(200);
      expect(await proxy.exited).toBe(0);
    });
  });
}

describe("lifecycle of limpid sidecar only", () => {
  it("on SIGTERM refuses new connections, answers what is in flight, ends with code 0", async () => {
    const { application, proxy, port } = await staticProxy("limpid sidecar");
    application.setDelay(600);
    const running = call({ address, port, host: "any" });
    await until(() => expect(application.requests).toHaveLength(1));
    proxy.signal("SIGTERM");
    await until(() => expect(call({ address, port, host: "any" })).rejects.toThrow(/ECONNREFUSED|ECONNRESET/));
    expect((await running).status).toBe(200);
    expect(await proxy.exited).toBe(0);
  });

  it("sends the last access logs before it ends", async () => {
    const plane = new TestControlPlane();
    await plane.start();
    cleanups.add(() => plane.stop());
    const collector = await startCollector();
    cleanups.add(() => collector.close());
    const [port = 0] = await freePorts(1, address);
    const labels = { app: "last", version: "v1" };
    const node: ProxyNode = { type: "sidecar", ip: address, workload: "last-v1", labels, httpProxyPort: port };
    const proxy = await spawned(
      "limpid sidecar",
      bootstrap(node, { xdsPort: plane.port, collectorPort: collector.port }),
    );
    await untilReady(proxy);
    expect((await call({ address, port, host: "nowhere", path: "/last-words" })).status).toBe(502);
    proxy.signal("SIGTERM");
    expect(await proxy.exited).toBe(0);
    expect(collector.logs.map(({ entry }) => entry.request?.path)).toEqual(["/last-words"]);
  });

  it("goes live when the control plane stays away longer than initial_fetch_timeout", async () => {
    const [xdsPort = 0] = await freePorts(1);
    const node: ProxyNode = { type: "sidecar", ip: address, workload: "alone-v1", labels: { app: "alone" } };
    const config = bootstrap(node, { xdsPort, collectorPort: xdsPort }) as ReturnType<typeof bootstrap> & {
      dynamic_resources: { lds_config: object };
    };
    config.dynamic_resources.lds_config = { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0.2s" };
    await untilReady(await spawned("limpid sidecar", config));
  });

  it("says in one line what is wrong, and ends with code 1", async () => {
    const wrong = await spawned("limpid sidecar", { static_resources: { clusters: [{ nam: "a" }] } });
    expect(await wrong.exited).toBe(1);
    expect(wrong.logs()).toMatch(
      /bootstrap\.json: static_resources\.clusters\[0\]\.nam: unknown field of envoy\.config/,
    );

    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, address, resolve));
    cleanups.add(() => holder.close());
    const bound = holder.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    const taken = await spawned("limpid sidecar", staticBootstrap(0, 1, { adminPort: port }));
    expect(await taken.exited).toBe(1);
    expect(taken.logs()).toContain(`limpid sidecar: listen EADDRINUSE: address already in use ${address}:${port}`);
  });
});
