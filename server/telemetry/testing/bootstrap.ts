/** A static Envoy configuration with the telemetry parts that Limpid's translation gives every proxy. */
export interface ProxyUnderTest {
  workload: string;
  app: string;
  version: string;
  kind: "sidecar" | "router";
  collector: string;
  listeners: ListenerUnderTest[];
  clusters: ClusterUnderTest[];
}

export interface ListenerUnderTest {
  name: string;
  /** Limpid's, or one's own; then nothing but Envoy's defaults is logged. */
  logName: string;
  routes: object[];
}

export interface ClusterUnderTest {
  name: string;
  /** `host:port`; none: a cluster without endpoints. */
  endpoint?: string;
  /** `<workload>;<namespace>;<canonical service>;<canonical revision>;<cluster id>` */
  workload?: string;
  http2?: boolean;
}

export function staticBootstrap(proxy: ProxyUnderTest): object {
  const peer = `${proxy.workload};default;${proxy.app};${proxy.version};limpid`;
  return {
    node: {
      id: `${proxy.kind}~127.0.0.1~${proxy.workload}.default~default.svc.cluster.local`,
      cluster: `${proxy.app}.default`,
      metadata: {
        NAME: proxy.workload,
        NAMESPACE: "default",
        WORKLOAD_NAME: proxy.workload,
        LABELS: { app: proxy.app, version: proxy.version },
      },
    },
    admin: { address: socketAddress("127.0.0.1:0") },
    static_resources: {
      listeners: proxy.listeners.map((listener) => listenerOf(listener, proxy, peer)),
      clusters: [...proxy.clusters.map(clusterOf), collectorCluster(proxy.collector)],
    },
  };
}

const typed = (type: string, value: object) => ({ "@type": `type.googleapis.com/${type}`, ...value });
const grpcService = { envoy_grpc: { cluster_name: "limpid-collector" } };

function socketAddress(address: string): object {
  const [host, port] = address.split(":");
  return { socket_address: { address: host, port_value: Number(port) } };
}

function listenerOf(listener: ListenerUnderTest, proxy: ProxyUnderTest, peer: string): object {
  const manager = typed("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: listener.name,
    access_log: [accessLog(listener.logName)],
    tracing: {
      random_sampling: { value: 100 },
      spawn_upstream_span: true,
      provider: {
        name: "envoy.tracers.opentelemetry",
        typed_config: typed("envoy.config.trace.v3.OpenTelemetryConfig", {
          grpc_service: grpcService,
          service_name: `${proxy.app}.default`,
        }),
      },
    },
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: listener.routes }] },
    http_filters: [...(listener.logName === "limpid.inbound" ? [] : [peerHeader(peer)]), fault, router],
  });
  return {
    name: listener.name,
    address: socketAddress("127.0.0.1:0"),
    filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }],
  };
}

const accessLog = (logName: string) =>
  logName.startsWith("limpid.") ? limpidAccessLog(logName) : plainAccessLog(logName);

/** What anybody writes into a configuration of their own. */
const plainAccessLog = (logName: string) => ({
  name: "envoy.access_loggers.http_grpc",
  typed_config: typed("envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig", {
    common_config: { log_name: logName, transport_api_version: "V3", grpc_service: grpcService },
  }),
});

const limpidAccessLog = (logName: string) => ({
  name: "envoy.access_loggers.http_grpc",
  typed_config: typed("envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig", {
    common_config: {
      log_name: logName,
      transport_api_version: "V3",
      grpc_service: grpcService,
      buffer_flush_interval: "0.5s",
      custom_tags: [
        { tag: "limpid.cluster", value: "%UPSTREAM_CLUSTER_RAW%" },
        {
          tag: "limpid.destination",
          metadata: { kind: { host: {} }, metadata_key: { key: "istio", path: [{ key: "workload" }] } },
        },
        {
          tag: "limpid.config",
          metadata: { kind: { route: {} }, metadata_key: { key: "istio", path: [{ key: "config" }] } },
        },
      ],
    },
    additional_request_headers_to_log: ["x-limpid-peer", "traceparent", "content-type"],
    additional_response_headers_to_log: ["grpc-status"],
    additional_response_trailers_to_log: ["grpc-status"],
  }),
});

const peerHeader = (peer: string) => ({
  name: "envoy.filters.http.header_mutation",
  typed_config: typed("envoy.extensions.filters.http.header_mutation.v3.HeaderMutation", {
    mutations: {
      request_mutations: [
        { append: { header: { key: "x-limpid-peer", value: peer }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" } },
      ],
    },
  }),
});

const fault = {
  name: "envoy.filters.http.fault",
  typed_config: typed("envoy.extensions.filters.http.fault.v3.HTTPFault", {}),
};
const router = {
  name: "envoy.filters.http.router",
  typed_config: typed("envoy.extensions.filters.http.router.v3.Router", {}),
};

/** A route's own fault: every request it takes is aborted. */
export const abortEvery = (status: number) => ({
  "envoy.filters.http.fault": typed("envoy.extensions.filters.http.fault.v3.HTTPFault", {
    abort: { http_status: status, percentage: { numerator: 100, denominator: "HUNDRED" } },
  }),
});

function clusterOf({ name, endpoint, workload, http2 }: ClusterUnderTest): object {
  const endpoints = endpoint && [
    {
      endpoint: { address: socketAddress(endpoint) },
      metadata: { filter_metadata: { istio: workload ? { workload } : {} } },
    },
  ];
  return {
    name,
    connect_timeout: "1s",
    load_assignment: { cluster_name: name, endpoints: endpoints ? [{ lb_endpoints: endpoints }] : [] },
    ...(http2 && { typed_extension_protocol_options: overHttp2 }),
  };
}

const overHttp2 = {
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    { explicit_http_config: { http2_protocol_options: {} } },
  ),
};

const collectorCluster = (address: string) => clusterOf({ name: "limpid-collector", endpoint: address, http2: true });
