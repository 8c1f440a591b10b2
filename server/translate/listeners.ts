import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { TrafficDirection } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { FilterSchema } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { type Listener, ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import type { RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { memo } from "../lib/memo.ts";
import { isHttpOrAuto } from "../model/protocol.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { zero } from "./duration.ts";
import { socketAddress } from "./endpoints.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";
import type { InboundPort } from "./inbound.ts";
import type { L4Chain } from "./l4-chains.ts";
import { gatewayRoute, httpProxyRoute, inboundCluster, listenerName, operation } from "./names.ts";
import type { TranslateOptions } from "./options.ts";
import type { OutboundPort } from "./outbound-ports.ts";
import { l4Chains, tcpProxy } from "./tcp-proxy.ts";

/** The port to which the application sends its calls, as to any HTTP proxy. */
export const outboundListener = (proxy: MeshProxy, options: TranslateOptions): Listener => {
  const name = listenerName(proxy.ip, proxy.httpProxyPort);
  return listener(
    proxy,
    options,
    name,
    { address: proxy.ip, port: proxy.httpProxyPort },
    TrafficDirection.OUTBOUND,
    [],
    () =>
      only(
        httpConnectionManager(
          { direction: "outbound", statPrefix: `outbound_${name}`, routes: httpProxyRoute },
          proxy,
          options,
        ),
      ),
  );
};

/** Stands where the service's callers connect, and passes on to the application. */
export const inboundListener = (proxy: MeshProxy, inbound: InboundPort, options: TranslateOptions): Listener => {
  const name = listenerName(proxy.ip, inbound.port);
  const facts = [inbound.protocol, inbound.service?.hostname, inbound.service?.port];
  return listener(
    proxy,
    options,
    name,
    { address: proxy.ip, port: inbound.port },
    TrafficDirection.INBOUND,
    facts,
    () =>
      only(
        isHttpOrAuto(inbound.protocol)
          ? httpConnectionManager(
              { direction: "inbound", statPrefix: `inbound_${name}`, routes: inboundRoutes(inbound) },
              proxy,
              options,
            )
          : tcpProxy(toApplication(inboundCluster(inbound.port)), "inbound", options),
      ),
  );
};

const toApplication = (cluster: string) => ({
  statPrefix: cluster,
  clusters: [{ name: cluster, weight: 1 }],
  idleTimeout: undefined,
  maxDuration: undefined,
  config: undefined,
});

/** Stands for the services of one port that are not HTTP. */
export const outboundPortListener = (
  proxy: MeshProxy,
  { port, chains, key }: OutboundPort,
  options: TranslateOptions,
): Listener => {
  const name = listenerName(proxy.ip, port);
  const at = { address: proxy.ip, port: port + proxy.portOffset };
  return listener(proxy, options, name, at, TrafficDirection.OUTBOUND, [key], () =>
    l4Chains(chains, "outbound", options),
  );
};

/** A gateway's port that passes TCP or TLS on. */
export const gatewayPortListener = (
  proxy: MeshProxy,
  { port, bind }: { port: number; bind: string | undefined },
  chains: readonly L4Chain[],
  options: TranslateOptions,
): Listener => {
  const name = listenerName(bind ?? "0.0.0.0", port);
  const at = { address: bind ?? proxy.ip, port: port + proxy.portOffset };
  const facts = [JSON.stringify(chains)];
  return listener(proxy, options, name, at, TrafficDirection.OUTBOUND, facts, () =>
    l4Chains(chains, "gateway", options),
  );
};

/** Named as Istio names it, bound to the gateway's own address. */
export const gatewayListener = (
  proxy: MeshProxy,
  { port, bind }: { port: number; bind: string | undefined },
  options: TranslateOptions,
): Listener => {
  const name = listenerName(bind ?? "0.0.0.0", port);
  const at = { address: bind ?? proxy.ip, port: port + proxy.portOffset };
  return listener(proxy, options, name, at, TrafficDirection.OUTBOUND, [], () =>
    only(
      httpConnectionManager(
        { direction: "gateway", statPrefix: `outbound_${name}`, routes: gatewayRoute(port, bind) },
        proxy,
        options,
      ),
    ),
  );
};

type Chains = Pick<MessageInitShape<typeof ListenerSchema>, "filterChains" | "listenerFilters">;

const only = (filter: MessageInitShape<typeof FilterSchema>): Chains => ({ filterChains: [{ filters: [filter] }] });

function listener(
  proxy: MeshProxy,
  options: TranslateOptions,
  name: string,
  at: { address: string; port: number },
  trafficDirection: TrafficDirection,
  facts: readonly unknown[],
  chains: () => Chains,
): Listener {
  return memo(proxy, `listener ${name}`, [JSON.stringify(options), ...facts], () =>
    create(ListenerSchema, {
      name,
      address: socketAddress(at.address, at.port),
      trafficDirection,
      ...chains(),
    }),
  );
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
