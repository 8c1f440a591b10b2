import type { Cluster_TransportSocketMatch as MatchProto } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { each } from "../config/problems.ts";
import type { Metadata } from "../record.ts";
import type { Secrets } from "../tls/secrets.ts";
import { type ProxyProtocol, unwrapProxyProtocol } from "./proxy-protocol.ts";
import { compileUpstreamTls, type UpstreamTls } from "./upstream-tls.ts";

/** How an endpoint is connected to. */
export interface Transport {
  /** Undefined: plain TCP. */
  readonly tls: UpstreamTls | undefined;
  /** Undefined: it is not told who calls. */
  readonly proxyProtocol: ProxyProtocol | undefined;
}

/** The transport of endpoints whose metadata has all of `match`. */
export interface TransportMatch extends Transport {
  readonly match: Readonly<Record<string, unknown>>;
}

export interface Transports extends Transport {
  /** The first that fits goes before the cluster's own. */
  readonly transportMatches: readonly TransportMatch[];
}

/** Throws an Error naming the field. Unsupported fields were refused before. */
export const compileTransportMatches = (matches: readonly MatchProto[], secrets: Secrets): TransportMatch[] =>
  each("transport_socket_matches", matches, ({ match, transportSocket }) => {
    if (transportSocket?.configType.case !== "typedConfig") throw new Error("transport_socket.typed_config: required");
    const { inner, proxyProtocol } = unwrapProxyProtocol(transportSocket);
    return { match: match ?? {}, tls: compileUpstreamTls(inner, secrets), proxyProtocol };
  });

/** https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto#envoy-v3-api-field-config-cluster-v3-cluster-transport-socket-matches */
export function transportOf(config: Transports, metadata: Metadata | undefined): Transport {
  if (config.transportMatches.length === 0) return config;
  const own = metadata?.["envoy.transport_socket_match"];
  const fits = ({ match }: TransportMatch) =>
    Object.entries(match).every(([key, value]) => JSON.stringify(own?.[key]) === JSON.stringify(value));
  return config.transportMatches.find(fits) ?? config;
}

/** Of the cluster and of its matches. */
export const tlsContextsOf = ({ tls, transportMatches }: Transports): UpstreamTls[] =>
  [tls, ...transportMatches.map((match) => match.tls)].filter((context) => context !== undefined);

/** The very same settings keep their identity: a connection made by others is not used again. */
export function keepIdentity<C extends Transports>(before: Transports, config: C): C {
  const known = new Map(tlsContextsOf(before).map((context) => [context.key, context]));
  const kept = (tls: UpstreamTls | undefined) => tls && (known.get(tls.key) ?? tls);
  const transportMatches = config.transportMatches.map((match) => ({ ...match, tls: kept(match.tls) }));
  return { ...config, tls: kept(config.tls), transportMatches };
}
