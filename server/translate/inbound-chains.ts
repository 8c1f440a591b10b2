import type { MessageInitShape } from "@bufbuild/protobuf";
import type { FilterChainSchema, FilterSchema } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import type { ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import type { RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { isHttp2, isHttpOrAuto } from "../model/protocol.ts";
import type { MeshProxy } from "../model/proxy.ts";
import type { Authorization } from "./authorization.ts";
import { configWay } from "./config-source.ts";
import { seconds, zero } from "./duration.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";
import type { InboundPort } from "./inbound.ts";
import { mutualTlsMatch, mutualTlsServer } from "./mutual-tls.ts";
import { blackHoleCluster, inboundCluster, listenerName, operation } from "./names.ts";
import type { TranslateOptions } from "./options.ts";
import { rateLimitSlots } from "./rate-limits.ts";
import { tcpProxy, tlsInspector } from "./tcp-proxy.ts";

type Chain = MessageInitShape<typeof FilterChainSchema>;
type Chains = Pick<
  MessageInitShape<typeof ListenerSchema>,
  "filterChains" | "listenerFilters" | "listenerFiltersTimeout" | "continueOnListenerFiltersTimeout"
>;

/**
 * Mutual TLS for who offers it and plain text for who doesn't, on one port: Istio's mode PERMISSIVE. A proxy without a certificate, and a
 * TCP port that no rule asks mutual TLS of, have plain text alone. STRICT has no chain for plain text: such a connection is closed. https://istio.io/latest/docs/concepts/security/#permissive-mode
 */
export function inboundChains(
  proxy: MeshProxy,
  inbound: InboundPort,
  trustDomains: readonly string[],
  guards: Authorization,
  options: TranslateOptions,
): Chains {
  const isHttp = isHttpOrAuto(inbound.protocol);
  const filters = (security: Security) => [
    ...(isHttp
      ? [manager(proxy, inbound, security, guards, options)]
      : [...guards.tcp, toApplication(inbound.port, options)]),
  ];
  const plain = filters("plain");
  if (inbound.mutualTls === "none") return { filterChains: [{ filters: plain }] };
  if (inbound.mutualTls === "barred") return { filterChains: [{ filters: [nowhere(options)] }] };
  const isOnly = inbound.mutualTls === "only";
  const mutual: Chain = {
    filterChainMatch: isOnly ? { transportProtocol: "tls" } : mutualTlsMatch,
    transportSocket: mutualTlsServer(trustDomains, configWay(proxy).secret),
    filters: filters("mutual-tls"),
  };
  if (isOnly) return { filterChains: [mutual], listenerFilters: [tlsInspector] };
  if (isHttp) {
    const rawBuffer = { transportProtocol: "raw_buffer" };
    return {
      filterChains: [mutual, { filterChainMatch: rawBuffer, filters: plain }],
      listenerFilters: [tlsInspector],
      // Who connects before it has anything to ask is no less welcome than without the inspector.
      continueOnListenerFiltersTimeout: true,
    };
  }
  return {
    // An application's own TLS passes through: of chains for TLS that fit a connection worse, Envoy never comes back to one for anything.
    filterChains: [mutual, { filterChainMatch: { transportProtocol: "tls" }, filters: plain }, { filters: plain }],
    listenerFilters: [tlsInspector],
    // Whoever waits for the server to speak first is no client of mutual TLS.
    listenerFiltersTimeout: seconds(1),
    continueOnListenerFiltersTimeout: true,
  };
}

type Security = "plain" | "mutual-tls";

const manager = (
  proxy: MeshProxy,
  inbound: InboundPort,
  security: Security,
  guards: Authorization,
  options: TranslateOptions,
) =>
  httpConnectionManager(
    {
      direction: "inbound",
      statPrefix: `inbound_${listenerName(proxy.ip, inbound.port)}`,
      routes: inboundRoutes(inbound),
      guards: [...guards.http, ...rateLimitSlots(inbound.limits, proxy)],
      grpcWeb: inbound.protocol === "GRPC-Web",
      grpc: isHttp2(inbound.protocol),
      tellsPeer: security === "mutual-tls",
    },
    proxy,
    options,
  );

const toApplication = (port: number, options: TranslateOptions) => passOn(inboundCluster(port), options);

/** Takes a connection only to close it. */
const nowhere = (options: TranslateOptions) => passOn(blackHoleCluster, options);

function passOn(cluster: string, options: TranslateOptions): MessageInitShape<typeof FilterSchema> {
  const chain = {
    statPrefix: cluster,
    clusters: [{ name: cluster, weight: 1 }],
    idleTimeout: undefined,
    maxDuration: undefined,
    origin: undefined,
    forwardPort: undefined,
    hashesSourceIp: false,
    tunnel: undefined,
  };
  return tcpProxy(chain, "inbound", options);
}

/** One route to the application. Timeouts and retries are the caller's affair. */
function inboundRoutes({ port, service }: InboundPort): MessageInitShape<typeof RouteConfigurationSchema> {
  const cluster = inboundCluster(port);
  return {
    name: cluster,
    validateClusters: false,
    virtualHosts: [
      {
        name: `inbound|http|${port}`,
        domains: ["*"],
        routes: [
          {
            name: "default",
            match: { pathSpecifier: { case: "prefix", value: "/" } },
            decorator: { operation: service ? operation(service.hostname, service.port, "/*") : cluster },
            action: {
              case: "route",
              value: {
                clusterSpecifier: { case: "cluster", value: cluster },
                timeout: zero,
                maxStreamDuration: { maxStreamDuration: zero, grpcTimeoutHeaderMax: zero },
              },
            },
          },
        ],
      },
    ],
  };
}
