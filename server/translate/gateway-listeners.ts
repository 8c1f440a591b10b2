import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Cluster } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { TrafficDirection } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { FilterChainSchema } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import type { Listener } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { endsTls } from "../model/gateways.ts";
import type { Mesh } from "../model/mesh.ts";
import { isHttp, parseProtocol } from "../model/protocol.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { type PassedThrough, passedThrough } from "./auto-passthrough.ts";
import { gatewayChains } from "./gateway-chains.ts";
import { type BoundServer, gatewayRouteTable } from "./gateway-routes.ts";
import type { Guards } from "./guards.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";
import type { L4Chain } from "./l4-chains.ts";
import { chainMatch, isMatchable } from "./l4-match.ts";
import { listenerAt } from "./listeners.ts";
import { istioMetadata } from "./metadata.ts";
import { httpsRoute, listenerName } from "./names.ts";
import type { TranslateOptions } from "./options.ts";
import type { RouteTable } from "./route-configurations.ts";
import type { Scope } from "./scope.ts";
import { serverTls } from "./server-tls.ts";
import { l4Chains, tlsInspector } from "./tcp-proxy.ts";

type ChainInit = MessageInitShape<typeof FilterChainSchema>;

export interface GatewayContext {
  mesh: Mesh;
  scope: Scope;
  proxy: MeshProxy;
  clusters: ReadonlyMap<string, Cluster>;
  guards: Guards;
  options: TranslateOptions;
}

/** One of a gateway's ports that is not plain HTTP, with what it needs. */
export interface GatewayPort {
  listener: Listener;
  tables: RouteTable[];
  clusters: Cluster[];
}

/**
 * A port of TLS and TCP: chains that end TLS, each with the certificate of its server, beside those that pass it on. Undefined where none is left: better a
 * closed port than one that only hangs up.
 */
export function gatewayPort(
  context: GatewayContext,
  at: { port: number; bind: string | undefined },
  servers: readonly BoundServer[],
): GatewayPort | undefined {
  const { mesh, scope, proxy, options, guards } = context;
  const taken = new Set<string>();
  const ended = servers
    .filter(({ server }) => endsTls(server))
    .flatMap((it) => endedChain(context, at, it, taken) ?? []);
  const auto = servers
    .filter(({ server }) => server.tls?.mode === "AUTO_PASSTHROUGH")
    .flatMap((it) => passedThrough(scope, it, context.clusters));
  const plain = servers.filter(({ server }) => !endsTls(server) && server.tls?.mode !== "AUTO_PASSTHROUGH");
  const others = gatewayChains(mesh, scope, plain, at.bind ?? proxy.ip);
  const passed = freeOf([...others, ...unique(auto).map(({ chain }) => chain)], taken);
  if (ended.length === 0 && passed.length === 0) return undefined;
  const facts = [JSON.stringify(passed), guards, ...ended.flatMap(({ facts }) => facts)];
  const address = { address: at.bind ?? proxy.ip, port: at.port + proxy.portOffset };
  const name = listenerName(at.bind ?? "0.0.0.0", at.port);
  const listener = listenerAt(proxy, options, name, address, TrafficDirection.OUTBOUND, facts, () => {
    const l4 = l4Chains(passed, "gateway", options, guards.tcp);
    return {
      ...l4,
      filterChains: [...ended.map(({ chain }) => chain()), ...(l4.filterChains ?? [])],
      ...(ended.length > 0 && { listenerFilters: [tlsInspector] }),
    };
  });
  const tables = ended.flatMap(({ table }) => table ?? []);
  return { listener, tables, clusters: unique(auto).map(({ cluster }) => cluster) };
}

const unique = (all: readonly PassedThrough[]): PassedThrough[] => [
  ...new Map(all.map((it) => [it.cluster.name, it])).values(),
];

interface EndedChain {
  chain(): ChainInit;
  /** Equal while the chain is. */
  facts: unknown[];
  table: RouteTable | undefined;
}

/** A server's chain; of server names that an older server has already, none is left to it. */
function endedChain(
  { mesh, scope, proxy, guards, options }: GatewayContext,
  { port, bind }: { port: number; bind: string | undefined },
  bound: BoundServer,
  taken: Set<string>,
): EndedChain | undefined {
  const { gateway, server } = bound;
  if (server.tls === undefined) return undefined;
  const isHttps = server.protocol.toUpperCase() === "HTTPS";
  const sniHosts = sniHostsOf(bound).filter((name) => !taken.has(name));
  const socket = serverTls(mesh, proxy, server.tls, isHttps ? ["h2", "http/1.1"] : []);
  if (socket === undefined || sniHosts.length === 0) return undefined;
  const match = chainMatch({ sniHosts });
  const common = { ...(match && { filterChainMatch: match }), transportSocket: socket };
  const key = [JSON.stringify(match), JSON.stringify(socket, bytesAsText)];
  if (!isHttps) {
    const [first] = gatewayChains(mesh, scope, [bound], bind ?? proxy.ip);
    if (first === undefined) return undefined;
    for (const name of sniHosts) taken.add(name);
    const chain = (): ChainInit => {
      const [made] = l4Chains([{ ...first, sniHosts: [] }], "gateway", options, guards.tcp).filterChains ?? [];
      return {
        ...common,
        filters: made?.filters ?? [],
        ...(first.origin && { metadata: istioMetadata(first.origin) }),
      };
    };
    return { chain, facts: [...key, JSON.stringify(first)], table: undefined };
  }
  for (const name of sniHosts) taken.add(name);
  const routes = httpsRoute(port, server.portName, gateway);
  const chain = () => ({
    ...common,
    filters: [
      httpConnectionManager(
        {
          direction: "gateway",
          statPrefix: `outbound_${listenerName(bind ?? "0.0.0.0", port)}`,
          routes,
          guards: guards.http,
          tellsPeer: server.tls?.mode !== "SIMPLE",
          grpcWeb: isGrpcWeb(bound),
        },
        proxy,
        options,
      ),
    ],
  });
  const table = gatewayRouteTable(mesh, scope, { port, name: routes }, [bound], proxy.portOffset);
  return { chain, facts: [...key, routes], table };
}

/** A host is also the server name to ask for; with `*` among them, any or none is. */
function sniHostsOf({ server }: BoundServer): string[] {
  const hosts = server.hosts.map(({ host }) => host);
  return hosts.includes("*") ? ["*"] : [...new Set(hosts.filter(isMatchable))];
}

/** Those that pass TLS on, without the server names that end here. */
function freeOf(chains: readonly L4Chain[], taken: ReadonlySet<string>): L4Chain[] {
  return chains.flatMap((chain) => {
    const sniHosts = chain.sniHosts.filter((name) => !taken.has(name));
    return sniHosts.length > 0 || chain.sniHosts.length === 0 ? [{ ...chain, sniHosts }] : [];
  });
}

const bytesAsText = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array
    ? Buffer.from(value).toString("base64")
    : typeof value === "bigint"
      ? String(value)
      : value;

export const isPlainHttp = ({ server }: BoundServer): boolean => isHttp(parseProtocol(server.protocol));

export const isGrpcWeb = ({ server }: BoundServer): boolean => parseProtocol(server.protocol) === "GRPC-Web";
