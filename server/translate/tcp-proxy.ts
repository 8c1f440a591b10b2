import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { FilterChainSchema, FilterSchema } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import type { ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { TlsInspectorSchema } from "../gen/proto/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import { TcpProxySchema } from "../gen/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { type LogDirection, tcpAccessLog } from "./access-log.ts";
import type { Authorization } from "./authorization.ts";
import { duration } from "./duration.ts";
import { sniForwardProxy } from "./forward-proxy.ts";
import type { L4Chain } from "./l4-chains.ts";
import { chainMatch } from "./l4-match.ts";
import { istioMetadata } from "./metadata.ts";
import { moreAccessLogs } from "./more-access-logs.ts";
import { blackHoleCluster } from "./names.ts";
import type { TranslateOptions } from "./options.ts";

type TcpProxyInit = MessageInitShape<typeof TcpProxySchema>;
type ChainInit = MessageInitShape<typeof FilterChainSchema>;

/** Filter chains, and the listener filters that their matches need. */
export function l4Chains(
  chains: readonly L4Chain[],
  direction: LogDirection,
  options: TranslateOptions,
  guards: Authorization["tcp"] = [],
): Pick<MessageInitShape<typeof ListenerSchema>, "filterChains" | "listenerFilters"> {
  const inspects = chains.some((chain) => chain.sniHosts.length > 0);
  return {
    filterChains: chains.map((chain): ChainInit => {
      const match = chainMatch(chain);
      return {
        ...(match && { filterChainMatch: match }),
        ...(chain.origin && { metadata: istioMetadata(chain.origin) }),
        filters: [...guards, ...sniForwardProxy(chain.forwardPort), tcpProxy(chain, direction, options)],
      };
    }),
    ...(inspects && { listenerFilters: [tlsInspector] }),
  };
}

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/tcp_proxy_filter */
export const tcpProxy = (
  chain: Omit<L4Chain, "sniHosts">,
  direction: LogDirection,
  options: TranslateOptions,
): MessageInitShape<typeof FilterSchema> => ({
  name: "envoy.filters.network.tcp_proxy",
  configType: {
    case: "typedConfig",
    value: anyPack(
      TcpProxySchema,
      create(TcpProxySchema, {
        statPrefix: chain.statPrefix,
        clusterSpecifier: clusterSpecifier(chain.clusters),
        ...(chain.idleTimeout && { idleTimeout: duration(chain.idleTimeout) }),
        ...(chain.maxDuration && { maxDownstreamConnectionDuration: duration(chain.maxDuration) }),
        ...(chain.hashesSourceIp && { hashPolicy: [sourceIp] }),
        ...(chain.tunnel && { tunnelingConfig: tunneling(chain.tunnel) }),
        accessLog: [tcpAccessLog(direction, chain.origin, options), ...moreAccessLogs(direction, "tcp", options)],
      }),
    ),
  },
});

const sourceIp = { policySpecifier: { case: "sourceIp" as const, value: {} } };

/** https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy-TunnelSettings */
const tunneling = ({ protocol, targetHost, targetPort }: NonNullable<L4Chain["tunnel"]>) => ({
  hostname: `${targetHost.includes(":") ? `[${targetHost}]` : targetHost}:${targetPort}`,
  usePost: protocol === "POST",
});

function clusterSpecifier(clusters: L4Chain["clusters"]): TcpProxyInit["clusterSpecifier"] {
  const [first] = clusters;
  if (clusters.length > 1) {
    return { case: "weightedClusters", value: { clusters: clusters.map(({ name, weight }) => ({ name, weight })) } };
  }
  return { case: "cluster", value: first?.name ?? blackHoleCluster };
}

/** Finds out whether a connection is TLS, and for whom, before a chain is chosen. */
export const tlsInspector = {
  name: "envoy.filters.listener.tls_inspector",
  configType: { case: "typedConfig" as const, value: anyPack(TlsInspectorSchema, create(TlsInspectorSchema)) },
};
