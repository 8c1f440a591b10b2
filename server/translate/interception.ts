import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { TrafficDirection } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type {
  FilterChainMatchSchema,
  FilterChainSchema,
} from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { type Listener, ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { HttpInspectorSchema } from "../gen/proto/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { OriginalDstSchema } from "../gen/proto/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js";
import { OriginalSrcSchema } from "../gen/proto/envoy/extensions/filters/listener/original_src/v3/original_src_pb.js";
import { memo } from "../lib/memo.ts";
import type { Mesh } from "../model/mesh.ts";
import { mutualTlsMode } from "../model/peer-authentications.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { trustDomainsOf } from "../model/trust-domains.ts";
import type { Authorization } from "./authorization.ts";
import { inboundClusterOf } from "./clusters.ts";
import { configWay } from "./config-source.ts";
import { circuitBreakers } from "./connection-pool.ts";
import { seconds } from "./duration.ts";
import { socketAddress } from "./endpoints.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";
import type { InboundPort } from "./inbound.ts";
import { inboundChains } from "./inbound-chains.ts";
import { mutualTlsMatch, mutualTlsServer } from "./mutual-tls.ts";
import { blackHoleCluster, inboundPassthroughCluster, listenerName, passthroughCluster } from "./names.ts";
import type { TranslateOptions } from "./options.ts";
import type { InterceptedAddress } from "./outbound-ports.ts";
import { l4Chains, tcpProxy, tlsInspector } from "./tcp-proxy.ts";

// What istiod sends to a sidecar whose traffic iptables brings to it (REDIRECT, TPROXY): two ports are bound, and every other listener and chain is found
// by where a connection was going. https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio

type Chain = Pick<
  MessageInitShape<typeof FilterChainSchema>,
  "name" | "filterChainMatch" | "filters" | "transportSocket" | "metadata"
>;
type MatchInit = Pick<
  MessageInitShape<typeof FilterChainMatchSchema>,
  "destinationPort" | "transportProtocol" | "applicationProtocols" | "serverNames"
>;
type ListenerInit = Pick<
  MessageInitShape<typeof ListenerSchema>,
  "name" | "address" | "bindToPort" | "listenerFilters" | "listenerFiltersTimeout" | "continueOnListenerFiltersTimeout"
>;

/** Where iptables send what leaves the workload, and what comes to it. */
export const outboundPort = 15_001;
export const inboundPort = 15_006;

/**
 * Iptables let pass what comes from here, so that what goes on to the application does not come back. With TPROXY the caller's address goes before it
 * (`originalSource`), and what lets pass is the mark.
 */
const inboundSource = "127.0.0.6";

/** Of what a TPROXY sidecar sends to its application, by which Istio's rules tell it, and bring the answers back. */
const originalSourceMark = 1_337;

/** Wherever the connection was going. */
export const originalPassthrough: Cluster = create(ClusterSchema, {
  name: passthroughCluster,
  lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
  clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.ORIGINAL_DST },
  connectTimeout: seconds(10),
  circuitBreakers: circuitBreakers({}),
});

const toApplication = {
  lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
  clusterDiscoveryType: { case: "type" as const, value: Cluster_DiscoveryType.ORIGINAL_DST },
  upstreamBindConfig: {
    sourceAddress: { address: inboundSource, portSpecifier: { case: "portValue" as const, value: 0 } },
  },
};

/** To ports of the workload that no service has. */
export const inboundPassthrough: Cluster = create(ClusterSchema, {
  name: inboundPassthroughCluster,
  ...toApplication,
  connectTimeout: seconds(10),
  circuitBreakers: circuitBreakers({}),
});

/** To the application at the address that was asked for. */
export const interceptedCluster = ({ port, target, protocol }: InboundPort): Cluster =>
  memo(inboundPassthrough, `${port} ${protocol}`, [], () => {
    const { name, connectTimeout, commonLbConfig, typedExtensionProtocolOptions } = inboundClusterOf(
      port,
      target,
      protocol,
    );
    return create(ClusterSchema, {
      ...toApplication,
      name,
      connectTimeout,
      commonLbConfig,
      typedExtensionProtocolOptions,
      circuitBreakers: circuitBreakers({}),
    });
  });

/** Takes all that leaves, hands it to the listener of where it was going, and lets pass what none is for. */
export function virtualOutbound(proxy: MeshProxy, allowsAny: boolean, options: TranslateOptions): Listener {
  const port = outboundPort + proxy.portOffset;
  return memo(proxy, "virtual-outbound", [allowsAny, JSON.stringify(options)], () =>
    create(ListenerSchema, {
      name: "virtualOutbound",
      address: socketAddress(anywhere, port),
      ...transparency(proxy),
      trafficDirection: TrafficDirection.OUTBOUND,
      useOriginalDst: true,
      filterChains: [
        {
          name: "virtualOutbound-blackhole",
          filterChainMatch: at(port),
          filters: [pass(blackHoleCluster, "outbound", options)],
        },
        {
          name: allowsAny ? "virtualOutbound-catchall-tcp" : "virtualOutbound-blocked",
          filters: [pass(allowsAny ? passthroughCluster : blackHoleCluster, "outbound", options)],
        },
      ],
    }),
  );
}

/** Of a port that services of HTTP have, or of an address at which one of TCP is. */
export function interceptedListener(
  proxy: MeshProxy,
  { address, port, chains, key, http }: InterceptedAddress,
  allowsAny: boolean,
  options: TranslateOptions,
): Listener {
  const name = listenerName(address, port);
  return memo(proxy, `intercepted ${name}`, [key, http, allowsAny, JSON.stringify(options)], () => {
    const { filterChains = [], listenerFilters = [] } = l4Chains(chains, "outbound", options);
    const takesAll = chains.some(({ sniHosts }) => sniHosts.length === 0);
    const http1 = httpChain(name, port, proxy, options);
    const rest: Chain = { filters: [pass(allowsAny ? passthroughCluster : blackHoleCluster, "outbound", options)] };
    const all = [...filterChains, ...(http ? [http1] : []), ...(takesAll ? [] : [rest])];
    return create(ListenerSchema, {
      ...unbound(name, address, port),
      trafficDirection: TrafficDirection.OUTBOUND,
      filterChains: all,
      ...(http ? inspecting([tlsInspector, httpInspector]) : inspecting(listenerFilters)),
    });
  });
}

const httpChain = (name: string, port: number, proxy: MeshProxy, options: TranslateOptions): Chain => ({
  filterChainMatch: { transportProtocol: "raw_buffer", applicationProtocols: ["http/1.0", "http/1.1", "h2c"] },
  filters: [
    httpConnectionManager(
      { direction: "outbound", statPrefix: `outbound_${name}`, routes: String(port) },
      proxy,
      options,
    ),
  ],
});

const unbound = (name: string, address: string, port: number): ListenerInit => ({
  name,
  address: socketAddress(address, port),
  bindToPort: false,
});

/** Whoever waits for the server to speak first is let through when the time is up. */
const inspecting = (listenerFilters: NonNullable<ListenerInit["listenerFilters"]>): ListenerInit =>
  listenerFilters.length === 0
    ? {}
    : { listenerFilters, listenerFiltersTimeout: seconds(1), continueOnListenerFiltersTimeout: true };

/** A port of the workload, and who may come in there. */
export interface GuardedPort {
  readonly at: InboundPort;
  readonly guards: Authorization;
}

/** Takes all that comes: each port of a service by its own chains, the rest as it is. */
export function virtualInbound(
  mesh: Mesh,
  proxy: MeshProxy,
  ports: readonly GuardedPort[],
  /** For ports that no service has. */
  others: Authorization,
  options: TranslateOptions,
): Listener {
  const trustDomains = trustDomainsOf(mesh);
  const mode = mutualTlsMode(mesh.peerAuthentications, mesh.options.rootNamespace, proxy, 0);
  const known = ports.map(({ at: { limits, ...rest } }) => ({
    ...rest,
    local: !limits?.spec.local,
    all: !limits?.spec.global,
  }));
  const told = JSON.stringify([known, mode, proxy.identity, trustDomains, options]);
  const facts = [told, others, ...ports.map(({ guards }) => guards)];
  return memo(proxy, "virtual-inbound", facts, () => {
    const port = inboundPort + proxy.portOffset;
    const own = ports.map(({ at, guards }) => ({
      port: at.port,
      chains: inboundChains(proxy, at, trustDomains, guards, options),
    }));
    const quiet = own.filter(({ chains }) => !chains.listenerFilters?.length).map(({ port }) => port);
    return create(ListenerSchema, {
      name: "virtualInbound",
      address: socketAddress(anywhere, port),
      ...transparency(proxy),
      trafficDirection: TrafficDirection.INBOUND,
      filterChains: [
        {
          name: "virtualInbound-blackhole",
          filterChainMatch: at(port),
          filters: [pass(blackHoleCluster, "inbound", options)],
        },
        ...own.flatMap(({ port, chains }) => (chains.filterChains ?? []).map((chain) => atPort(chain, port))),
        // Chains without a port, and not the default chain: to that one Envoy would come back from a port whose own chains all refuse.
        ...catchAll(proxy, mode, trustDomains, others, options),
      ],
      ...inspecting([
        originalDestination,
        ...(isTransparent(proxy) ? [originalSource] : []),
        { ...tlsInspector, ...(quiet.length > 0 && { filterDisabled: anyPort(quiet) }) },
      ]),
    });
  });
}

/** The chain of a listener of one port, among those of all. */
function atPort({ filterChainMatch, filters = [], transportSocket }: Chain, port: number): Chain {
  return {
    name: listenerName(anywhere, port),
    filterChainMatch: { ...(filterChainMatch as MatchInit | undefined), destinationPort: port },
    filters,
    ...(transportSocket && { transportSocket }),
  };
}

function catchAll(
  proxy: MeshProxy,
  mode: ReturnType<typeof mutualTlsMode>,
  trustDomains: readonly string[],
  guards: Authorization,
  options: TranslateOptions,
): Chain[] {
  const filters = [...guards.tcp, pass(inboundPassthroughCluster, "inbound", options)];
  const plain: Chain = { name: "virtualInbound-catchall", filters };
  if (proxy.identity === undefined) {
    return mode === "STRICT" ? [{ ...plain, filters: [pass(blackHoleCluster, "inbound", options)] }] : [plain];
  }
  if (mode === "DISABLE") return [plain];
  const mutual: Chain = {
    name: "virtualInbound-catchall-mtls",
    filterChainMatch: mode === "STRICT" ? { transportProtocol: "tls" } : mutualTlsMatch,
    transportSocket: mutualTlsServer(trustDomains, configWay(proxy).secret),
    filters,
  };
  if (mode === "STRICT") return [mutual];
  return [
    mutual,
    { ...plain, name: "virtualInbound-catchall-tls", filterChainMatch: { transportProtocol: "tls" } },
    plain,
  ];
}

const anywhere = "0.0.0.0";

const isTransparent = ({ interception }: MeshProxy): boolean => interception === "TPROXY";

/** The socket takes what was going elsewhere, as TPROXY brings it: neither address is translated. */
const transparency = (proxy: MeshProxy) => (isTransparent(proxy) ? { transparent: true } : {});

const at = (port: number) => ({ destinationPort: port });

const pass = (cluster: string, direction: "inbound" | "outbound", options: TranslateOptions) =>
  tcpProxy(
    {
      statPrefix: cluster,
      clusters: [{ name: cluster, weight: 1 }],
      idleTimeout: undefined,
      maxDuration: undefined,
      origin: undefined,
      forwardPort: undefined,
      hashesSourceIp: false,
      tunnel: undefined,
    },
    direction,
    options,
  );

const originalDestination = {
  name: "envoy.filters.listener.original_dst",
  configType: { case: "typedConfig" as const, value: anyPack(OriginalDstSchema, create(OriginalDstSchema)) },
};

/** The application is called from the caller's own address. */
const originalSource = {
  name: "envoy.filters.listener.original_src",
  configType: {
    case: "typedConfig" as const,
    value: anyPack(OriginalSrcSchema, create(OriginalSrcSchema, { mark: originalSourceMark })),
  },
};

const httpInspector = {
  name: "envoy.filters.listener.http_inspector",
  configType: { case: "typedConfig" as const, value: anyPack(HttpInspectorSchema, create(HttpInspectorSchema)) },
};

const rangeOf = (port: number) => ({
  rule: { case: "destinationPortRange" as const, value: { start: port, end: port + 1 } },
});

function anyPort(ports: readonly number[]) {
  const [first = 0] = ports;
  return ports.length === 1
    ? rangeOf(first)
    : { rule: { case: "orMatch" as const, value: { rules: ports.map(rangeOf) } } };
}
