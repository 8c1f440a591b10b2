import { create } from "@bufbuild/protobuf";
import {
  type Route,
  type VirtualHost,
  VirtualHostSchema,
} from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { memo } from "../lib/memo.ts";
import { covers, isWildcard } from "../model/hostname.ts";
import type { Mesh } from "../model/mesh.ts";
import { isHttpOrAuto } from "../model/protocol.ts";
import type { Service } from "../model/service.ts";
import { findVirtualServices, meshGateway, type VirtualService, virtualServicesAt } from "../model/virtual-services.ts";
import { proxyDomains, withPort } from "./domains.ts";
import { passthroughCluster } from "./names.ts";
import { defaultRoute, type RouteContext, virtualServiceRoutes } from "./routes.ts";
import { type Scope, scopeKey } from "./scope.ts";
import { routeTimeout } from "./timeout.ts";

/** One virtual host before it is known which of its domains are its own. */
interface Draft {
  host: string;
  port: number;
  domains: string[];
  routes: readonly Route[];
}

/**
 * The virtual hosts of the sidecar's HTTP proxy port, by name: `<host>:<port>` for each HTTP port of each service that the
 * scope sees, and for each further host of a VirtualService.
 */
export function sidecarVirtualHosts(mesh: Mesh, scope: Scope): ReadonlyMap<string, VirtualHost> {
  const { virtualServices } = scope;
  const key = `virtual-hosts ${scopeKey(scope, virtualServices.sourceLabels)}`;
  return memo(
    virtualServices,
    key,
    [scope.services, scope.sidecar, mesh.destinationRules, mesh.options.rootNamespace],
    () => {
      const drafts = [...scope.services.values()].flatMap((service) => serviceDrafts(mesh, service, scope));
      return assemble([...drafts, ...furtherHosts(mesh, scope)], scope.sidecar?.allowsAny ? allowAny : blockAll);
    },
  );
}

function serviceDrafts(mesh: Mesh, service: Service, scope: Scope): Draft[] {
  const rules = findVirtualServices(scope.virtualServices, service.hostname, scope.namespace);
  return service.ports
    .filter((port) => isHttpOrAuto(port.protocol))
    .map(({ port }) => {
      const context = { mesh, scope, port, gateway: meshGateway };
      const ruled = firstRoutes(rules, context);
      // Rules that are all for other sources leave the service as if it had none.
      return {
        host: service.hostname,
        port,
        domains: proxyDomains(service.hostname, service.addresses, port, scope.domain),
        routes: ruled.length > 0 ? ruled : alone(defaultRoute(service, context)),
      };
    });
}

/** The list itself must keep its identity, for it is what tells a virtual host that nothing changed. */
const alone = (route: Route): readonly Route[] => memo(route, "alone", [], () => [route]);

function firstRoutes(rules: readonly VirtualService[], context: RouteContext): readonly Route[] {
  for (const virtualService of rules) {
    const routes = virtualServiceRoutes(virtualService, context);
    if (routes.length > 0) return routes;
  }
  return [];
}

/**
 * Hosts of a VirtualService that are no service answer on the ports of the services that it routes, and on 80 when it routes none
 * (Istio's `buildSidecarVirtualHostsForVirtualService`).
 */
function furtherHosts(mesh: Mesh, scope: Scope): Draft[] {
  const drafts: Draft[] = [];
  for (const virtualService of virtualServicesAt(scope.virtualServices, meshGateway, scope.namespace)) {
    const { further, routed } = splitHosts(scope, virtualService);
    if (further.length === 0) continue;
    for (const port of portsOf(routed)) {
      const routes = virtualServiceRoutes(virtualService, { mesh, scope, port, gateway: meshGateway });
      if (routes.length === 0) continue;
      for (const host of further) drafts.push({ host, port, domains: furtherDomains(host, port, scope), routes });
    }
  }
  return drafts;
}

/** A wildcard that takes in a service stands for services only. */
function splitHosts(scope: Scope, virtualService: VirtualService) {
  const further: string[] = [];
  const routed: Service[] = [];
  for (const host of virtualService.hosts) {
    const services = servicesAt(scope, host);
    if (services.length === 0 && host !== "*") further.push(host);
    const isRuled = ({ hostname }: Service) =>
      !isWildcard(host) || findVirtualServices(scope.virtualServices, hostname, scope.namespace)[0] === virtualService;
    routed.push(...services.filter(isRuled));
  }
  return { further, routed };
}

function servicesAt({ services }: Scope, host: string): Service[] {
  const exact = services.get(host);
  if (exact || !isWildcard(host)) return exact ? [exact] : [];
  return [...services.values()].filter(({ hostname }) => covers(host, hostname));
}

function portsOf(services: readonly Service[]): ReadonlySet<number> {
  const ports = services.flatMap((it) => it.ports).filter(({ protocol }) => isHttpOrAuto(protocol));
  return ports.length > 0 ? new Set(ports.map(({ port }) => port)) : new Set([80]);
}

const furtherDomains = (host: string, port: number, scope: Scope): string[] =>
  proxyDomains(host, [], port, scope.domain);

/** Envoy refuses a domain that stands twice: full names go before the short names of others, then the first has it. */
function assemble(drafts: readonly Draft[], others: VirtualHost): ReadonlyMap<string, VirtualHost> {
  const names = new Map(
    drafts.flatMap((draft) => withPort(draft.host, draft.port).map((it) => [it, draft] as const)).reverse(),
  );
  const taken = new Set<string>();
  const hosts = new Map<string, VirtualHost>();
  for (const draft of drafts) {
    const name = `${draft.host}:${draft.port}`;
    const domains = [...new Set(draft.domains)].filter((domain) => {
      const holder = names.get(domain);
      return !taken.has(domain) && (holder === undefined || holder === draft);
    });
    for (const domain of domains) taken.add(domain);
    if (domains.length > 0 && !hosts.has(name)) hosts.set(name, virtualHost(name, domains, draft.routes));
  }
  return hosts.set(others.name, others);
}

/** Hosts that the mesh does not know are refused, as Istio does with `REGISTRY_ONLY`. */
const blockAll: VirtualHost = create(VirtualHostSchema, {
  name: "block_all",
  domains: ["*"],
  includeRequestAttemptCount: true,
  routes: [
    {
      name: "block_all",
      match: { pathSpecifier: { case: "prefix", value: "/" } },
      action: { case: "directResponse", value: { status: 502 } },
    },
  ],
});

/** Unless a Sidecar lets them through. Over VHDS one replaces the other, so that they must have one name: Envoy refuses a domain that two have for a moment. */
const allowAny: VirtualHost = create(VirtualHostSchema, {
  name: blockAll.name,
  domains: ["*"],
  includeRequestAttemptCount: true,
  routes: [
    {
      name: "allow_any",
      match: { pathSpecifier: { case: "prefix", value: "/" } },
      action: {
        case: "route",
        value: { clusterSpecifier: { case: "cluster", value: passthroughCluster }, ...routeTimeout(undefined) },
      },
    },
  ],
});

/** The very same object as long as name, domains and the list of routes are. */
const virtualHost = (name: string, domains: readonly string[], routes: readonly Route[]): VirtualHost =>
  memo(routes, `virtual-host ${name} ${domains.join(" ")}`, [], () =>
    create(VirtualHostSchema, { name, domains: [...domains], routes: [...routes], includeRequestAttemptCount: true }),
  );
