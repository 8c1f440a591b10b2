import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BootstrapCertificate } from "../../server/fleet/bootstrap.ts";
import { leanNode } from "../../server/fleet/parts.ts";
import type { Contender } from "./turns.ts";

export interface ProxyFeatures {
  port: number;
  admin: number;
  /** The port that requests go on to; undefined: it answers itself. */
  upstream: number | undefined;
  codec?: "HTTP1" | "HTTP2";
  /** Access logs go over gRPC to a collector at this port. */
  collector?: number;
  /** The filters that the mesh's sidecars have on every request. */
  meshFilters?: boolean;
  /** Filters before the router, in Envoy's JSON. */
  httpFilters?: readonly object[];
  /** The upstream is called over mutual TLS. */
  certificate?: BootstrapCertificate;
  /** Of an answer of its own. */
  bodyBytes?: number;
}

/** The real Envoy, or the bundled sidecar: the same bootstrap for both. */
export interface ProxyProgram {
  name: "Envoy" | "Limpid sidecar";
  /** Before the flags that both take. */
  command: readonly string[];
  env?: NodeJS.ProcessEnv;
  missing?: string;
}

/** As `limpid up` starts them. */
export function proxyPrograms(root: string, envoy: string | undefined): ProxyProgram[] {
  const cli = join(root, "dist/server/limpid.js");
  return [
    {
      name: "Envoy",
      command: [envoy ?? "envoy", "--concurrency", "1", "--disable-hot-restart", "--log-level", "off"],
      ...(envoy === undefined && { missing: "no Envoy binary" }),
    },
    {
      name: "Limpid sidecar",
      command: [process.execPath, cli, "sidecar"],
      env: { ...process.env, ...leanNode("sidecar", cli) },
    },
  ];
}

/** @param suffix what is special about it, after the program's name. */
export function proxyContender(
  folder: string,
  program: ProxyProgram,
  suffix: string,
  features: ProxyFeatures,
): Contender {
  const name = `${program.name}${suffix}`;
  const file = join(folder, `${name.replaceAll(/\W+/g, "-")}-${features.port}.json`);
  writeFileSync(file, JSON.stringify(bootstrap(features)));
  return {
    name,
    port: features.port,
    command: [...program.command, "-c", file],
    ...(program.env && { env: program.env }),
    ...(program.missing !== undefined && { missing: program.missing }),
  };
}

const type = (name: string) => ({ "@type": `type.googleapis.com/${name}` });
const filter = (name: string, message: string) => ({
  name,
  typed_config: type(`envoy.extensions.filters.http.${message}`),
});
const address = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });

function bootstrap({ port, admin, upstream, codec = "HTTP1", collector, ...features }: ProxyFeatures) {
  const { meshFilters = false, httpFilters = [], certificate, bodyBytes = 1024 } = features;
  const action =
    upstream === undefined
      ? { direct_response: { status: 200, body: { inline_string: "x".repeat(bodyBytes) } } }
      : { route: { cluster: "upstream", timeout: "0s" } };
  const manager = {
    ...type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "bench",
    codec_type: codec,
    route_config: {
      name: "bench",
      virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, ...action }] }],
    },
    http_filters: [
      ...(meshFilters
        ? [filter("envoy.filters.http.fault", "fault.v3.HTTPFault"), filter("envoy.filters.http.cors", "cors.v3.Cors")]
        : []),
      ...httpFilters,
      filter("envoy.filters.http.router", "router.v3.Router"),
    ],
    ...(collector !== undefined && { access_log: [accessLog] }),
  };
  const http2 = codec === "HTTP2";
  return {
    node: { id: "bench", cluster: "bench" },
    admin: { address: address(admin) },
    static_resources: {
      listeners: [
        {
          name: "in",
          address: address(port),
          filter_chains: [
            { filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }] },
          ],
        },
      ],
      clusters: [
        {
          ...cluster("upstream", upstream ?? 1, http2),
          ...(certificate && { transport_socket: mutualTlsSocket(certificate) }),
        },
        cluster("collector", collector ?? 1, true),
      ],
    },
  };
}

const httpOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

const cluster = (name: string, port: number, http2: boolean) => ({
  name,
  type: "STATIC",
  connect_timeout: "1s",
  load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }] },
  ...(http2 && {
    typed_extension_protocol_options: {
      [httpOptions]: { ...type(httpOptions), explicit_http_config: { http2_protocol_options: {} } },
    },
  }),
});

const accessLog = {
  name: "envoy.access_loggers.http_grpc",
  typed_config: {
    ...type("envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig"),
    common_config: {
      log_name: "bench",
      transport_api_version: "V3",
      grpc_service: { envoy_grpc: { cluster_name: "collector" } },
    },
  },
};

const mutualTlsSocket = ({ chain, key, root }: BootstrapCertificate) => ({
  name: "envoy.transport_sockets.tls",
  typed_config: {
    ...type("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"),
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
