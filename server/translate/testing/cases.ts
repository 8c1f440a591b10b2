import { readFileSync } from "node:fs";
import { createRegistry, toJson } from "@bufbuild/protobuf";
import { parse } from "yaml";
import { parseDocuments } from "../../config/kinds/index.ts";
import type { ConfigObject } from "../../config/object.ts";
import { ClusterSchema } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { TypedExtensionConfigSchema } from "../../gen/proto/envoy/config/core/v3/extension_pb.js";
import { ClusterLoadAssignmentSchema } from "../../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "../../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { VirtualHostSchema } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "../../gen/proto/envoy/config/route/v3/route_pb.js";
import { OpenTelemetryConfigSchema } from "../../gen/proto/envoy/config/trace/v3/opentelemetry_pb.js";
import { FileAccessLogSchema } from "../../gen/proto/envoy/extensions/access_loggers/file/v3/file_pb.js";
import {
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
} from "../../gen/proto/envoy/extensions/access_loggers/grpc/v3/als_pb.js";
import { ClusterConfigSchema } from "../../gen/proto/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.js";
import { CorsPolicySchema, CorsSchema } from "../../gen/proto/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { ExtAuthzSchema as HttpExtAuthzSchema } from "../../gen/proto/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js";
import { HTTPFaultSchema } from "../../gen/proto/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { GrpcWebSchema } from "../../gen/proto/envoy/extensions/filters/http/grpc_web/v3/grpc_web_pb.js";
import { HeaderMutationSchema } from "../../gen/proto/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.js";
import { JwtAuthenticationSchema } from "../../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import { RBACSchema as HttpRbacSchema } from "../../gen/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { RouterSchema } from "../../gen/proto/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpInspectorSchema } from "../../gen/proto/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { OriginalDstSchema } from "../../gen/proto/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js";
import { TlsInspectorSchema } from "../../gen/proto/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import { ExtAuthzSchema as NetworkExtAuthzSchema } from "../../gen/proto/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js";
import { HttpConnectionManagerSchema } from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { RBACSchema as NetworkRbacSchema } from "../../gen/proto/envoy/extensions/filters/network/rbac/v3/rbac_pb.js";
import { FilterConfigSchema as SniForwardProxySchema } from "../../gen/proto/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy_pb.js";
import { TcpProxySchema } from "../../gen/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { UriTemplateMatchConfigSchema } from "../../gen/proto/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js";
import { PreviousHostsPredicateSchema } from "../../gen/proto/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import { PreviousPrioritiesConfigSchema } from "../../gen/proto/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
import { ProxyProtocolUpstreamTransportSchema } from "../../gen/proto/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js";
import { RawBufferSchema } from "../../gen/proto/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { HttpProtocolOptionsSchema } from "../../gen/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { RuntimeSchema } from "../../gen/proto/envoy/service/runtime/v3/rtds_pb.js";
import { type ProxyNode, parseProxy } from "../../model/parse-proxy.ts";
import type { MeshProxy } from "../../model/proxy.ts";
import type { ProxyResources } from "../resources.ts";

/** What a `.in.yaml` holds: first the proxy's node and what of the answer to show, then mesh resources. */
export interface Case {
  proxy: MeshProxy;
  show: (keyof ProxyResources)[];
  objects: ConfigObject[];
}

export function loadCase(path: string): Case {
  const text = readFileSync(path, "utf8");
  const cut = text.indexOf("\n---\n");
  const head = parse(text.slice(0, cut)) as { node: Partial<ProxyNode>; show?: (keyof ProxyResources)[] };
  return {
    proxy: proxyOf(head.node),
    show: head.show ?? ["listeners", "routes", "virtualHosts", "clusters", "endpoints"],
    objects: objectsOf(text.slice(cut + 5)),
  };
}

export function objectsOf(yaml: string): ConfigObject[] {
  const parsed = parseDocuments(yaml);
  if (!parsed.ok)
    throw new Error(parsed.errors.map((error) => `${error.line}: ${error.path} ${error.message}`).join("\n"));
  return parsed.value;
}

export function proxyOf(node: Partial<ProxyNode>): MeshProxy {
  const parsed = parseProxy({ id: "", cluster: "", metadata: {}, userAgentName: "envoy", delta: true, ...node });
  if (!parsed.ok) throw new Error(parsed.errors.map((error) => `${error.path} ${error.message}`).join("\n"));
  return parsed.value;
}

/** What stands inside `Any`s. */
const registry = createRegistry(
  HttpConnectionManagerSchema,
  TcpProxySchema,
  HttpRbacSchema,
  NetworkRbacSchema,
  JwtAuthenticationSchema,
  HttpExtAuthzSchema,
  NetworkExtAuthzSchema,
  UriTemplateMatchConfigSchema,
  ClusterConfigSchema,
  SniForwardProxySchema,
  RouterSchema,
  HTTPFaultSchema,
  CorsSchema,
  CorsPolicySchema,
  FileAccessLogSchema,
  GrpcWebSchema,
  HeaderMutationSchema,
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
  HttpInspectorSchema,
  OriginalDstSchema,
  TlsInspectorSchema,
  UpstreamTlsContextSchema,
  DownstreamTlsContextSchema,
  OpenTelemetryConfigSchema,
  PreviousHostsPredicateSchema,
  PreviousPrioritiesConfigSchema,
  ProxyProtocolUpstreamTransportSchema,
  RawBufferSchema,
  HttpProtocolOptionsSchema,
);

/** As plain JSON, a list per type, in the order of the maps. */
export const resourcesToJson = (resources: ProxyResources) => ({
  listeners: [...resources.listeners.values()].map((it) => toJson(ListenerSchema, it, { registry })),
  routes: [...resources.routes.values()].map((it) => toJson(RouteConfigurationSchema, it, { registry })),
  virtualHosts: [...resources.virtualHosts.values()].map((it) => toJson(VirtualHostSchema, it, { registry })),
  clusters: [...resources.clusters.values()].map((it) => toJson(ClusterSchema, it, { registry })),
  endpoints: [...resources.endpoints.values()].map((it) => toJson(ClusterLoadAssignmentSchema, it, { registry })),
  extensionConfigs: [...resources.extensionConfigs.values()].map((it) =>
    toJson(TypedExtensionConfigSchema, it, { registry }),
  ),
  runtimes: [...resources.runtimes.values()].map((it) => toJson(RuntimeSchema, it)),
});
