import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { ExplainedSide } from "../contract/index.ts";
import { TrafficDirection } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { FilterChain } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import type { Listener } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import {
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
} from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import {
  type TcpProxy,
  TcpProxySchema,
} from "../gen/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { hostPort } from "../sidecar/text/host-port.ts";
import type { Holdings } from "./holdings.ts";
import { type ExplainRequest, sameAddress } from "./request.ts";

export interface ChosenListener {
  listener: Listener;
  by: NonNullable<ExplainedSide["listener"]>["by"];
  /** Where the connection arrives, as filter chains see it. */
  local: { address: string; port: number };
}

export interface Bound {
  address: string;
  port: number;
}

export function boundTo({ address }: Listener): Bound {
  const socket = address?.address.case === "socketAddress" ? address.address.value : undefined;
  return {
    address: socket?.address ?? "",
    port: socket?.portSpecifier.case === "portValue" ? socket.portSpecifier.value : 0,
  };
}

export const boundText = (listener: Listener): string => {
  const { address, port } = boundTo(listener);
  return hostPort(address, port);
};

/**
 * The listener that a request of the workload (or, of a gateway, from outside) comes to. A sidecar of ours is an HTTP proxy: plain HTTP goes to the port for that, whatever
 * host it names. Where calls are intercepted they arrive at the listener of their address, else of their port, else at the one that takes everything.
 */
export function outboundListener(holdings: Holdings, request: ExplainRequest): ChosenListener | undefined {
  const outward = holdings.listeners.filter(({ trafficDirection }) => trafficDirection !== TrafficDirection.INBOUND);
  const { host, port } = request;
  const chosen = (listener: Listener | undefined, by: ChosenListener["by"]): ChosenListener | undefined => {
    if (listener === undefined) return undefined;
    const bound = boundTo(listener);
    return { listener, by, local: by === "original-destination" ? { address: host, port } : bound };
  };
  const proxyPort = request.kind === "http" && request.tls === undefined ? outward.find(isHttpProxy) : undefined;
  const atAddress = outward.find((it) => boundTo(it).port === port && sameAddress(boundTo(it).address, host));
  const byName = ofPort(outward, request);
  const atPort = byName ?? outward.find((it) => boundTo(it).port === port);
  // A gateway's client comes by a port that somebody else may have mapped: what is left is the listener that takes such a connection, when there is but one.
  const serving =
    request.kind === "http" ? outward.filter((it) => it.filterChains.some((chain) => takes(chain, request))) : [];
  return (
    chosen(proxyPort, "http-proxy") ??
    chosen(atAddress, "address") ??
    chosen(atPort, "port") ??
    chosen(
      outward.find(({ useOriginalDst }) => useOriginalDst === true),
      "original-destination",
    ) ??
    (serving.length === 1 ? chosen(serving[0], "only") : undefined)
  );
}

/** HTTP, by TLS or in plain text as the client has it. */
const takes = (chain: FilterChain, { tls }: ExplainRequest): boolean =>
  servedBy(chain).http !== undefined && (chain.transportSocket !== undefined) === (tls !== undefined);

/** Of those that are named after the port: for HTTP the one of every address; else the one that leads to what is called, whose address only the registry knows. */
function ofPort(listeners: readonly Listener[], { kind, tls, host, port }: ExplainRequest): Listener | undefined {
  const named = listeners.filter(({ name }) => name.endsWith(`_${port}`));
  const everywhere = named.find(({ name }) => name === `0.0.0.0_${port}`);
  if (kind === "http" && tls === undefined) return everywhere ?? named[0];
  return (
    named.find((listener) => listener.filterChains.some((chain) => leadsTo(chain, host))) ?? everywhere ?? named[0]
  );
}

/** By its name as it is, or as a short name of it. */
function leadsTo(chain: FilterChain, host: string): boolean {
  const specifier = servedBy(chain).tcp?.clusterSpecifier;
  const name = specifier?.case === "cluster" ? specifier.value : specifier?.value?.clusters[0]?.name;
  const called = name?.split("|")[3] ?? "";
  return called !== "" && (called === host || called.startsWith(`${host}.`));
}

/** The listener in front of an application: at its address and port, or, where calls are intercepted, the one for all. */
export function inboundListener(holdings: Holdings, at: Bound): ChosenListener | undefined {
  const inward = holdings.listeners.filter(({ trafficDirection }) => trafficDirection === TrafficDirection.INBOUND);
  const exact = inward.find((it) => boundTo(it).port === at.port && sameAddress(boundTo(it).address, at.address));
  if (exact) return { listener: exact, by: "address", local: at };
  const all = inward.find(({ name }) => name === "virtualInbound");
  return all && { listener: all, by: "original-destination", local: at };
}

/** The port to which a workload of ours sends its calls to others. */
export function isHttpProxy({ filterChains, trafficDirection }: Listener): boolean {
  if (trafficDirection !== TrafficDirection.OUTBOUND) return false;
  return filterChains.some((chain) => {
    const { http } = servedBy(chain);
    return http?.routeSpecifier.case === "rds" && http.routeSpecifier.value.routeConfigName === "http_proxy";
  });
}

export interface Served {
  http: HttpConnectionManager | undefined;
  tcp: TcpProxy | undefined;
}

/** What the last of a chain's filters does with its connections. */
export function servedBy({ filters }: FilterChain): Served {
  const config = filters.at(-1)?.configType;
  if (config?.case !== "typedConfig") return { http: undefined, tcp: undefined };
  return { http: anyUnpack(config.value, HttpConnectionManagerSchema), tcp: anyUnpack(config.value, TcpProxySchema) };
}
