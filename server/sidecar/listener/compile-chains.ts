import { createHash } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { TrafficDirection, TransportSocketSchema } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  type Filter,
  FilterChainMatchSchema,
  type FilterChain as FilterChainProto,
  FilterChainSchema,
} from "../../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import type { Listener as ListenerProto } from "../../gen/proto/envoy/config/listener/v3/listener_pb.js";
import {
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
} from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TcpProxySchema } from "../../gen/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { at, each, together } from "../config/problems.ts";
import { durationMs } from "../duration.ts";
import type { NetworkFilter } from "../network/network-filter.ts";
import { networkFilterFactory } from "../network/registry.ts";
import type { AccessLogger, ListenerPlace, Metadata } from "../record.ts";
import type { RouteSource } from "../route/route-source.ts";
import { compileTcpProxy, type TcpProxyIo } from "../tcp/tcp-proxy.ts";
import type { Secrets } from "../tls/secrets.ts";
import { compileChainMatch } from "./chain-match.ts";
import { ChainTable, type FilterChain } from "./chain-table.ts";
import { compileManager, type ManagerIo } from "./compile-manager.ts";
import { DiscoveredFilter, missingNetworkFilter } from "./discovered-filter.ts";
import { compileDownstreamTls } from "./downstream-tls.ts";
import { ListenerFilters } from "./listener-filters.ts";

export interface ChainsIo extends ManagerIo, TcpProxyIo {
  readonly secrets: Secrets;
}

/** Throws an Error naming the field. `routesFor` gives each connection manager the holder of its routes. */
export function compileChains(
  proto: ListenerProto,
  io: ChainsIo,
  routesFor: (config: HttpConnectionManager) => RouteSource,
): ChainTable {
  const direction = proto.trafficDirection === TrafficDirection.INBOUND ? "inbound" : "outbound";
  const listenerMetadata = proto.metadata?.filterMetadata as Metadata | undefined;
  const compile = (chain: FilterChainProto): FilterChain => {
    const chainMetadata = chain.metadata?.filterMetadata as Metadata | undefined;
    return compileChain(chain, direction, { listenerMetadata, chainName: chain.name, chainMetadata }, io, routesFor);
  };
  const { defaultFilterChain } = proto;
  const { chains, fallback, logger, filters } = together<{
    filters: ListenerFilters;
    chains: FilterChain[];
    fallback: FilterChain | undefined;
    logger: AccessLogger | undefined;
  }>({
    logger: () => (proto.accessLog.length === 0 ? undefined : io.connectionLogger(proto.accessLog, direction)),
    filters: () => new ListenerFilters(proto.listenerFilters, io.extensions),
    chains: () => each("filter_chains", proto.filterChains, compile),
    fallback: () => defaultFilterChain && at("default_filter_chain", () => compile(defaultFilterChain)),
  });
  if (chains.length === 0 && fallback === undefined) throw new Error("filter_chains: one is required");
  // Envoy's default is 15 s, and then to close.
  const inspection = {
    timeoutMs: durationMs(proto.listenerFiltersTimeout) ?? 15_000,
    continueOnTimeout: proto.continueOnListenerFiltersTimeout,
  };
  return new ChainTable(chains, fallback, filters, inspection, logger && { logger, wall: io.wall });
}

function compileChain(
  proto: FilterChainProto,
  direction: "inbound" | "outbound",
  place: ListenerPlace,
  io: ChainsIo,
  routesFor: (config: HttpConnectionManager) => RouteSource,
): FilterChain {
  if (proto.transportSocket !== undefined && proto.transportSocket.configType.case === undefined) {
    throw new Error("transport_socket.typed_config: required");
  }
  const parts = together<Pick<FilterChain, "match" | "tls"> & { filters: NetworkPlace[]; serve: Served }>({
    match: () => at("filter_chain_match", () => compileChainMatch(proto.filterChainMatch)),
    tls: () => compileDownstreamTls(proto.transportSocket, durationMs(proto.transportSocketConnectTimeout), io.secrets),
    filters: () => each("filters", proto.filters.slice(0, -1), (filter) => compileNetworkFilter(filter, io)),
    serve: () => compileServing(proto, direction, place, io, routesFor),
  });
  const { match, tls, filters, serve } = parts;
  const discovered = filters.flatMap((filter) => ("place" in filter ? [filter.place] : []));
  return { match, tls, filters, discovered, ...serve };
}

/** A filter, and its place where it comes by discovery. */
type NetworkPlace = NetworkFilter | (NetworkFilter & { readonly place: DiscoveredFilter<NetworkFilter> });

function compileNetworkFilter({ name, configType }: Filter, io: ChainsIo): NetworkPlace {
  const build = (any: Any) => networkFilterFactory(any).compile(any, io);
  if (configType.case !== "configDiscovery") {
    return at("typed_config", () => build(typedConfig({ configType })));
  }
  const source = configType.value;
  const place = at("config_discovery", () => new DiscoveredFilter(name, source, io.extensions, build));
  // Who connects meets what there is then; connections that are let in stay so.
  return { place, accept: (connection) => (place.current ?? missingNetworkFilter).accept(connection) };
}

type Served = DistributiveOmit<FilterChain, "match" | "tls" | "filters" | "discovered">;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function typedConfig({ configType }: Pick<Filter, "configType">): Any {
  if (configType.case !== "typedConfig") throw new Error("required");
  return configType.value;
}

/** The last filter, which does something with the connection. */
function compileServing(
  proto: FilterChainProto,
  direction: "inbound" | "outbound",
  place: ListenerPlace,
  io: ChainsIo,
  routesFor: (config: HttpConnectionManager) => RouteSource,
): Served {
  const required = "the last must be an HTTP connection manager or a TCP proxy";
  const filter = proto.filters.at(-1);
  if (filter === undefined) throw new Error(`filters: ${required}`);
  return at(`filters[${proto.filters.length - 1}].typed_config`, () => {
    const any = typedConfig(filter);
    const http = anyUnpack(any, HttpConnectionManagerSchema);
    const tcp = anyUnpack(any, TcpProxySchema);
    if (http !== undefined) {
      const manager = compileManager(http, direction, routesFor(http), place, io);
      return { kind: "http", id: `http ${matchKey(proto)}`, manager };
    }
    if (tcp === undefined) throw new Error(required);
    const id = `tcp ${createHash("sha256").update(toBinary(FilterChainSchema, proto)).digest("base64")}`;
    return { kind: "tcp", id, proxy: compileTcpProxy(tcp, direction, place, io) };
  });
}

/** Connections go on with another manager, but not with other TLS settings: these were judged when they began. */
function matchKey({ filterChainMatch, transportSocket }: FilterChainProto): string {
  const hash = createHash("sha256");
  if (transportSocket !== undefined) hash.update(toBinary(TransportSocketSchema, transportSocket));
  const match = filterChainMatch === undefined ? "" : Buffer.from(toBinary(FilterChainMatchSchema, filterChainMatch));
  return `${match.toString("base64")} ${transportSocket === undefined ? "" : hash.digest("base64")}`;
}
