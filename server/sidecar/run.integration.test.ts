import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { createXdsServer } from "../xds/ads-server.ts";
import { createSnapshot, type SnapshotMessages } from "../xds/snapshot.ts";
import { freePort } from "../xds/testing/envoy.ts";
import {
  badVirtualHost,
  testEndpoints,
  testListener,
  testMessages,
  testVirtualHost,
  withEntry,
} from "../xds/testing/messages.ts";
import { runSidecar } from "./run.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A control plane that pushes what it is given, and notes refusals. */
async function controlPlane(messages: SnapshotMessages) {
  let current = messages;
  let revision = 1;
  let settled = 0;
  const refusals: Record<string, string>[] = [];
  const server = createXdsServer({
    port: 0,
    clock: systemClock,
    logger: silentLogger,
    events: {
      connected: (session) => session.publish(createSnapshot(revision, current)),
      disconnected: () => {},
      nacked: (_, __, refused) => void refusals.push(Object.fromEntries(refused)),
      settled: (_, upTo) => {
        settled = upTo;
      },
    },
  });
  const port = await server.start();
  cleanups.push(() => server.stop(100));
  return {
    port,
    refusals,
    messages: () => current,
    node: () => server.sessions()[0]?.node,
    async publish(change: Partial<SnapshotMessages>) {
      current = { ...current, ...change };
      revision++;
      for (const session of server.sessions()) session.publish(createSnapshot(revision, current));
      await vi.waitFor(() => expect(settled).toBe(revision), { timeout: 10_000 });
    },
  };
}

const socketAddress = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });

async function sidecar(xdsPort: number) {
  const folder = await mkdtemp(join(tmpdir(), "sidecar-"));
  cleanups.push(() => rm(folder, { recursive: true }));
  const configPath = join(folder, "bootstrap.json");
  const ads = { ads: {}, resource_api_version: "V3" };
  const endpoint = { endpoint: { address: socketAddress(xdsPort) } };
  const bootstrap = {
    node: { id: "sidecar~127.0.0.1~test.default~default.svc.cluster.local", cluster: "test.default" },
    admin: { address: socketAddress(0) },
    dynamic_resources: {
      ads_config: { api_type: "DELTA_GRPC", grpc_services: [{ envoy_grpc: { cluster_name: "xds" } }] },
      lds_config: ads,
      cds_config: ads,
    },
    static_resources: {
      clusters: [
        {
          name: "xds",
          type: "STATIC",
          http2_protocol_options: {},
          load_assignment: { cluster_name: "xds", endpoints: [{ lb_endpoints: [endpoint] }] },
        },
      ],
    },
  };
  await writeFile(configPath, JSON.stringify(bootstrap));
  const running = await runSidecar({
    configPath,
    drainTimeMs: 1_000,
    version: "1.2.3",
    logger: silentLogger,
    logLevel: { get: () => "info", set: () => true },
  });
  cleanups.push(() => running.stop());
  const admin = async (path: string) => (await fetch(`http://127.0.0.1:${running.admin?.port}${path}`)).text();
  return { running, admin };
}

function get(port: number, host: string) {
  return new Promise<{ status: number; body: string; headers: IncomingHttpHeaders }>((resolve, reject) => {
    const sent = request({ port, host: "127.0.0.1", headers: { host }, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function setUp() {
  const app = createServer((_, response) => response.end("hello"));
  await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => app.close());
  const upstreamPort = (app.address() as AddressInfo).port;
  const listenerPort = await freePort();
  const plane = await controlPlane(testMessages({ listenerPort, upstreamPort, services: 3, vhds: true }));
  const { running, admin } = await sidecar(plane.port);
  await vi.waitFor(() => expect(running.state()).toBe("LIVE"), { timeout: 10_000 });
  const call = (host: string) => get(listenerPort, host);
  return { plane, running, admin, call, listenerPort, upstreamPort };
}

describe("runSidecar", () => {
  it("tells the control plane who it is, and serves what it gets", async () => {
    const { plane, call } = await setUp();
    expect(plane.node()).toMatchObject({
      userAgentName: "limpid-sidecar",
      userAgentVersionType: { value: { version: { majorNumber: 1, minorNumber: 2, patch: 3 } } },
      metadata: { LIMPID_VERSION: "1.2.3" },
    });
    expect(await call("s1")).toMatchObject({ status: 200, body: "hello", headers: { "x-marker": "v1" } });
    expect((await call("elsewhere")).status).toBe(404);
  });

  it("refuses bad resources by name, keeps their last good version, and takes the others of the push", async () => {
    const { plane, admin, call, listenerPort } = await setUp();
    let hosts: SnapshotMessages["virtualHosts"] = plane.messages().virtualHosts;
    hosts = withEntry(hosts, "http_proxy/s0", testVirtualHost("s0", "s0", "v2"));
    hosts = withEntry(hosts, "http_proxy/s1", badVirtualHost("s1"));
    await plane.publish({ virtualHosts: hosts });
    expect(plane.refusals).toEqual([{ "http_proxy/s1": expect.stringContaining("unclosed") }]);
    expect((await call("s0")).headers["x-marker"]).toBe("v2");
    expect((await call("s1")).headers["x-marker"]).toBe("v1");

    const listener = testListener("outbound", listenerPort, "http_proxy");
    await plane.publish({
      listeners: new Map([["outbound", { ...listener, enableReusePort: false, freebind: true }]]),
    });
    expect(plane.refusals.at(-1)).toEqual({ outbound: expect.stringContaining("freebind: not supported") });
    const dump = JSON.parse(await admin("/config_dump?resource=dynamic_listeners"));
    expect(dump.configs[0]).toMatchObject({
      client_status: "NACKED",
      active_state: { listener: { name: "outbound" } },
      error_state: { details: expect.stringContaining("freebind"), failed_configuration: { freebind: true } },
    });
    expect((await call("s0")).status).toBe(200);
    expect(await admin("/stats?filter=lds.update_rejected")).toBe("listener_manager.lds.update_rejected: 1\n");
  });

  it("follows endpoints and removals", async () => {
    const { plane, admin, call } = await setUp();
    const other = createServer((_, response) => response.end("other"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => other.close());
    const port = (other.address() as AddressInfo).port;
    await plane.publish({ endpoints: withEntry(plane.messages().endpoints, "s0", testEndpoints("s0", port)) });
    expect((await call("s0")).body).toBe("other");
    await plane.publish({
      virtualHosts: withEntry(plane.messages().virtualHosts, "http_proxy/s0", undefined),
      clusters: withEntry(plane.messages().clusters, "s0", undefined),
      endpoints: withEntry(plane.messages().endpoints, "s0", undefined),
    });
    expect((await call("s0")).status).toBe(404);
    expect(await admin("/clusters")).not.toContain("s0::");
    expect(await admin("/config_dump?include_eds")).not.toContain('"s0"');
  });
});
