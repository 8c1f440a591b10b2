// CPU per proxied request: the sidecar's data path beside a 30-line raw-socket proxy, a node:http proxy and, with LIMPID_ENVOY set, Envoy. All in one run on one
// core each, since only ratios travel between machines. Needs `wrk` and `taskset` (Linux). Usage: node scripts/bench-datapath.ts [seconds] [rounds] [which,…]

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer as createHttpServer, request as httpRequest } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

const body = "x".repeat(1024);
const ports = { upstream: 19_180, raw: 19_181, "node:http": 19_182, sidecar: 19_183, envoy: 19_184 };
const role = process.argv[2];
const roles: Record<string, () => void | Promise<void>> = { upstream, raw: rawProxy, "node:http": httpProxy, sidecar };
const start = role === undefined ? undefined : roles[role];
if (start === undefined) await main();
else await start();

async function main(): Promise<void> {
  const seconds = Number(process.argv[2] ?? 5);
  const rounds = Number(process.argv[3] ?? 3);
  const envoy = process.env.LIMPID_ENVOY;
  const wanted = process.argv[4]?.split(",") ?? ["raw", "sidecar", "node:http", ...(envoy ? ["envoy"] : [])];
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const children = [self("upstream", "1")];
  const pids = new Map<string, number>();
  for (const name of wanted) {
    const child = name === "envoy" && envoy ? startEnvoy(envoy, folder) : self(name, "0");
    children.push(child);
    pids.set(name, child.pid ?? 0);
  }
  try {
    for (const name of wanted) await listening(ports[name as keyof typeof ports]);
    for (const name of wanted) measure(name, pids.get(name) ?? 0, 2);
    for (let round = 0; round < rounds; round++) {
      const line = wanted.map((name) => {
        const { micros, rate } = measure(name, pids.get(name) ?? 0, seconds);
        return `${name} ${micros.toFixed(1)} µs (${Math.round(rate)}/s)`;
      });
      console.log(line.join("   "));
    }
  } finally {
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true });
  }
}

function self(name: string, core: string): ChildProcess {
  return spawn("taskset", ["-c", core, process.execPath, import.meta.filename, name], { stdio: "inherit" });
}

/** User and system time of the process over the number of requests answered. */
function measure(name: string, pid: number, seconds: number): { micros: number; rate: number } {
  const before = cpuMs(pid);
  const url = `http://127.0.0.1:${ports[name as keyof typeof ports]}/`;
  const report = execFileSync("taskset", [
    "-c",
    "1",
    "wrk",
    "-t1",
    "-c32",
    `-d${seconds}s`,
    "-H",
    "user-agent: bench",
    "-H",
    "accept: */*",
    url,
  ]).toString();
  if (/Non-2xx/.test(report)) throw new Error(`${name}: ${report}`);
  const requests = Number(/(\d+) requests in/.exec(report)?.[1]);
  return { micros: ((cpuMs(pid) - before) * 1000) / requests, rate: requests / seconds };
}

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function listening(port: number): Promise<void> {
  for (let left = 200; left > 0; left--) {
    const up = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on ${port}`);
}

function upstream(): void {
  const response = Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", () => socket.write(response));
  }).listen(ports.upstream, "127.0.0.1");
}

function rawProxy(): void {
  const idle: Socket[] = [];
  createServer({ noDelay: true }, (client) => {
    client.on("error", () => {});
    client.on("data", (bytes) => {
      const server = idle.pop() ?? connect({ port: ports.upstream, host: "127.0.0.1", noDelay: true });
      server.removeAllListeners("data");
      server.on("data", (answer) => {
        idle.push(server);
        client.write(answer);
      });
      server.write(bytes);
    });
  }).listen(ports.raw, "127.0.0.1");
}

function httpProxy(): void {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  createHttpServer((incoming, outgoing) => {
    const options = {
      host: "127.0.0.1",
      port: ports.upstream,
      path: incoming.url,
      method: incoming.method,
      headers: incoming.headers,
      agent,
    };
    const forwarded = httpRequest(options, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(forwarded);
  }).listen(ports["node:http"], "127.0.0.1");
}

async function sidecar(): Promise<void> {
  const { DataPlane } = await import("../server/sidecar/data-plane.ts");
  const { Stats } = await import("../server/sidecar/stats.ts");
  const { clusterFrom, listenerFrom } = await import("../server/sidecar/test-plane.ts");
  const { silentLogger } = await import("../server/lib/logger.ts");
  const logged = { count: 0 };
  const plane = new DataPlane({
    stats: new Stats(),
    accessLogger: () => ({
      log: (record) => {
        logged.count += record.responseCode;
      },
    }),
    tracer: () => undefined,
    logger: silentLogger,
  });
  const errors = [
    ...plane.setCluster(clusterFrom(clusterConfig("up"))),
    ...plane.setCluster(clusterFrom(clusterConfig("canary"))),
    ...plane.setListener(listenerFrom(listenerConfig(ports.sidecar, [{ name: "bench" }]))),
  ];
  if (errors.length > 0) throw new Error(errors.join("\n"));
}

function startEnvoy(binary: string, folder: string): ChildProcess {
  const path = join(folder, "envoy.json");
  // An access log to a file that is thrown away stands in for ALS.
  const log = {
    "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
    path: "/dev/null",
  };
  const bootstrap = {
    static_resources: {
      listeners: [listenerConfig(ports.envoy, [{ name: "file", typed_config: log }])],
      clusters: [clusterConfig("up"), clusterConfig("canary")],
    },
  };
  writeFileSync(path, JSON.stringify(bootstrap));
  return spawn(
    "taskset",
    ["-c", "0", binary, "-c", path, "--concurrency", "1", "-l", "error", "--use-dynamic-base-id"],
    { stdio: "inherit" },
  );
}

function clusterConfig(name: string) {
  const address = { socket_address: { address: "127.0.0.1", port_value: ports.upstream } };
  return {
    name,
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}

/** What the mesh configures: peer header, fault and CORS filters, a weighted cluster with retries. */
function listenerConfig(port: number, accessLog: JsonValue[]): JsonObject {
  const filters = "type.googleapis.com/envoy.extensions.filters";
  const peer = {
    header: { key: "x-limpid-peer", value: "a;default;a;v1;limpid" },
    append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
  };
  const clusters = [
    { name: "up", weight: 90 },
    { name: "canary", weight: 10 },
  ];
  const retry = { retry_on: "connect-failure,refused-stream,unavailable,cancelled", num_retries: 2 };
  const route = {
    match: { prefix: "/" },
    route: { weighted_clusters: { clusters }, timeout: "0s", retry_policy: retry },
  };
  return {
    name: "bench",
    address: { socket_address: { address: "127.0.0.1", port_value: port } },
    filter_chains: [
      {
        filters: [
          {
            name: "envoy.filters.network.http_connection_manager",
            typed_config: {
              "@type": `${filters}.network.http_connection_manager.v3.HttpConnectionManager`,
              stat_prefix: "bench",
              route_config: { name: "bench", virtual_hosts: [{ name: "all", domains: ["*"], routes: [route] }] },
              access_log: accessLog,
              http_filters: [
                {
                  name: "envoy.filters.http.header_mutation",
                  typed_config: {
                    "@type": `${filters}.http.header_mutation.v3.HeaderMutation`,
                    mutations: { request_mutations: [{ append: peer }] },
                  },
                },
                { name: "envoy.filters.http.cors", typed_config: { "@type": `${filters}.http.cors.v3.Cors` } },
                { name: "envoy.filters.http.fault", typed_config: { "@type": `${filters}.http.fault.v3.HTTPFault` } },
                { name: "envoy.filters.http.router", typed_config: { "@type": `${filters}.http.router.v3.Router` } },
              ],
            },
          },
        ],
      },
    ],
  };
}
