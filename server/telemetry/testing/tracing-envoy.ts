/** Envoy as anybody would configure it: a listener for each way of telling spans, logs of one by OTLP, its own counters by OTLP. */
export interface TracingEnvoy {
  service: string;
  /** `host:port` of the collector's two listeners. */
  grpc: string;
  http: string;
}

/** Names of the listeners. */
export const spanDialects = ["otlp-grpc", "otlp-http", "zipkin-json", "zipkin-proto"] as const;

const typed = (type: string, value: object) => ({ "@type": `type.googleapis.com/${type}`, ...value });

export function tracingBootstrap({ service, grpc, http }: TracingEnvoy): object {
  return {
    node: { id: "own", cluster: service },
    admin: { address: socketAddress("127.0.0.1:0") },
    stats_flush_interval: "1s",
    stats_sinks: [
      {
        name: "envoy.stat_sinks.open_telemetry",
        typed_config: typed("envoy.extensions.stat_sinks.open_telemetry.v3.SinkConfig", {
          grpc_service: grpcService,
          report_counters_as_deltas: true,
        }),
      },
    ],
    static_resources: {
      listeners: spanDialects.map((name) => listener(name, service, providers(http)[name])),
      clusters: [cluster("collector-grpc", grpc, true), cluster("collector-http", http, false)],
    },
  };
}

const grpcService = { envoy_grpc: { cluster_name: "collector-grpc" } };

const providers = (http: string): Record<(typeof spanDialects)[number], object> => ({
  "otlp-grpc": openTelemetry({ grpc_service: grpcService }),
  "otlp-http": openTelemetry({
    http_service: { http_uri: { uri: `http://${http}/v1/traces`, cluster: "collector-http", timeout: "5s" } },
  }),
  "zipkin-json": zipkin("HTTP_JSON", http),
  "zipkin-proto": zipkin("HTTP_PROTO", http),
});

const openTelemetry = (way: object) => ({
  name: "envoy.tracers.opentelemetry",
  typed_config: typed("envoy.config.trace.v3.OpenTelemetryConfig", { ...way, service_name: "own" }),
});

const zipkin = (version: string, hostname: string) => ({
  name: "envoy.tracers.zipkin",
  typed_config: typed("envoy.config.trace.v3.ZipkinConfig", {
    collector_cluster: "collector-http",
    collector_endpoint: "/api/v2/spans",
    collector_hostname: hostname,
    collector_endpoint_version: version,
    shared_span_context: false,
    trace_id_128bit: true,
  }),
});

const listener = (name: string, service: string, provider: object) => ({
  name,
  address: socketAddress("127.0.0.1:0"),
  filter_chains: [
    {
      filters: [
        {
          name: "http",
          typed_config: typed("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
            stat_prefix: name,
            access_log: name === "otlp-grpc" ? [accessLog(service)] : [],
            tracing: { random_sampling: { value: 100 }, provider },
            route_config: {
              virtual_hosts: [
                {
                  name: "all",
                  domains: ["*"],
                  routes: [
                    { match: { prefix: "/" }, direct_response: { status: 200 }, decorator: { operation: name } },
                  ],
                },
              ],
            },
            http_filters: [
              {
                name: "envoy.filters.http.router",
                typed_config: typed("envoy.extensions.filters.http.router.v3.Router", {}),
              },
            ],
          }),
        },
      ],
    },
  ],
});

const accessLog = (service: string) => ({
  name: "envoy.access_loggers.open_telemetry",
  typed_config: typed("envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig", {
    common_config: { log_name: "own", transport_api_version: "V3", grpc_service: grpcService },
    resource_attributes: { values: [{ key: "service.name", value: { string_value: service } }] },
    body: { string_value: "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE%" },
  }),
});

const cluster = (name: string, address: string, http2: boolean) => ({
  name,
  connect_timeout: "1s",
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(address) } }] }],
  },
  ...(http2 && {
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        { explicit_http_config: { http2_protocol_options: {} } },
      ),
    },
  }),
});

function socketAddress(address: string): object {
  const [host, port] = address.split(":");
  return { socket_address: { address: host, port_value: Number(port) } };
}
