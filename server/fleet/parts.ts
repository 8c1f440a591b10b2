import { existsSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type { ProxyStart } from "../contract/index.ts";
import { type AdminAddress, bootstrapFor, nodeId, type ProxyIdentity } from "./bootstrap.ts";
import { bootstrapCertificate } from "./certificates.ts";
import type { ChildSpec } from "./child.ts";
import { grpcRatings } from "./demo/ratings-grpc.ts";
import { type DemoWorkload, demoWorkloads, ingressGateway } from "./demo/workloads.ts";
import { logFileOf } from "./log-file.ts";
import { meshPorts, type WorkloadPorts, workloadPorts } from "./ports.ts";
import type { NeededPort } from "./preflight.ts";
import { probeHttp } from "./probe.ts";

export interface MeshOptions {
  /** Absolute path of the data folder. */
  data: string;
  portOffset: number;
  proxy: { kind: "limpid" } | { kind: "envoy"; binary: string };
  /** The bundled CLI that the parts are commands of. */
  cli: string;
  dashboard: boolean;
  /** Reviews ask for ratings over gRPC. */
  demoGrpc: boolean;
  /** Details have no sidecar: they take part by the SDK. */
  demoSdk: boolean;
}

/** What a proxy is started with this time. */
export type StartOf = (identity: ProxyIdentity) => ProxyStart;

/** One process of the mesh, its address for people, and the ports it needs. */
export interface Part extends ChildSpec {
  kind: "control-plane" | "collector" | "dashboard" | "workload" | "sidecar" | "gateway";
  address: string;
  ports: readonly NeededPort[];
  /** xDS node id, when it is a proxy. */
  node?: string;
  /** Where it tells its metrics, when it is a proxy. */
  metrics?: string;
  /** Of a proxy: `<ip>:<port>`, or `unix:<path>`, below the data folder. */
  admin?: string;
}

export function planesOf(options: MeshOptions): Part[] {
  const ports = meshPorts(options.portOffset);
  const serving = (part: string, port: number): NeededPort => ({ part, host: "127.0.0.1", port });
  const planes: Part[] = [
    {
      ...command(options, "control-plane", ["control-plane"]),
      kind: "control-plane",
      address: `http://127.0.0.1:${ports.configApi}`,
      ports: [
        serving("control plane (xDS)", ports.xds),
        serving("control plane (xDS over TLS)", ports.xdsTls),
        serving("control plane (joining)", ports.join),
        serving("control plane (config API)", ports.configApi),
        serving("control plane (config API over TLS)", ports.configApiTls),
      ],
      probe: (signal) => probeHttp("127.0.0.1", ports.configApi, "/readyz", signal),
    },
    {
      ...command(options, "collector", ["collector"]),
      kind: "collector",
      // It writes what it took in once a second, a burst of 10–20 ms that can wait for the requests it is about.
      niceness: 5,
      address: `127.0.0.1:${ports.collectorGrpc}`,
      ports: [
        serving("collector (gRPC)", ports.collectorGrpc),
        serving("collector (HTTP)", ports.collectorHttp),
        serving("collector (Zipkin)", ports.zipkin),
        serving("collector (Jaeger)", ports.jaeger),
      ],
      probe: (signal) => probeHttp("127.0.0.1", ports.collectorHttp, "/healthz", signal),
    },
  ];
  if (options.dashboard) {
    planes.push({
      ...command(options, "dashboard", ["dashboard"]),
      kind: "dashboard",
      address: `http://127.0.0.1:${ports.dashboard}`,
      ports: [serving("dashboard", ports.dashboard)],
      probe: (signal) => probeHttp("127.0.0.1", ports.dashboard, "/api/healthz", signal),
    });
  }
  return planes;
}

export function workloadsOf(options: MeshOptions, startOf: StartOf): Part[] {
  const workloads = demoWorkloads.map((workload): Part => {
    const ports = workloadPorts(workload.index, options.portOffset);
    return {
      ...command(options, workload.name, [
        "workload",
        workload.app,
        "--app-version",
        workload.version,
        "--listen",
        `127.0.0.1:${ports.app}`,
        ...(isSdk(workload.app, options)
          ? ["--sdk", `${ports.ip}:${ports.inbound}`]
          : ["--proxy", `${ports.ip}:${ports.outbound}`]),
        ...(options.demoGrpc ? grpcArgs(workload, ports) : []),
      ]),
      kind: "workload",
      niceness: yielding,
      address: `127.0.0.1:${ports.app}`,
      ports: [
        { part: workload.name, host: "127.0.0.1", port: ports.app },
        ...(servesGrpc(workload, options.demoGrpc)
          ? [{ part: `${workload.name} (gRPC)`, host: "127.0.0.1", port: ports.grpcApp }]
          : []),
        ...(isSdk(workload.app, options)
          ? [{ part: `${workload.name} (inbound)`, host: ports.ip, port: ports.inbound }]
          : []),
      ],
      ...(isSdk(workload.app, options) && {
        node: nodeId({ ...workload, type: "sidecar", workload: workload.name }, ports),
      }),
      probe: (signal) => probeHttp("127.0.0.1", ports.app, "/health", signal),
    };
  });
  const proxies = demoProxies(options.portOffset, options.demoGrpc).map((proxy, index) => ({ proxy, index }));
  return [
    ...workloads,
    ...proxies
      .filter(({ proxy: { identity } }) => !isSdk(identity.labels.app, options))
      .map(({ proxy, index }) => proxyPart(options, proxy, index, startOf)),
  ];
}

const isSdk = (app: string | undefined, { demoSdk }: MeshOptions): boolean => demoSdk && app === "details";

const servesGrpc = ({ app }: DemoWorkload, demoGrpc: boolean): boolean => demoGrpc && app === "ratings";

function grpcArgs({ app }: DemoWorkload, ports: WorkloadPorts): string[] {
  if (app === "ratings") return ["--grpc-listen", `127.0.0.1:${ports.grpcApp}`];
  return app === "reviews" ? ["--grpc-ratings", `ratings:${grpcRatings.port}`] : [];
}

interface DemoProxy {
  kind: "sidecar" | "gateway";
  ports: WorkloadPorts;
  identity: ProxyIdentity;
}

/** A sidecar for each workload of the demo, and the ingress gateway. */
export function demoProxies(portOffset: number, demoGrpc = false): DemoProxy[] {
  const sidecars = demoWorkloads.map((workload): DemoProxy => {
    const ports = workloadPorts(workload.index, portOffset);
    return {
      kind: "sidecar",
      ports,
      identity: {
        type: "sidecar",
        workload: workload.name,
        namespace: workload.namespace,
        serviceAccount: `bookinfo-${workload.app}`,
        labels: { app: workload.app, version: workload.version },
        inboundPorts: [
          { port: ports.inbound, app: ports.app },
          ...(servesGrpc(workload, demoGrpc) ? [{ port: ports.grpcInbound, app: ports.grpcApp }] : []),
        ],
      },
    };
  });
  const gateway: DemoProxy = {
    kind: "gateway",
    ports: workloadPorts(ingressGateway.index, portOffset),
    identity: {
      type: "router",
      workload: ingressGateway.name,
      namespace: ingressGateway.namespace,
      serviceAccount: `${ingressGateway.name}-service-account`,
      labels: { ...ingressGateway.labels },
      inboundPorts: [],
    },
  };
  return [...sidecars, gateway];
}

function proxyPart(options: MeshOptions, { kind, ports, identity }: DemoProxy, index: number, startOf: StartOf): Part {
  const name = kind === "gateway" ? identity.workload : `${identity.workload} proxy`;
  const file = join(options.data, "run", `${identity.workload}.bootstrap.json`);
  const certificate = bootstrapCertificate(options.data, identity.workload);
  const isEnvoy = options.proxy.kind === "envoy";
  // Envoy's admin answers any Host and Origin, and can end the proxy: a web page reaches a port, and no Unix socket. The path is relative,
  // because 107 bytes are all that one may have.
  const socket = { kind: "socket", path: join("run", `${identity.workload}.admin.sock`) } as const;
  const admin: AdminAddress = isEnvoy ? socket : { kind: "port" };
  const fresh = (): ReturnType<NonNullable<ChildSpec["fresh"]>> => {
    const { concurrency, environmentVariables: env } = startOf(identity);
    const proxyConfig = { ...(concurrency !== undefined && { concurrency }), proxyMetadata: env };
    const bootstrap = bootstrapFor(
      { ...identity, proxyConfig },
      ports,
      meshPorts(options.portOffset),
      certificate,
      admin,
    );
    writeFileSync(file, JSON.stringify(bootstrap, null, 2), { mode: 0o600 });
    // Envoy's own word for all cores is to say nothing.
    const workers = isEnvoy ? (concurrency === undefined ? 1 : concurrency || undefined) : concurrency;
    return { args: workers === undefined ? [] : ["--concurrency", String(workers)], env };
  };
  const { gateway: gatewayPort, gatewayHttps } = meshPorts(options.portOffset);
  const base = command(options, name, ["sidecar", "-c", file, "--drain-time-s", "2"]);
  const listening: NeededPort[] = [
    ...(isEnvoy ? [] : [{ part: `${name} (admin)`, host: ports.ip, port: ports.admin }]),
    { part: `${name} (health)`, host: ports.ip, port: ports.health },
    { part: `${name} (metrics)`, host: ports.ip, port: ports.prometheus },
    ...(kind === "gateway"
      ? [
          { part: name, host: ports.ip, port: gatewayPort },
          { part: `${name} (HTTPS)`, host: ports.ip, port: gatewayHttps },
        ]
      : [
          ...identity.inboundPorts.map(({ port }) => ({ part: `${name} (inbound)`, host: ports.ip, port })),
          { part: `${name} (outbound)`, host: ports.ip, port: ports.outbound },
        ]),
  ];
  return {
    ...base,
    fresh,
    succeeds: canSucceed && !isEnvoy,
    // The drain, and what its proxy grants itself after it.
    graceMs: 8_000,
    ...(options.proxy.kind === "envoy" && {
      ...envoyCommand(options.proxy.binary, file),
      cwd: options.data,
      ...(canHandOver && { handsOver: hotRestart(options.portOffset, index) }),
    }),
    kind,
    niceness: yielding,
    address: kind === "gateway" ? `http://${ports.ip}:${gatewayPort}` : `${ports.ip}:${ports.inbound}`,
    ports: listening,
    node: nodeId(identity, ports),
    metrics: `http://${ports.ip}:${ports.prometheus}`,
    admin: isEnvoy ? `unix:${socket.path}` : `${ports.ip}:${ports.admin}`,
    probe: (signal) => probeHttp(ports.ip, ports.health, "/healthz/ready", signal),
  };
}

/** On Windows libuv's duplicates of a socket are opened by process id, and need not be shared. */
const canSucceed = process.platform !== "win32";

/** V8 lets a heap grow fourfold between collections when it may become large, and by a third when it may not (256 MB and less). */
const smallHeap = "--max-semi-space-size=1 --max-old-space-size=256";
/** Whose garbage grows with the mesh, and not with one request at a time. */
const largeHeap = "--max-semi-space-size=4 --max-old-space-size=1024";
/** A graph of 800 calls makes 30 MB that nobody needs a moment later: with a young generation of 4 MB it took a third more processor time. */
const readersHeap = "--max-semi-space-size=16 --max-old-space-size=1024";
/**
 * V8 collects and compiles on four threads beside JavaScript's. All proxies get the same pushes, so all of them do so in the same moment:
 * seven times four threads were what a change of weights waited for when it took long.
 */
const oneHelper = "--v8-pool-size=1";
/** A change has the control plane, the dashboard and all proxies want the processor at once: what steers goes before what carries. */
const yielding = 3;
const heaps: Readonly<Record<string, string>> = {
  "control-plane": largeHeap,
  collector: largeHeap,
  dashboard: readersHeap,
};

/**
 * What makes a part of Limpid's in Node small: many such processes share a machine. A small young generation, few threads and few malloc arenas;
 * code compiled by one start (or by a sibling) is not compiled again, whose cache lies beside the bundle and goes with it.
 * @param part the command's first word.
 */
export function leanNode(part: string, cli: string): NodeJS.ProcessEnv {
  return {
    NODE_ENV: "production",
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(dirname(cli), "compile-cache"),
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} ${heaps[part] ?? smallHeap} ${oneHelper}`.trim(),
    UV_THREADPOOL_SIZE: "2",
    MALLOC_ARENA_MAX: "2",
  };
}

function command(options: MeshOptions, name: string, args: readonly string[]) {
  return {
    name,
    command: process.execPath,
    args: [options.cli, ...args],
    env: {
      ...process.env,
      LIMPID_DATA: options.data,
      LIMPID_PORT_OFFSET: String(options.portOffset),
      LIMPID_LEASH: "1",
      ...leanNode(args[0] ?? "", options.cli),
    },
    logFile: logFileOf(options.data, name),
  };
}

/** Envoy knows no leash: on Linux the kernel ends it with its parent instead. */
function envoyCommand(binary: string, bootstrap: string) {
  const args = [
    "-c",
    bootstrap,
    ...(canHandOver ? [] : ["--disable-hot-restart"]),
    "--log-level",
    "warning",
    "--drain-time-s",
    "2",
    "--parent-shutdown-time-s",
    "4",
  ];
  const setpriv = process.platform === "linux" ? onPath("setpriv") : undefined;
  return setpriv
    ? { command: setpriv, args: ["--pdeathsig", "TERM", "--", binary, ...args] }
    : { command: binary, args };
}

/** Envoy hands its sockets over through Unix sockets in the kernel's own name space and a little shared memory. */
const canHandOver = process.platform === "linux" && existsSync("/dev/shm");

/**
 * Its sockets and memory have their names from the base id, which is each proxy's own, over restarts too: those that Envoy draws by itself leave their
 * memory behind. https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/operations/hot_restart
 */
function hotRestart(portOffset: number, index: number): (epoch: number) => string[] {
  const baseId = firstBaseId + portOffset * proxiesPerMesh + index;
  return (epoch) => ["--base-id", String(baseId), "--restart-epoch", String(epoch)];
}

/** Away from 0 and the small numbers that people give by hand. */
const firstBaseId = 7_000_000;
const proxiesPerMesh = 16;

const onPath = (name: string): string | undefined =>
  (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
