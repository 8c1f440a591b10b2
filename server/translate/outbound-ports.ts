import { isIP } from "node:net";
import { memo } from "../lib/memo.ts";
import type { Mesh } from "../model/mesh.ts";
import { isTcp, isTls } from "../model/protocol.ts";
import type { MeshProxy } from "../model/proxy.ts";
import type { VisibleServices } from "../model/registry.ts";
import { olderFirst, type Service, type ServicePort } from "../model/service.ts";
import { isAddressable } from "./forward-proxy.ts";
import { type L4Chain, type L4Rule, serviceChains } from "./l4-chains.ts";
import { chainsAt } from "./l4-match.ts";
import { type Scope, scopeKey } from "./scope.ts";

/** A port of services that are not HTTP, with the chains of all of them. */
export interface OutboundPort {
  port: number;
  chains: readonly L4Chain[];
  /** Equal for equal chains. */
  key: string;
}

/**
 * What the sidecar listens on for services that are not HTTP: each of their ports at the proxy's own address, as Istio has it for
 * interception NONE. TLS services share a port by server name; of plain TCP services the oldest has it (docs/decisions/0005).
 */
export function outboundPorts(mesh: Mesh, scope: Scope, proxy: MeshProxy): OutboundPort[] {
  return rulesOf(mesh, scope)
    .filter(({ port }) => isBindable(proxy, port + proxy.portOffset))
    .map((rules) => (rules.shared ? rules.shared : outboundPort(rules, proxy.ip)))
    .filter(({ chains }) => chains.length > 0);
}

/** Where an intercepted proxy has a listener. */
export interface InterceptedAddress extends OutboundPort {
  /** 0.0.0.0, or one of a TCP service's own. */
  address: string;
  /** Services of HTTP are there, too. */
  http: boolean;
}

/**
 * As istiod has it: services of HTTP share their port whatever the address, and so do those of TLS by server name; one of plain TCP has the addresses that it
 * names, or, as it names none, the port.
 */
export function interceptedAddresses(mesh: Mesh, scope: Scope, httpPorts: ReadonlySet<number>): InterceptedAddress[] {
  const key = `intercepted ${scopeKey(scope, scope.virtualServices.sourceLabels)} ${[...httpPorts].join()}`;
  const deps = [scope.virtualServices, mesh.destinationRules, mesh.options.rootNamespace];
  return memo(scope.services, key, deps, () => {
    const at = new Map<string, { address: string; port: number; rules: L4Rule[] }>();
    for (const port of httpPorts) at.set(`${anywhere} ${port}`, { address: anywhere, port, rules: [] });
    for (const { service, port } of l4Services(scope.services)) {
      const own = isTcp(port.protocol) ? service.addresses.filter((it) => isIP(it) !== 0) : [];
      const rules = serviceChains(mesh, scope, service, port);
      for (const address of own.length > 0 ? own : [anywhere]) {
        const place = at.get(`${address} ${port.port}`) ?? { address, port: port.port, rules: [] };
        place.rules.push(...rules);
        at.set(`${address} ${port.port}`, place);
      }
    }
    return [...at.values()]
      .sort((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1))
      .map(({ address, port, rules }) => {
        const http = address === anywhere && httpPorts.has(port);
        return { address, http, ...outboundPort({ port, rules }, address) };
      });
  });
}

const anywhere = "0.0.0.0";

interface PortRules {
  port: number;
  rules: readonly L4Rule[];
  /** For all proxies of the scope, when no rule asks for an address. */
  shared: OutboundPort | undefined;
}

function outboundPort({ port, rules }: Omit<PortRules, "shared">, address: string): OutboundPort {
  const chains = chainsAt(rules, address);
  return { port, chains, key: JSON.stringify(chains) };
}

const rulesOf = (mesh: Mesh, scope: Scope): readonly PortRules[] => {
  const key = `outbound-ports ${scopeKey(scope, scope.virtualServices.sourceLabels)}`;
  const deps = [scope.virtualServices, mesh.destinationRules, mesh.options.rootNamespace];
  return memo(scope.services, key, deps, () => {
    const byPort = Map.groupBy(l4Services(scope.services), ({ port }) => port.port);
    return [...byPort]
      .sort(([a], [b]) => a - b)
      .map(([port, entries]): PortRules => {
        const rules = entries.flatMap((entry) => serviceChains(mesh, scope, entry.service, entry.port));
        const anywhere = rules.every(({ subnets }) => subnets.length === 0);
        return { port, rules, shared: anywhere ? outboundPort({ port, rules }, "") : undefined };
      });
  });
};

interface L4Service {
  service: Service;
  port: ServicePort;
}

/** Oldest first. */
const l4Services = (services: VisibleServices): readonly L4Service[] =>
  memo(services, "l4-services", [], () =>
    [...services.values()]
      .flatMap((service) => service.ports.map((port) => ({ service, port })))
      .filter(({ port, service }) => (isTcp(port.protocol) || isTls(port.protocol)) && isAddressable(service, port))
      .sort((a, b) => olderFirst(a.service.source, b.service.source)),
  );

/** What the proxy itself listens on: https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio */
const proxyPorts = [15_000, 15_001, 15_006, 15_021, 15_090];

/** The application's own port comes first: its callers connect there. */
function isBindable(proxy: MeshProxy, port: number): boolean {
  if (port > 65_535 || (port < 1024 && proxy.unprivileged)) return false;
  if (port === proxy.httpProxyPort || proxy.ingress[port] !== undefined) return false;
  return !proxyPorts.some((own) => own + proxy.portOffset === port);
}
