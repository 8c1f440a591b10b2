import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { FilterChain } from "../../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { TcpProxySchema } from "../../gen/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { ChainIndex, compileChainMatch } from "../../sidecar/listener/chain-match.ts";
import type { ProxyResources } from "../resources.ts";

export interface Connection {
  /** The listener's name: `127.0.1.6_3306`. */
  listener: string;
  /** The server name that the client asks for; undefined: no TLS. */
  sni?: string;
}

/** Where a connection would go, asked of our own sidecar's filter chain match: each cluster with its share of 100, or `closed`. */
export function whichUpstream(resources: ProxyResources, { listener, sni }: Connection): Record<string, number> {
  const found = resources.listeners.get(listener);
  if (!found) throw new Error(`no listener ${listener}`);
  const index = new ChainIndex(
    found.filterChains.map((chain) => ({ match: compileChainMatch(chain.filterChainMatch), chain })),
  );
  const chain = index.find({
    localAddress: "",
    localPort: 0,
    serverName: sni ?? "",
    transportProtocol: sni === undefined ? "raw_buffer" : "tls",
    applicationProtocols: [],
  });
  return chain ? sharesOf(chain) : { closed: 100 };
}

function sharesOf({ filters }: FilterChain): Record<string, number> {
  const config = filters[0]?.configType;
  const proxy = config?.case === "typedConfig" ? anyUnpack(config.value, TcpProxySchema) : undefined;
  const specifier = proxy?.clusterSpecifier;
  if (specifier?.case === "cluster") return { [specifier.value]: 100 };
  if (specifier?.case !== "weightedClusters") return { http: 100 };
  const { clusters } = specifier.value;
  const total = clusters.reduce((sum, { weight }) => sum + weight, 0);
  return Object.fromEntries(clusters.map(({ name, weight }) => [name, (100 * weight) / total]));
}
