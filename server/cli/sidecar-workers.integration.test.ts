import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, get } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { listenerJson, staticCluster, toCluster } from "../sidecar/test-plane.ts";
import { createXdsServer } from "../xds/ads-server.ts";
import { createSnapshot, type SnapshotMessages } from "../xds/snapshot.ts";
import { freePort } from "../xds/testing/envoy.ts";
import { testMessages, testVirtualHost, withEntry } from "../xds/testing/messages.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const waits = { timeout: 120_000, interval: 50 };
const socketAddress = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });

/** Pushes what it is given, and knows how far its clients have come. */
async function controlPlane(messages: SnapshotMessages) {
  let current = messages;
  let revision = 1;
  const server = createXdsServer({
    port: 0,
    clock: systemClock,
    logger: silentLogger,
    events: {
      connected: (session) => session.publish(createSnapshot(revision, current)),
      disconnected: () => {},
      nacked: () => {},
      settled: () => {},
    },
  });
  const port = await server.start();
  cleanups.push(() => server.stop(100));
  return {
    port,
    sessions: () => server.sessions().length,
    publish(change: Partial<SnapshotMessages>) {
      current = { ...current, ...change };
      revision++;
      for (const session of server.sessions()) session.publish(createSnapshot(revision, current));
    },
    messages: () => current,
  };
}

/** A listener on any port that writes a line for each request, beside what discovery brings. */
const logged = (logPath: string) =>
  listenerJson({
    routes: [toCluster("up")],
    manager: {
      access_log: [
        {
          name: "file",
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            path: logPath,
            log_format: { text_format_source: { inline_string: "%RESPONSE_CODE% %PATH%\n" } },
          },
        },
      ],
    },
    listener: { name: "logged" },
  });

function bootstrapOf(xds: number, admin: number, upstream: number, logPath: string) {
  const ads = { ads: {}, resource_api_version: "V3" };
  const endpoint = { endpoint: { address: socketAddress(xds) } };
  return {
    node: { id: "sidecar~127.0.0.1~test.default~default.svc.cluster.local", cluster: "test.default" },
    admin: { address: socketAddress(admin) },
    layered_runtime: { layers: [{ name: "admin", admin_layer: {} }] },
    dynamic_resources: {
      ads_config: { api_type: "DELTA_GRPC", grpc_services: [{ envoy_grpc: { cluster_name: "xds" } }] },
      lds_config: ads,
      cds_config: ads,
    },
    static_resources: {
      listeners: [logged(logPath)],
      clusters: [
        staticCluster("up", [upstream]),
        {
          name: "xds",
          type: "STATIC",
          http2_protocol_options: {},
          load_assignment: { cluster_name: "xds", endpoints: [{ lb_endpoints: [endpoint] }] },
        },
      ],
    },
  };
}

async function setUp(concurrency: number) {
  const upstream = createServer((request, response) => {
    // Held until its client has seen enough.
    if (request.url === "/held") response.write("begun");
    else response.end("hello");
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  cleanups.push(() => {
    upstream.close();
    upstream.closeAllConnections();
  });
  const [port, adminPort] = [await freePort(), await freePort()];
  const upstreamPort = (upstream.address() as AddressInfo).port;
  const plane = await controlPlane(testMessages({ listenerPort: port, upstreamPort, services: 3, vhds: true }));
  const folder = mkdtempSync(join(tmpdir(), "limpid-workers-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, "bootstrap.json");
  const logPath = join(folder, "access.log");
  writeFileSync(config, JSON.stringify(bootstrapOf(plane.port, adminPort, upstreamPort, logPath)));
  const main = join(import.meta.dirname, "main.ts");
  const args = [
    main,
    "sidecar",
    "-c",
    config,
    "--concurrency",
    String(concurrency),
    "--drain-time-s",
    "6",
    "--file-flush-interval-msec",
    "20",
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += chunk;
  });
  cleanups.push(() => end(child));
  const admin = async (path: string, method = "GET") =>
    (await fetch(`http://127.0.0.1:${adminPort}${path}`, { method })).text();
  await vi.waitFor(async () => expect(await admin("/ready"), log).toBe("LIVE\n"), waits);
  return { plane, child, admin, port, log: () => log, lines: () => readFileSync(logPath, "utf8") };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** Over a connection of its own. */
async function call(port: number, host = "s0") {
  const request = get({ port, host: "127.0.0.1", headers: { host }, agent: false });
  const [response] = await once(request, "response");
  response.resume();
  await once(response, "end");
  return { status: response.statusCode, marker: response.headers["x-marker"] };
}

/** A connection that stays, and what it has received. */
async function kept(port: number, path: string) {
  const socket = connect(port, "127.0.0.1");
  cleanups.push(() => socket.destroy());
  const state = { received: "", over: false };
  socket.on("data", (bytes) => {
    state.received += bytes;
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    state.over = true;
  });
  await once(socket, "connect");
  socket.write(`GET ${path} HTTP/1.1\r\nhost: s0\r\n\r\n`);
  return { state, ask: () => socket.write("GET / HTTP/1.1\r\nhost: s0\r\n\r\n") };
}

async function numbers(admin: (path: string) => Promise<string>, filter: string): Promise<Record<string, number>> {
  const lines = (await admin(`/stats?filter=${encodeURIComponent(filter)}`)).split("\n").filter((line) => line !== "");
  return Object.fromEntries(lines.map((line) => line.split(": ")).map(([name, value]) => [name, Number(value)]));
}

const accepted = (port: number) => `listener.127.0.0.1_${port}`;

/** Of every process that has this one for a parent. */
function childrenOf(pid: number | undefined): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
}

const onLinux = test.skipIf(process.platform !== "linux");

onLinux(
  "all workers take connections, what they count adds up, and the control plane sees one proxy",
  async () => {
    const { plane, admin, port } = await setUp(3);
    expect(plane.sessions()).toBe(1);
    // A worker that is never the first to wake could miss a few: connections come until each has had one.
    let calls = 0;
    await vi.waitFor(async () => {
      const some = await Promise.all(Array.from({ length: 30 }, () => call(port)));
      calls += some.length;
      expect(some.every(({ status }) => status === 200)).toBe(true);
      const each = await numbers(admin, "worker_\\d\\.downstream_cx_total");
      expect(Object.values(each).filter((value) => value > 0)).toHaveLength(3);
    }, waits);
    const stats = await numbers(admin, "downstream_cx_total|upstream_rq_total|server.concurrency|membership_total");
    const workers = [0, 1, 2].map((index) => stats[`${accepted(port)}.worker_${index}.downstream_cx_total`] ?? 0);
    expect(stats[`${accepted(port)}.downstream_cx_total`]).toBe(calls);
    expect(workers.reduce((sum, value) => sum + value)).toBe(calls);
    expect(stats["cluster.s0.upstream_rq_total"]).toBe(calls);
    // What every worker sees for itself is no more for being seen thrice.
    expect([stats["cluster.s0.membership_total"], stats["server.concurrency"]]).toEqual([1, 3]);
    expect(await admin("/clusters")).toContain(`::rq_total::${calls}\n`);
    await admin("/reset_counters", "POST");
    expect((await numbers(admin, "s0.upstream_rq_total"))["cluster.s0.upstream_rq_total"]).toBe(0);
  },
  120_000,
);

onLinux(
  "workers share a port that the configuration leaves open, a log file, and Istio's metrics",
  async () => {
    const { admin, lines } = await setUp(2);
    const open = Number(/^logged::127\.0\.0\.1:(\d+)$/m.exec(await admin("/listeners"))?.[1]);
    let calls = 0;
    await vi.waitFor(async () => {
      await Promise.all(Array.from({ length: 20 }, () => call(open)));
      calls += 20;
      const each = await numbers(admin, "listener.127.0.0.1_0.worker_\\d\\.downstream_cx_total");
      expect(Object.values(each).filter((value) => value > 0)).toHaveLength(2);
    }, waits);
    // Each a line of its own, whoever wrote it.
    await vi.waitFor(() => expect(lines()).toBe("200 /\n".repeat(calls)), waits);
    const counted = /^istio_requests_total\{(.*)\} (\d+)$/m.exec(await admin("/stats/prometheus"));
    expect(counted?.[1]).toContain('reporter="source"');
    expect(Number(counted?.[2])).toBe(calls);
    // A log that was moved: every worker goes on in a new one.
    expect(await admin("/reopen_logs", "POST")).toBe("OK\n");
  },
  120_000,
);

onLinux(
  "a change reaches all workers, and one that comes later, too",
  async () => {
    const { plane, child, admin, port } = await setUp(2);
    const hosts = withEntry(plane.messages().virtualHosts, "http_proxy/s0", testVirtualHost("s0", "s0", "v2"));
    plane.publish({ virtualHosts: hosts });
    const all = async () => {
      const some = await Promise.all(Array.from({ length: 20 }, () => call(port)));
      expect(new Set(some.map(({ marker }) => marker))).toEqual(new Set(["v2"]));
      const each = await numbers(admin, "worker_\\d\\.downstream_cx_active|worker_\\d\\.downstream_cx_total");
      for (const index of [0, 1])
        expect(each[`${accepted(port)}.worker_${index}.downstream_cx_total`]).toBeGreaterThan(0);
    };
    await vi.waitFor(all, waits);
    await admin("/runtime_modify?some.key=7", "POST");
    await admin("/logging?level=warning", "POST");

    const before = childrenOf(child.pid);
    process.kill(before[0] ?? 0, "SIGKILL");
    await vi.waitFor(() => {
      const now = childrenOf(child.pid);
      expect(now.filter((pid) => !before.includes(pid))).toHaveLength(1);
    }, waits);
    // The first one is gone: whoever answers as both of them has the change.
    await vi.waitFor(async () => expect(await admin("/ready")).toBe("LIVE\n"), waits);
    const counted = (await numbers(admin, "worker_"))[`${accepted(port)}.worker_0.downstream_cx_total`] ?? 0;
    await vi.waitFor(async () => {
      await Promise.all(Array.from({ length: 20 }, () => call(port)));
      const now = (await numbers(admin, "worker_"))[`${accepted(port)}.worker_0.downstream_cx_total`] ?? 0;
      expect(now).toBeGreaterThan(counted);
    }, waits);
    await vi.waitFor(all, waits);
  },
  120_000,
);

onLinux(
  "a worker that dies is replaced: clients of the others notice nothing, and what it had counted stays counted",
  async () => {
    const { child, admin, port, log } = await setUp(2);
    const connections = await Promise.all(Array.from({ length: 24 }, () => kept(port, "/held")));
    await vi.waitFor(
      () => expect(connections.every(({ state }) => state.received.includes("begun"))).toBe(true),
      waits,
    );
    const each = await numbers(admin, "worker_\\d\\.downstream_cx_active");
    const of = (index: number) => each[`${accepted(port)}.worker_${index}.downstream_cx_active`] ?? 0;
    expect(of(0) + of(1)).toBe(24);
    const total = (await numbers(admin, "cx_total"))[`${accepted(port)}.downstream_cx_total`] ?? 0;

    const before = childrenOf(child.pid);
    process.kill(before[0] ?? 0, "SIGKILL");
    // Meanwhile others are served, and nobody is refused.
    let calls = 0;
    await vi.waitFor(async () => {
      expect((await call(port)).status).toBe(200);
      calls++;
      expect(log()).toContain("a worker has ended");
      const now = childrenOf(child.pid);
      expect(now).toHaveLength(2);
      expect(now.filter((pid) => !before.includes(pid))).toHaveLength(1);
    }, waits);
    const lost = connections.filter(({ state }) => state.over).length;
    expect([of(0), of(1)]).toContain(lost);
    expect(connections.length - lost).toBeGreaterThan(0);
    const after = (await numbers(admin, "cx_total"))[`${accepted(port)}.downstream_cx_total`] ?? 0;
    expect(after).toBeGreaterThanOrEqual(total);
    expect(after).toBeLessThanOrEqual(total + calls);
  },
  120_000,
);

onLinux(
  "draining lets the requests of every worker end, and refuses nobody before the ports close",
  async () => {
    const { child, port } = await setUp(2);
    const idle = await Promise.all(Array.from({ length: 8 }, () => kept(port, "/")));
    await vi.waitFor(() => expect(idle.every(({ state }) => state.received.endsWith("hello"))).toBe(true), waits);
    const pids = childrenOf(child.pid);
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(port)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect((await ended)[0]).toBe(0);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  },
  120_000,
);
