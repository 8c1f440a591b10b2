import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BootstrapCertificate } from "../../server/fleet/bootstrap.ts";

/** One proxy in front of the upstream, with one worker. */
export interface Contender {
  name: string;
  port: number;
  command: string[];
  env?: NodeJS.ProcessEnv;
  /** Ratios are given to this one. */
  reference?: boolean;
  /** Why it can't take part. */
  missing?: string;
}

export interface Setting {
  root: string;
  folder: string;
  upstream: number;
  /** The same upstream for who shows a certificate, and the one to show. */
  mutualTls: { upstream: number; certificate: BootstrapCertificate };
  envoy: string | undefined;
  freePort(): Promise<number>;
}

export async function contenders(setting: Setting): Promise<Contender[]> {
  return [
    await haproxy(setting),
    await nginx(setting),
    await envoyLike(setting, "Envoy", {}),
    { ...(await envoyLike(setting, "Envoy, ALS", { als: true })), reference: true },
    await envoyLike(setting, "Envoy, ALS, mutual TLS", { als: true, tls: true }),
    await envoyLike(setting, "Limpid sidecar", {}),
    await envoyLike(setting, "Limpid sidecar, ALS", { als: true }),
    await envoyLike(setting, "Limpid sidecar, ALS, mutual TLS", { als: true, tls: true }),
    await nodeHttp(setting),
  ];
}

async function haproxy({ folder, upstream, freePort }: Setting): Promise<Contender> {
  const port = await freePort();
  const file = join(folder, "haproxy.cfg");
  writeFileSync(
    file,
    `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  server s1 127.0.0.1:${upstream}
`,
  );
  return {
    name: `HAProxy ${versionOf("haproxy", ["-v"])}`,
    port,
    command: ["haproxy", "-f", file, "-db"],
    ...missing("haproxy"),
  };
}

async function nginx({ folder, upstream, freePort }: Setting): Promise<Contender> {
  const port = await freePort();
  const file = join(folder, "proxy.conf");
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/proxy.pid; error_log /dev/null;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  upstream u { server 127.0.0.1:${upstream}; keepalive 64; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; } } }`,
  );
  return {
    name: `nginx ${versionOf("nginx", ["-v"])}`,
    port,
    command: ["nginx", "-c", file, "-p", folder],
    ...missing("nginx"),
  };
}

interface Features {
  /** Access logs go to a collector that takes and forgets them. */
  als?: boolean;
  /** The upstream is called over mutual TLS. */
  tls?: boolean;
}

/** The same bootstrap for Envoy and the bundled sidecar. */
async function envoyLike(setting: Setting, name: string, { als = false, tls = false }: Features): Promise<Contender> {
  const { folder, mutualTls, envoy, root, freePort } = setting;
  const upstream = tls ? mutualTls.upstream : setting.upstream;
  const port = await freePort();
  const collector = als ? await startSink() : 1;
  const file = join(folder, `${name.replaceAll(/\W+/g, "-")}.json`);
  writeFileSync(
    file,
    JSON.stringify(
      bootstrap(port, await freePort(), upstream, collector, als, tls ? mutualTls.certificate : undefined),
    ),
  );
  if (name.startsWith("Limpid")) {
    return {
      name,
      port,
      command: [process.execPath, join(root, "dist/server/limpid.js"), "sidecar", "-c", file],
      env: { ...process.env, NODE_ENV: "production" },
    };
  }
  return {
    name,
    port,
    command: [envoy ?? "envoy", "-c", file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"],
    ...(envoy === undefined && { missing: "no Envoy binary" }),
  };
}

async function nodeHttp({ folder, upstream, freePort }: Setting): Promise<Contender> {
  const port = await freePort();
  const file = join(folder, "node-http.mjs");
  writeFileSync(
    file,
    `import { Agent, createServer, request } from "node:http";
const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 });
createServer((req, res) => {
  const out = request({ host: "127.0.0.1", port: ${upstream}, method: req.method, path: req.url, headers: req.headers, agent }, (answer) => {
    res.writeHead(answer.statusCode, answer.headers);
    answer.pipe(res);
  });
  out.on("error", () => res.writeHead(502).end());
  req.pipe(out);
}).listen(${port}, "127.0.0.1");`,
  );
  return { name: "node:http", port, command: [process.execPath, file] };
}

function bootstrap(
  port: number,
  admin: number,
  upstream: number,
  collector: number,
  als: boolean,
  certificate: BootstrapCertificate | undefined,
) {
  const address = (value: number) => ({ socket_address: { address: "127.0.0.1", port_value: value } });
  const cluster = (name: string, value: number) => ({
    name,
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: address(value) } }] }] },
  });
  const type = (name: string) => ({ "@type": `type.googleapis.com/${name}` });
  const hcm = {
    ...type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "bench",
    route_config: {
      name: "bench",
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, route: { cluster: "upstream", timeout: "0s" } }],
        },
      ],
    },
    http_filters: [
      { name: "envoy.filters.http.router", typed_config: type("envoy.extensions.filters.http.router.v3.Router") },
    ],
    ...(als && {
      access_log: [
        {
          name: "envoy.access_loggers.http_grpc",
          typed_config: {
            ...type("envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig"),
            common_config: {
              log_name: "bench",
              transport_api_version: "V3",
              grpc_service: { envoy_grpc: { cluster_name: "collector" } },
            },
          },
        },
      ],
    }),
  };
  return {
    node: { id: "bench", cluster: "bench" },
    admin: { address: address(admin) },
    static_resources: {
      listeners: [
        {
          name: "in",
          address: address(port),
          filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: hcm }] }],
        },
      ],
      clusters: [
        { ...cluster("upstream", upstream), ...(certificate && { transport_socket: mutualTlsSocket(certificate) }) },
        {
          ...cluster("collector", collector),
          typed_extension_protocol_options: {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
              ...type("envoy.extensions.upstreams.http.v3.HttpProtocolOptions"),
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
        },
      ],
    },
  };
}

const mutualTlsSocket = ({ chain, key, root }: BootstrapCertificate) => ({
  name: "envoy.transport_sockets.tls",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
    common_tls_context: {
      tls_params: { tls_maximum_protocol_version: "TLSv1_3" },
      tls_certificates: [{ certificate_chain: { filename: chain }, private_key: { filename: key } }],
      validation_context: {
        trusted_ca: { filename: root },
        match_typed_subject_alt_names: [{ san_type: "URI", matcher: { prefix: "spiffe://" } }],
      },
    },
  },
});

/** A gRPC server that takes access-log streams and forgets them, in this process, which runs on the load generator's core. */
async function startSink(): Promise<number> {
  const { Server, ServerCredentials } = await import("@grpc/grpc-js");
  const server = new Server();
  const pass = (value: Buffer) => value;
  server.addService(
    {
      StreamAccessLogs: {
        path: "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs",
        requestStream: true,
        responseStream: false,
        requestSerialize: pass,
        requestDeserialize: pass,
        responseSerialize: pass,
        responseDeserialize: pass,
      },
    },
    {
      StreamAccessLogs: (
        call: { on(event: string, listener: () => void): void },
        done: (error: null, answer: Buffer) => void,
      ) => {
        call.on("data", () => {});
        call.on("error", () => {});
        call.on("end", () => done(null, Buffer.alloc(0)));
      },
    },
  );
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

function versionOf(tool: string, args: string[]): string {
  try {
    const text = execFileSync("sh", ["-c", `${tool} ${args.join(" ")} 2>&1`], { encoding: "utf8" });
    return /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? "";
  } catch {
    return "";
  }
}

const missing = (tool: string): { missing?: string } =>
  versionOf(tool, ["-v"]) === "" ? { missing: `no ${tool}` } : {};
