import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { TransportSocketSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { ProxyProtocolConfig_Version as Version } from "../gen/proto/envoy/config/core/v3/proxy_protocol_pb.js";
import { ProxyProtocolUpstreamTransportSchema } from "../gen/proto/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js";
import { RawBufferSchema } from "../gen/proto/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js";
import type { PolicySettings } from "../model/specs.ts";

type TransportSocket = MessageInitShape<typeof TransportSocketSchema>;

export const rawBuffer: TransportSocket = {
  name: "envoy.transport_sockets.raw_buffer",
  configType: { case: "typedConfig", value: anyPack(RawBufferSchema, create(RawBufferSchema)) },
};

/** The client's address goes before all else, TLS too. https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy-ProxyProtocol */
export const withProxyProtocol = (
  { version }: NonNullable<PolicySettings["proxyProtocol"]>,
  inner: TransportSocket = rawBuffer,
): TransportSocket => ({
  name: "envoy.transport_sockets.upstream_proxy_protocol",
  configType: {
    case: "typedConfig",
    value: anyPack(
      ProxyProtocolUpstreamTransportSchema,
      create(ProxyProtocolUpstreamTransportSchema, {
        config: { version: version === "V2" ? Version.V2 : Version.V1 },
        transportSocket: inner,
      }),
    ),
  },
});
