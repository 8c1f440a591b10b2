import { isIP } from "node:net";
import { controlPlaneIdentity } from "../ca/control-plane-identity.ts";
import type { MeshPorts, WorkloadPorts } from "./ports.ts";

/** What a proxy is told at its start. The same file serves Envoy and the bundled sidecar. */
export interface ProxyIdentity {
  type: "sidecar" | "router";
  workload: string;
  namespace: string;
  serviceAccount: string;
  labels: Record<string, string>;
  /** Ports that the proxy binds for its application, and where that listens on 127.0.0.1; a gateway has none. */
  inboundPorts: readonly { port: number; app: number }[];
  /** The WorkloadGroup that the workload registers for. */
  group?: string;
  /** What it is started with, as Istio's bootstraps have it: `concurrency`, `proxyMetadata`, `readinessProbe`. */
  proxyConfig?: ProxyConfigMetadata;
}

export interface ProxyConfigMetadata {
  concurrency?: number;
  proxyMetadata?: Readonly<Record<string, string>>;
  readinessProbe?: Readonly<Record<string, unknown>>;
}

export const clusterId = "limpid";
export const collectorCluster = "limpid-collector";

/** What the proxy shows the control plane, and what it trusts it by: files in PEM. */
export interface BootstrapCertificate {
  chain: string;
  key: string;
  root: string;
  /** Of the mesh, and so of its control plane. */
  trustDomain: string;
  /** They are no files, but what would be in them. */
  inline?: boolean;
  /** Where key and authorities are as files of SDS, `default.json` and `ROOTCA.json`, that are replaced while the proxy runs; unset: the mesh's come with its configuration. */
  secretsFolder?: string;
}

/** Where a proxy's admin interface is: on its port, or a Unix socket, whose path may be relative to the folder in which the proxy is started. */
export type AdminAddress = { kind: "port" } | { kind: "socket"; path: string };

/** An Envoy v3 bootstrap as plain JSON. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/bootstrap/v3/bootstrap.proto */
export function bootstrapFor(
  identity: ProxyIdentity,
  ports: WorkloadPorts,
  mesh: MeshPorts,
  certificate: BootstrapCertificate,
  adminAddress: AdminAddress = { kind: "port" },
  /** Where control plane and collector are. */
  host = "127.0.0.1",
): Record<string, unknown> {
  const admin =
    adminAddress.kind === "port"
      ? socketAddress(ports.ip, ports.admin)
      : { pipe: { path: adminAddress.path, mode: ownerOnly } };
  const node = nodeOf(identity, ports, identity.type === "router" ? mesh.offset : ports.serviceOffset);
  return {
    node: {
      ...node,
      metadata: {
        ...node.metadata,
        // Istio's name, by which Prometheus finds it (`/limpid/v1/prometheus/targets`).
        ENVOY_PROMETHEUS_PORT: String(ports.prometheus),
        ...(certificate.secretsFolder && { SECRETS_FOLDER: certificate.secretsFolder }),
      },
    },
    admin: { address: admin },
    ...fromControlPlane,
    // It offers to probe endpoints for the mesh.
    hds_config: ownStream,
    ...ownMetrics,
    ...(identity.type === "router" && { overload_manager: edgeLimits }),
    static_resources: {
      clusters: [
        { ...grpcCluster(xdsCluster, host, mesh.xdsTls), transport_socket: towardsControlPlane(certificate) },
        grpcCluster(collectorCluster, host, mesh.collectorGrpc),
        adminCluster(admin),
      ],
      listeners: [
        adminListener("prometheus", ports.ip, ports.prometheus, "/stats/prometheus", "/stats/prometheus"),
        adminListener("health", ports.ip, ports.health, "/healthz/ready", "/ready"),
      ],
    },
  };
}

/** An application that takes part without a proxy: nothing of it is bound but what others call. `undefined`: it has no certificate. */
export function applicationBootstrap(
  identity: ProxyIdentity,
  ports: WorkloadPorts,
  mesh: MeshPorts,
  certificate: BootstrapCertificate | undefined,
  { host, inbound }: { host: string; inbound: string },
): Record<string, unknown> {
  const xds =
    certificate === undefined
      ? grpcCluster(xdsCluster, host, mesh.xds)
      : { ...grpcCluster(xdsCluster, host, mesh.xdsTls), transport_socket: towardsControlPlane(certificate) };
  return {
    node: nodeOf(identity, ports, 0, inbound),
    ...fromControlPlane,
    ...ownMetrics,
    static_resources: { clusters: [xds, grpcCluster(collectorCluster, host, mesh.collectorGrpc)] },
  };
}

/** @param inbound the address at which the application takes what is meant for it */
function nodeOf(identity: ProxyIdentity, ports: WorkloadPorts, portOffset: number, inbound = "127.0.0.1") {
  const canonicalService = identity.labels.app ?? identity.workload;
  return {
    id: nodeId(identity, ports),
    cluster: `${canonicalService}.${identity.namespace}`,
    client_features: clientFeatures,
    metadata: {
      ...metadataOf(identity.proxyConfig),
      NAME: identity.workload,
      NAMESPACE: identity.namespace,
      WORKLOAD_NAME: identity.workload,
      CLUSTER_ID: clusterId,
      MESH_ID: clusterId,
      LABELS: identity.labels,
      SERVICE_ACCOUNT: identity.serviceAccount,
      INTERCEPTION_MODE: "NONE",
      HTTP_PROXY_PORT: String(ports.outbound),
      INGRESS: Object.fromEntries(identity.inboundPorts.map(({ port, app }) => [String(port), `${inbound}:${app}`])),
      PORT_OFFSET: String(portOffset),
      // Ports below 1024 are then left out rather than tried and refused.
      UNPRIVILEGED_POD: String(process.getuid?.() !== 0),
      ...(identity.group && { AUTO_REGISTER_GROUP: identity.group }),
      ...(identity.proxyConfig && { PROXY_CONFIG: identity.proxyConfig }),
    },
  };
}

/** As Istio's agent has it: `ISTIO_META_<NAME>` is metadata `<NAME>`, but for what the bootstrap says itself. */
export const metadataOf = ({ proxyMetadata = {} }: ProxyConfigMetadata = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries(proxyMetadata).flatMap(([name, value]) =>
      name.startsWith(metadataPrefix) ? [[name.slice(metadataPrefix.length), value] as const] : [],
    ),
  );

const metadataPrefix = "ISTIO_META_";

const xdsCluster = "xds-grpc";
const xdsService = { envoy_grpc: { cluster_name: xdsCluster } };
const overAds = { ads: {}, resource_api_version: "V3" };

export const layeredRuntime = {
  // Envoy's own limit of 100 refuses everyday expressions; Istio's proxies have this one.
  layers: [{ name: "global config", static_layer: { "re2.max_program_size.error_level": 32768 } }],
};

/** Layers that come from there: what RuntimeLayers say, and the shares of faults that must not outlive the control plane. */
const discoveredLayers = ["limpid", "limpid-faults"].map((name) => ({
  name,
  rtds_layer: { name, rtds_config: overAds },
}));

/** https://www.envoyproxy.io/docs/envoy/latest/api/client_features */
const clientFeatures = ["xds.config.supports-resource-ttl", "dev.limpid.fault-leases"];

/** To the control plane, for what is not configuration. */
const ownStream = { api_type: "GRPC", transport_api_version: "V3", grpc_services: [xdsService] };

/** What comes from there: configuration. What goes there: the load that is sent to whom. */
const fromControlPlane = {
  dynamic_resources: {
    ads_config: {
      api_type: "DELTA_GRPC",
      transport_api_version: "V3",
      set_node_on_first_message_only: true,
      grpc_services: [xdsService],
    },
    cds_config: { ...overAds, initial_fetch_timeout: "0s" },
    lds_config: { ...overAds, initial_fetch_timeout: "0s" },
  },
  cluster_manager: { load_stats_config: ownStream },
  layered_runtime: { layers: [...layeredRuntime.layers, ...discoveredLayers] },
};

/** The proxy's own metrics go where its access logs go. Event loops tell how late they are: https://www.envoyproxy.io/docs/envoy/latest/operations/performance */
const ownMetrics = {
  enable_dispatcher_stats: true,
  stats_flush_interval: "5s",
  stats_sinks: [
    {
      name: "envoy.stat_sinks.metrics_service",
      typed_config: {
        "@type": "type.googleapis.com/envoy.config.metrics.v3.MetricsServiceConfig",
        transport_api_version: "V3",
        grpc_service: { envoy_grpc: { cluster_name: collectorCluster } },
      },
    },
  ],
};

/**
 * Anyone may connect to a gateway, so that it has an end: https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge
 * Half of it goes on to applications, and each connection is a file descriptor.
 */
export const edgeLimits = {
  resource_monitors: [
    {
      name: "envoy.resource_monitors.global_downstream_max_connections",
      typed_config: {
        "@type":
          "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        max_active_downstream_connections: 10_000,
      },
    },
  ],
};

/** Istio's form: `sidecar~<ip>~<name>.<namespace>~<domain>`. */
export const nodeId = (
  { type, workload, namespace }: Pick<ProxyIdentity, "type" | "workload" | "namespace">,
  { ip }: Pick<WorkloadPorts, "ip">,
): string => `${type}~${ip}~${workload}.${namespace}~${namespace}.svc.cluster.local`;

const socketAddress = (address: string, port: number) => ({ socket_address: { address, port_value: port } });

/** 0600, in decimal as JSON has it. */
const ownerOnly = 0o600;

const endpoints = (name: string, address: object) => ({
  cluster_name: name,
  endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }],
});

function grpcCluster(name: string, host: string, port: number) {
  return {
    name,
    type: isIP(host) === 0 ? "STRICT_DNS" : "STATIC",
    connect_timeout: "1s",
    load_assignment: endpoints(name, socketAddress(host, port)),
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    // A dead control plane or collector is noticed within half a minute, not by the kernel's two hours.
    upstream_connection_options: { tcp_keepalive: { keepalive_time: 10, keepalive_interval: 5, keepalive_probes: 3 } },
  };
}

/** Keys come over this connection, so it is mutual TLS: each side knows the other by its SPIFFE id. */
export const towardsControlPlane = (certificate: BootstrapCertificate) => {
  const names = { match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: serverOf(certificate) } }] };
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: "TLSv1_2", tls_maximum_protocol_version: "TLSv1_3" },
        ...(certificate.secretsFolder ? fromFolder(certificate.secretsFolder, names) : fromFiles(certificate, names)),
      },
    },
  };
};

const serverOf = ({ trustDomain }: BootstrapCertificate): string => controlPlaneIdentity(trustDomain);

function fromFiles({ chain, key, root, inline }: BootstrapCertificate, names: object) {
  const source = (it: string) => (inline ? { inline_string: it } : { filename: it });
  return {
    tls_certificates: [{ certificate_chain: source(chain), private_key: source(key) }],
    validation_context: { trusted_ca: source(root), ...names },
  };
}

/** Files that are watched: what takes their place is taken up for the next connection. */
function fromFolder(folder: string, names: object) {
  const secret = (name: string) => ({
    name,
    sds_config: { path_config_source: { path: `${folder}/${name}.json` }, resource_api_version: "V3" },
  });
  return {
    tls_certificate_sds_secret_configs: [secret("default")],
    combined_validation_context: {
      default_validation_context: names,
      validation_context_sds_secret_config: secret("ROOTCA"),
    },
  };
}

const adminCluster = (admin: object) => ({
  name: "prometheus_stats",
  type: "STATIC",
  connect_timeout: "0.25s",
  load_assignment: endpoints("prometheus_stats", admin),
});

/** Exposes one page of the admin interface, and nothing else of it, under names of this machine: a web page can point its own name here. */
function adminListener(name: string, address: string, port: number, path: string, adminPath: string) {
  return {
    name,
    address: socketAddress(address, port),
    // Whoever looks after the proxy comes in also when it is full.
    ignore_global_conn_limit: true,
    filter_chains: [
      {
        filters: [
          {
            name: "envoy.filters.network.http_connection_manager",
            typed_config: {
              "@type":
                "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
              stat_prefix: name,
              route_config: {
                name,
                virtual_hosts: [
                  {
                    name: "admin",
                    domains: [address, "localhost"].flatMap((host) => [host, `${host}:${port}`]),
                    routes: [
                      {
                        match: { path },
                        route: {
                          cluster: "prometheus_stats",
                          ...(path === adminPath ? {} : { prefix_rewrite: adminPath }),
                        },
                      },
                    ],
                  },
                ],
              },
              http_filters: [
                {
                  name: "envoy.filters.http.router",
                  typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
                },
              ],
            },
          },
        ],
      },
    ],
  };
}
