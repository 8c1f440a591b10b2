import type { Socket } from "node:net";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { TransportSocket } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  ProxyProtocolPassThroughTLVs_PassTLVsMatchType as PassType,
  ProxyProtocolConfig_Version as Version,
} from "../../gen/proto/envoy/config/core/v3/proxy_protocol_pb.js";
import { ProxyProtocolUpstreamTransportSchema } from "../../gen/proto/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js";
import type { ConnectionAddresses } from "../http/addresses.ts";
import { proxyBinary, proxyLine } from "../http/proxy-header.ts";

/** How endpoints are told who a connection is for: https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.proto */
export interface ProxyProtocol {
  readonly version: 1 | 2;
  /** All, or these, of what the client's own header had. */
  readonly tlvs: "all" | readonly number[];
}

/** A transport socket without its PROXY protocol, and that. Throws an Error naming the field. */
export function unwrapProxyProtocol(socket: TransportSocket | undefined): {
  inner: TransportSocket | undefined;
  proxyProtocol: ProxyProtocol | undefined;
} {
  const any: Any | undefined = socket?.configType.case === "typedConfig" ? socket.configType.value : undefined;
  const wrapper = any && anyUnpack(any, ProxyProtocolUpstreamTransportSchema);
  if (wrapper === undefined) return { inner: socket, proxyProtocol: undefined };
  const { config, transportSocket } = wrapper;
  if (transportSocket?.configType.case !== "typedConfig") {
    throw new Error("transport_socket.typed_config.transport_socket.typed_config: required");
  }
  const pass = config?.passThroughTlvs;
  const all = pass?.matchType === PassType.INCLUDE_ALL;
  const version = config?.version === Version.V2 ? 2 : 1;
  return { inner: transportSocket, proxyProtocol: { version, tlvs: all ? "all" : (pass?.tlvType ?? []) } };
}

/**
 * The header of one connection.
 * @param origin whose connection it is for; undefined: the proxy's own, such as a health check
 */
export function proxyHeader(
  { version, tlvs }: ProxyProtocol,
  origin: ConnectionAddresses | undefined,
  socket: Socket,
): Buffer {
  if (origin === undefined) {
    if (version === 2) return proxyBinary(undefined);
    const own = { address: socket.localAddress ?? "", port: socket.localPort ?? 0 };
    return proxyLine(own, { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 });
  }
  const source = { address: unmapped(origin.remoteAddress), port: origin.remotePort };
  const destination = { address: unmapped(origin.localAddress), port: origin.localPort };
  if (version === 1) return proxyLine(source, destination);
  const carried = origin.proxied?.tlvs ?? [];
  return proxyBinary({
    source,
    destination,
    tlvs: tlvs === "all" ? carried : carried.filter(({ type }) => tlvs.includes(type)),
  });
}

/** What a socket that takes both kinds calls an IPv4 address. */
const unmapped = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, "");

/** Connections are shared by requests of one client's connection only. */
export function originKey({
  remoteAddress,
  remotePort,
  localAddress,
  localPort,
  proxied,
}: ConnectionAddresses): string {
  const tlvs = (proxied?.tlvs ?? []).map(({ type, value }) => `${type} ${value.toString("base64")}`);
  return [remoteAddress, remotePort, localAddress, localPort, ...tlvs].join(" ");
}
