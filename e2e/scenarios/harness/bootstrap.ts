import {
  type BootstrapCertificate,
  edgeLimits,
  layeredRuntime,
  towardsControlPlane,
} from "../../../server/fleet/bootstrap.ts";

/** Where one proxy stands and what it serves. */
export interface ProxyNode {
  type: "sidecar" | "router";
  ip: string;
  workload: string;
  labels: Record<string, string>;
  /** `default` when unset. */
  serviceAccount?: string;
  httpProxyPort?: number;
  portOffset?: number;
  /** Port on the proxy's address → the application behind it. */
  ingress?: Record<string, string>;
}

export interface Backends {
  xdsPort: number;
  collectorPort: number;
  /** To come with, over TLS; without: in plain text. */
  certificate?: BootstrapCertificate;
}

export const nodeIdOf = ({ type, ip, workload }: ProxyNode): string =>
  `${type}~${ip}~${workload}.default~default.svc.cluster.local`;

/** The bootstrap that both proxies take. */
export function bootstrap(node: ProxyNode, { xdsPort, collectorPort, certificate }: Backends): object {
  const { ip, workload, labels, httpProxyPort, portOffset, ingress } = node;
  return {
    node: {
      id: nodeIdOf(node),
      cluster: `${labels.app}.default`,
      metadata: {
        NAME: workload,
        NAMESPACE: "default",
        WORKLOAD_NAME: workload,
        CLUSTER_ID: "limpid",
        MESH_ID: "limpid",
        LABELS: labels,
        SERVICE_ACCOUNT: node.serviceAccount ?? "default",
        INTERCEPTION_MODE: "NONE",
        ...(httpProxyPort === undefined ? {} : { HTTP_PROXY_PORT: String(httpProxyPort) }),
        ...(portOffset === undefined ? {} : { PORT_OFFSET: String(portOffset) }),
        ...(ingress === undefined ? {} : { INGRESS: ingress }),
      },
    },
    layered_runtime: layeredRuntime,
    ...(node.type === "router" && { overload_manager: edgeLimits }),
    admin: { address: socketAddress(ip, 0) },
    dynamic_resources: {
      ads_config: {
        api_type: "DELTA_GRPC",
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc" } }],
      },
      lds_config: { ads: {}, resource_api_version: "V3" },
      cds_config: { ads: {}, resource_api_version: "V3" },
    },
    static_resources: {
      clusters: [
        {
          ...http2Cluster("xds-grpc", xdsPort),
          ...(certificate && { transport_socket: towardsControlPlane(certificate) }),
        },
        http2Cluster("limpid-collector", collectorPort),
      ],
    },
  };
}

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
