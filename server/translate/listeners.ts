import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { TrafficDirection } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { FilterSchema } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { type Listener, ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import type { RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { TcpProxySchema } from "../gen/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { memo } from "../lib/memo.ts";
import { isHttpOrAuto } from "../model/protocol.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { zero } from "./duration.ts";
import { socketAddress } from "./endpoints.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";
import type { InboundPort } from "./inbound.ts";
import { gatewayRoute, httpProxyRoute, inboundCluster, listenerName, operation } from "./names.ts";
import type { TranslateOptions } from "./options.ts";

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
      httpConnectionManager(
        { direction: "outbound", statPrefix: `outbound_${name}`, routes: httpProxyRoute },
        proxy,
        options,
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
      isHttpOrAuto(inbound.protocol)
        ? httpConnectionManager(
            { direction: "inbound", statPrefix: `inbound_${name}`, routes: inboundRoutes(inbound) },
            proxy,
            options,
          )
        : tcpProxy(inboundCluster(inbound.port)),
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
    httpConnectionManager(
      { direction: "gateway", statPrefix: `outbound_${name}`, routes: gatewayRoute(port, bind) },
      proxy,
      options,
    ),
  );
};

function listener(
  proxy: MeshProxy,
  options: TranslateOptions,
  name: string,
  at: { address: string; port: number },
  trafficDirection: TrafficDirection,
  facts: readonly unknown[],
  filter: () => MessageInitShape<typeof FilterSchema>,
): Listener {
  return memo(proxy, `listener ${name}`, [JSON.stringify(options), ...facts], () =>
    create(ListenerSchema, {
      name,
      address: socketAddress(at.address, at.port),
      trafficDirection,
      filterChains: [{ filters: [filter()] }],
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

const tcpProxy = (cluster: string): MessageInitShape<typeof FilterSchema> => ({
  name: "envoy.filters.network.tcp_proxy",
  configType: {
    case: "typedConfig",
    value: anyPack(
      TcpProxySchema,
      create(TcpProxySchema, { statPrefix: cluster, clusterSpecifier: { case: "cluster", value: cluster } }),
    ),
  },
});
