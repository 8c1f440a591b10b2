import { createRegistry } from "@bufbuild/protobuf";
import { ClusterConfigSchema as ForwardProxyClusterSchema } from "../../gen/proto/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.js";
import { HttpInspectorSchema } from "../../gen/proto/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { ProxyProtocolSchema } from "../../gen/proto/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb.js";
import { TlsInspectorSchema } from "../../gen/proto/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import { HttpConnectionManagerSchema } from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TcpProxySchema } from "../../gen/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { HealthCheckEventFileSinkSchema } from "../../gen/proto/envoy/extensions/health_check/event_sinks/file/v3/file_pb.js";
import { LeastRequestSchema } from "../../gen/proto/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js";
import { MaglevSchema } from "../../gen/proto/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.js";
import { RandomSchema } from "../../gen/proto/envoy/extensions/load_balancing_policies/random/v3/random_pb.js";
import { RingHashSchema } from "../../gen/proto/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.js";
import { RoundRobinSchema } from "../../gen/proto/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js";
import { SubsetSchema } from "../../gen/proto/envoy/extensions/load_balancing_policies/subset/v3/subset_pb.js";
import { UriTemplateMatchConfigSchema } from "../../gen/proto/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js";
import { OmitCanaryHostsPredicateSchema } from "../../gen/proto/envoy/extensions/retry/host/omit_canary_hosts/v3/omit_canary_hosts_pb.js";
import { OmitHostMetadataConfigSchema } from "../../gen/proto/envoy/extensions/retry/host/omit_host_metadata/v3/omit_host_metadata_config_pb.js";
import { PreviousHostsPredicateSchema } from "../../gen/proto/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import { PreviousPrioritiesConfigSchema } from "../../gen/proto/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
import { ProxyProtocolUpstreamTransportSchema } from "../../gen/proto/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js";
import { RawBufferSchema } from "../../gen/proto/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { HttpProtocolOptionsSchema } from "../../gen/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { filterFactories } from "../filters/registry.ts";
import { routerFilter } from "../filters/router/router-filter.ts";
import { networkFilterFactories } from "../network/registry.ts";
import type { SupportedFields } from "../request/filter.ts";
import { clusterFields } from "./fields/cluster.ts";
import { commonFields } from "./fields/common.ts";
import { endpointFields } from "./fields/endpoint.ts";
import { healthFields } from "./fields/health.ts";
import { listenerFields } from "./fields/listener.ts";
import { loadBalancingFields } from "./fields/load-balancing.ts";
import { managerFields } from "./fields/manager.ts";
import { routeFields } from "./fields/route.ts";
import { transportFields } from "./fields/transport.ts";

/** Extensions that may stand in a `typed_config`. */
export const extensionRegistry = createRegistry(
  ...filterFactories.flatMap(({ schema, perRouteSchema, libraries = [] }) => [
    schema,
    ...(perRouteSchema === undefined ? [] : [perRouteSchema]),
    ...libraries,
  ]),
  ...networkFilterFactories.map(({ schema }) => schema),
  routerFilter.schema,
  ForwardProxyClusterSchema,
  HealthCheckEventFileSinkSchema,
  HttpInspectorSchema,
  HttpConnectionManagerSchema,
  LeastRequestSchema,
  MaglevSchema,
  RandomSchema,
  RingHashSchema,
  RoundRobinSchema,
  SubsetSchema,
  OmitCanaryHostsPredicateSchema,
  OmitHostMetadataConfigSchema,
  PreviousHostsPredicateSchema,
  PreviousPrioritiesConfigSchema,
  ProxyProtocolSchema,
  ProxyProtocolUpstreamTransportSchema,
  RawBufferSchema,
  TcpProxySchema,
  TlsInspectorSchema,
  UriTemplateMatchConfigSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
  HttpProtocolOptionsSchema,
);

/**
 * Fields that have their effect here, by message. `opaque` messages are not looked into: someone else judges them, or they are only carried.
 * Fields that change nothing in this proxy stand after a `harmless` comment saying why.
 */
export const supportedFields: SupportedFields = {
  ...Object.assign({}, routerFilter.fields, ...filterFactories.map(({ fields }) => fields)),
  ...Object.assign({}, ...networkFilterFactories.map(({ fields }) => fields)),
  ...clusterFields,
  ...commonFields,
  ...endpointFields,
  ...healthFields,
  ...listenerFields,
  ...loadBalancingFields,
  ...managerFields,
  ...routeFields,
  ...transportFields,
};
