import type { LoadTarget } from "../contract/index.ts";
import { TrafficDirection } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { FilterChain } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { hostPort } from "../sidecar/text/host-port.ts";
import type { Holdings } from "./holdings.ts";
import { boundTo, isHttpProxy, servedBy } from "./listeners.ts";

/** Of each listener so many names are told. */
const maxHosts = 100;

/** A proxy, as far as it matters for how it is reached. */
export interface Entered {
  kind: "gateway" | "sidecar";
  namespace: string;
  name: string;
  /** Where it is, for listeners that are bound to every address. */
  address: string;
}

/** Where HTTP requests can be given to a proxy from outside of it: a gateway's listeners, and the port by which a workload calls others. */
export function entrancesOf({ kind, namespace, name, address }: Entered, holdings: Holdings): LoadTarget[] {
  const listeners = holdings.listeners.filter((listener) =>
    kind === "gateway" ? listener.trafficDirection !== TrafficDirection.INBOUND : isHttpProxy(listener),
  );
  return listeners.flatMap((listener) => {
    const bound = boundTo(listener);
    if (bound.port === 0) return [];
    const host = isEverywhere(bound.address) ? address : bound.address;
    const chains = [...listener.filterChains, ...(listener.defaultFilterChain ? [listener.defaultFilterChain] : [])];
    const serving = chains.filter((chain) => servedBy(chain).http !== undefined);
    return [...Map.groupBy(serving, (chain) => (chain.transportSocket ? "https" : "http"))].map(
      ([scheme, those]): LoadTarget => ({
        kind: kind === "gateway" ? "gateway" : "workload",
        namespace,
        name,
        origin: new URL(`${scheme}://${hostPort(host, bound.port)}`).origin,
        protocols: ["http1", "http2"],
        hosts: [...new Set(those.flatMap((chain) => hostsOf(chain, holdings)))].slice(0, maxHosts),
      }),
    );
  });
}

const isEverywhere = (address: string): boolean => address === "0.0.0.0" || address === "::";

/** Of each virtual host one name, as callers write it: the shortest, with its port where that is told apart by it. */
function hostsOf(chain: FilterChain, holdings: Holdings): string[] {
  const specifier = servedBy(chain).http?.routeSpecifier;
  const route =
    specifier?.case === "rds"
      ? holdings.route(specifier.value.routeConfigName)
      : specifier?.case === "routeConfig"
        ? specifier.value
        : undefined;
  if (route === undefined) return [];
  return holdings.virtualHosts(route).flatMap(({ domains }) => {
    const names = domains.filter((name) => !name.includes("*")).toSorted((a, b) => a.length - b.length);
    return names.slice(0, 1);
  });
}
