import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { TrafficDirection } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { FilterSchema } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { type Listener, ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { memo } from "../lib/memo.ts";
import type { MeshProxy } from "../model/proxy.ts";
import type { Authorization } from "./authorization.ts";
import { socketAddress } from "./endpoints.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";
import type { InboundPort } from "./inbound.ts";
import { inboundChains } from "./inbound-chains.ts";
import { gatewayRoute, httpProxyRoute, listenerName } from "./names.ts";
import type { TranslateOptions } from "./options.ts";
import type { OutboundPort } from "./outbound-ports.ts";
import { limitFacts } from "./rate-limits.ts";
import { l4Chains } from "./tcp-proxy.ts";

/** The port to which the application sends its calls, as to any HTTP proxy. */
export const outboundListener = (proxy: MeshProxy, options: TranslateOptions): Listener => {
  const name = listenerName(proxy.ip, proxy.httpProxyPort);
  return listenerAt(
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
export const inboundListener = (
  proxy: MeshProxy,
  inbound: InboundPort,
  trustDomains: readonly string[],
  guards: Authorization,
  options: TranslateOptions,
): Listener => {
  const name = listenerName(proxy.ip, inbound.port);
  const { protocol, service, mutualTls, limits } = inbound;
  const told = limitFacts(limits, proxy);
  const facts = [protocol, service?.hostname, service?.port, mutualTls, proxy.identity, trustDomains, guards, ...told];
  const at = { address: proxy.ip, port: inbound.port };
  return listenerAt(proxy, options, name, at, TrafficDirection.INBOUND, facts, () =>
    inboundChains(proxy, inbound, trustDomains, guards, options),
  );
};

/** Stands for the services of one port that are not HTTP. */
export const outboundPortListener = (
  proxy: MeshProxy,
  { port, chains, key }: OutboundPort,
  options: TranslateOptions,
): Listener => {
  const name = listenerName(proxy.ip, port);
  const at = { address: proxy.ip, port: port + proxy.portOffset };
  return listenerAt(proxy, options, name, at, TrafficDirection.OUTBOUND, [key], () =>
    l4Chains(chains, "outbound", options),
  );
};

/** Named as Istio names it, bound to the gateway's own address. */
export const gatewayListener = (
  proxy: MeshProxy,
  { port, bind }: { port: number; bind: string | undefined },
  grpcWeb: boolean,
  guards: Authorization,
  options: TranslateOptions,
): Listener => {
  const name = listenerName(bind ?? "0.0.0.0", port);
  const at = { address: bind ?? proxy.ip, port: port + proxy.portOffset };
  return listenerAt(proxy, options, name, at, TrafficDirection.OUTBOUND, [guards, grpcWeb], () =>
    only(
      httpConnectionManager(
        {
          direction: "gateway",
          statPrefix: `outbound_${name}`,
          routes: gatewayRoute(port, bind),
          guards: guards.http,
          grpcWeb,
        },
        proxy,
        options,
      ),
    ),
  );
};

type Chains = Pick<
  MessageInitShape<typeof ListenerSchema>,
  "filterChains" | "listenerFilters" | "listenerFiltersTimeout" | "continueOnListenerFiltersTimeout"
>;

const only = (filter: MessageInitShape<typeof FilterSchema>): Chains => ({ filterChains: [{ filters: [filter] }] });

export function listenerAt(
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
