import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** The real Envoy. Missing: tests that need it are skipped, but fail where CI is set. */
export const envoyPath = process.env.LIMPID_ENVOY ?? resolve(".build/envoy/envoy/_bin/envoy");
export const envoyMissing = !existsSync(envoyPath) && !process.env.CI;

export interface Envoy {
  /** GET on the admin interface. */
  admin(path: string): Promise<string>;
  logs(): string;
  stop(): Promise<void>;
}

export interface EnvoyOptions {
  id: string;
  xdsPort: number;
  api: "DELTA_GRPC" | "GRPC";
  metadata?: Record<string, unknown>;
  /** Files with which it connects over mutual TLS; undefined: in plain text. */
  tls?: { key: string; certificateChain: string; root: string; serverUri: string };
  /** Everything on a stream of its own, rather than on ADS. */
  ownStreams?: boolean;
  /** Listeners of the bootstrap. */
  staticListeners?: unknown[];
  /** Its stats go to a MetricsService at the same port. */
  metricsSink?: boolean;
  /** It reports the load that it sends. */
  loadStats?: boolean;
  /** It offers to probe endpoints. */
  healthDiscovery?: boolean;
  /** A runtime layer of this name from the control plane. */
  rtdsLayer?: string;
  /** What it says it can do. */
  clientFeatures?: string[];
  /** Another program that takes Envoy's flags and bootstrap. Default: the real Envoy. */
  command?: readonly string[];
  /** Clusters that the bootstrap has beside xds-grpc; they lead nowhere. */
  staticClusters?: string[];
  /** Those of them that lead somewhere. */
  clusterPorts?: Readonly<Record<string, number>>;
}

/** An Envoy that takes everything over ADS from a control plane on this machine. */
export async function startEnvoy(options: EnvoyOptions): Promise<Envoy> {
  const dir = await mkdtemp(join(tmpdir(), "limpid-envoy-"));
  await writeFile(join(dir, "bootstrap.json"), JSON.stringify(testBootstrap(options)));
  const addressPath = join(dir, "admin");
  const [program = envoyPath, ...before] = options.command ?? [];
  const args = [
    ...before,
    "-c",
    join(dir, "bootstrap.json"),
    "--admin-address-path",
    addressPath,
    "--use-dynamic-base-id",
  ];
  const child = spawn(program, [...args, "--concurrency", "1", "-l", "info", "--drain-time-s", "1"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let logs = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (logs += chunk));
  const exited = new Promise<void>((done) => child.once("exit", () => done()));
  const address = await awaitAddress(addressPath, child, () => logs);
  return {
    admin: async (path) => (await fetch(`http://${address}${path}`)).text(),
    logs: () => logs,
    async stop() {
      child.kill("SIGKILL");
      await exited;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function awaitAddress(path: string, child: ChildProcess, logs: () => string): Promise<string> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline && child.exitCode === null) {
    const address = await readFile(path, "utf8").catch(() => "");
    if (address.includes(":")) return address.trim();
    await new Promise((done) => setTimeout(done, 20));
  }
  child.kill("SIGKILL");
  throw new Error(`Envoy did not start:\n${logs()}`);
}

/** Everything over ADS; the admin on a free port. */
export function testBootstrap(options: EnvoyOptions) {
  const {
    id,
    xdsPort,
    api,
    metadata,
    staticClusters = [],
    clusterPorts = {},
    tls,
    ownStreams,
    rtdsLayer,
    loadStats,
    healthDiscovery,
    staticListeners,
    metricsSink,
    clientFeatures,
  } = options;
  const stream = {
    api_type: api,
    transport_api_version: "V3",
    grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc" } }],
  };
  const source = { ...(ownStreams ? { api_config_source: stream } : { ads: {} }), resource_api_version: "V3" };
  // By itself an Envoy goes on after 15 s, whether it was answered or not.
  const patient = { ...source, initial_fetch_timeout: "300s" };
  return {
    node: { id, cluster: "test.default", metadata, ...(clientFeatures && { client_features: clientFeatures }) },
    admin: { address: socketAddress("127.0.0.1", 0) },
    dynamic_resources: { ...(!ownStreams && { ads_config: stream }), lds_config: source, cds_config: source },
    ...(metricsSink && { stats_flush_interval: "0.2s", stats_sinks: [metricsService] }),
    ...(loadStats && { cluster_manager: { load_stats_config: { ...stream, api_type: "GRPC" } } }),
    ...(healthDiscovery && { hds_config: { ...stream, api_type: "GRPC" } }),
    ...(rtdsLayer !== undefined && {
      layered_runtime: { layers: [{ name: rtdsLayer, rtds_layer: { name: rtdsLayer, rtds_config: patient } }] },
    }),
    static_resources: {
      ...(staticListeners && { listeners: staticListeners }),
      clusters: [
        { ...http2Cluster("xds-grpc", xdsPort), ...(tls && transportSocket(tls)) },
        ...staticClusters.map((name) => http2Cluster(name, clusterPorts[name] ?? 1)),
      ],
    },
  };
}

const metricsService = {
  name: "envoy.stat_sinks.metrics_service",
  typed_config: {
    "@type": "type.googleapis.com/envoy.config.metrics.v3.MetricsServiceConfig",
    transport_api_version: "V3",
    grpc_service: { envoy_grpc: { cluster_name: "xds-grpc" } },
  },
};

const transportSocket = ({ key, certificateChain, root, serverUri }: NonNullable<EnvoyOptions["tls"]>) => ({
  transport_socket: {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
      common_tls_context: {
        tls_certificates: [{ certificate_chain: { filename: certificateChain }, private_key: { filename: key } }],
        validation_context: {
          trusted_ca: { filename: root },
          match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: serverUri } }],
        },
      },
    },
  },
});

const http2Cluster = (name: string, port: number) => ({
  name,
  type: "STATIC",
  connect_timeout: "1s",
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress("127.0.0.1", port) } }] }],
  },
});

const socketAddress = (address: string, port: number) => ({ socket_address: { address, port_value: port } });

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise<void>((done) => server.close(() => done()));
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}
