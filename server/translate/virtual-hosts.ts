import { create } from "@bufbuild/protobuf";
import {
  type Route,
  type VirtualHost,
  VirtualHostSchema,
} from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { isInPlace, mapSteps, withEntries } from "../lib/lineage.ts";
import { memo } from "../lib/memo.ts";
import { covers, isWildcard } from "../model/hostname.ts";
import type { Mesh } from "../model/mesh.ts";
import { isHttpOrAuto } from "../model/protocol.ts";
import type { Service } from "../model/service.ts";
import { meshGateway, type VirtualService } from "../model/virtual-service.ts";
import {
  findVirtualServices,
  routingSteps,
  rulesIn,
  type VirtualServiceChange,
  virtualServicesAt,
} from "../model/virtual-services.ts";
import { passthroughCluster } from "./names.ts";
import type { RouteTable } from "./route-configurations.ts";
import { defaultRoute, type RouteContext, virtualServiceRoutes } from "./routes.ts";
import { type Scope, scopeKey } from "./scope.ts";
import { routeTimeout } from "./timeout.ts";
import { layoutOf, type Place, placesByHost } from "./virtual-host-layout.ts";

/** With what another is made of. */
interface SidecarHosts {
  readonly layout: readonly Place[];
  readonly hosts: ReadonlyMap<string, VirtualHost>;
  /** There are hosts that no service stands for. */
  readonly hasFurther: boolean;
}

/**
 * The virtual hosts of the sidecar's HTTP proxy port, by name: `<host>:<port>` for each HTTP port of each service that the
 * scope sees, and for each further host of a VirtualService.
 */
export function sidecarVirtualHosts(mesh: Mesh, scope: Scope): ReadonlyMap<string, VirtualHost> {
  const { virtualServices, services, sidecar } = scope;
  const { destinationRules, options } = mesh;
  const key = `virtual-hosts ${scopeKey(scope, virtualServices.sourceLabels)}`;
  // Of DestinationRules routes have what calls are hashed by.
  const deps = [services, sidecar, destinationRules.hashes && destinationRules, options.rootNamespace];
  const made = routingSteps.memo<SidecarHosts>(
    virtualServices,
    key,
    deps,
    () => makeSidecarHosts(mesh, scope),
    (before, { change }) => amendSidecarHosts(mesh, scope, before, change),
  );
  return made.hosts;
}

function makeSidecarHosts(mesh: Mesh, scope: Scope): SidecarHosts {
  const further = furtherHosts(mesh, scope);
  const furtherRoutes = new Map(further.toReversed().map(({ host, port, routes }) => [`${host}:${port}`, routes]));
  const layout = layoutOf(scope, further);
  const hosts = new Map<string, VirtualHost>();
  for (const place of layout) {
    const routes = place.service
      ? serviceRoutes(mesh, scope, place.service, place.port)
      : furtherRoutes.get(place.name);
    if (routes) hosts.set(place.name, virtualHost(place, routes));
  }
  const others = scope.sidecar?.allowsAny ? allowAny : blockAll;
  return { layout, hosts: hosts.set(others.name, others), hasFurther: further.length > 0 };
}

/** Undefined where more than the hosts that changed rules name may be touched: by wildcards, and by hosts that are no service. */
function amendSidecarHosts(
  mesh: Mesh,
  scope: Scope,
  before: SidecarHosts,
  change: readonly VirtualServiceChange[],
): SidecarHosts | undefined {
  const touched = new Set(rulesIn(change, meshGateway).flatMap(({ hosts }) => hosts));
  for (const host of touched) if (!scope.services.has(host)) return undefined;
  // Which services a wildcard rules is told by the rules that go before it, and by that the ports of its further hosts.
  if (before.hasFurther && scope.virtualServices.wildcard.length > 0) return undefined;
  const entries = [...touched].flatMap((host) =>
    (placesByHost(before.layout).get(host) ?? []).flatMap((place): [string, VirtualHost][] =>
      place.service ? [[place.name, virtualHost(place, serviceRoutes(mesh, scope, place.service, place.port))]] : [],
    ),
  );
  return { ...before, hosts: withEntries(before.hosts, entries) };
}

/**
 * The same for a proxy whose traffic is intercepted: a table for each port, in which hosts stand without it. What no service stands for goes where it was
 * going, unless a Sidecar says otherwise.
 */
export function interceptedTables(mesh: Mesh, scope: Scope, allowsAny: boolean): readonly RouteTable[] {
  const hosts = sidecarVirtualHosts(mesh, scope);
  return mapSteps.memo<readonly RouteTable[]>(
    hosts,
    `intercepted ${allowsAny}`,
    [],
    () => {
      const named = [...hosts].filter(([name]) => name !== blockAll.name);
      return [...Map.groupBy(named, ([name]) => portOf(name))].map(([port, own]) => {
        const others = allowsAny ? allowAny : blockAll;
        const virtualHosts = new Map(own.map(([name, host]) => [name, withoutPort(host, port)] as const));
        return { name: port, virtualHosts: virtualHosts.set(others.name, others), ignorePort: true };
      });
    },
    (before, { from, change }) => {
      if (!isInPlace(from, hosts, change)) return undefined;
      const byPort = Map.groupBy(change, portOf);
      return before.map((table) => {
        const entries = (byPort.get(table.name) ?? []).flatMap((name): [string, VirtualHost][] => {
          const host = hosts.get(name);
          return host ? [[name, withoutPort(host, table.name)]] : [];
        });
        return { ...table, virtualHosts: withEntries(table.virtualHosts, entries) };
      });
    },
  );
}

const portOf = (name: string): string => name.slice(name.lastIndexOf(":") + 1);

const withoutPort = (host: VirtualHost, port: string): VirtualHost =>
  memo(host, "without-port", [], () => {
    const suffix = `:${port}`;
    const names = host.domains.map((domain) => (domain.endsWith(suffix) ? domain.slice(0, -suffix.length) : domain));
    return create(VirtualHostSchema, { ...host, domains: [...new Set(names)] });
  });

/** Rules that are all for other sources leave the service as if it had none. */
function serviceRoutes(mesh: Mesh, scope: Scope, service: Service, port: number): readonly Route[] {
  const context: RouteContext = { mesh, scope, port, gateway: meshGateway };
  const rules = findVirtualServices(scope.virtualServices, service.hostname, scope.namespace);
  const ruled = firstRoutes(rules, context);
  return ruled.length > 0 ? ruled : alone(defaultRoute(service, context));
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

interface FurtherHost {
  host: string;
  port: number;
  routes: readonly Route[];
}

/**
 * Hosts of a VirtualService that are no service answer on the ports of the services that it routes, and on 80 when it routes none
 * (Istio's `buildSidecarVirtualHostsForVirtualService`).
 */
function furtherHosts(mesh: Mesh, scope: Scope): FurtherHost[] {
  const found: FurtherHost[] = [];
  for (const virtualService of virtualServicesAt(scope.virtualServices, meshGateway, scope.namespace)) {
    const { further, routed } = splitHosts(scope, virtualService);
    if (further.length === 0) continue;
    for (const port of portsOf(routed)) {
      const routes = virtualServiceRoutes(virtualService, { mesh, scope, port, gateway: meshGateway });
      if (routes.length === 0) continue;
      for (const host of further) found.push({ host, port, routes });
    }
  }
  return found;
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
const virtualHost = (place: Place, routes: readonly Route[]): VirtualHost =>
  memo(place, "virtual-host", [routes], () => {
    const { name, domains } = place;
    return memo(routes, `virtual-host ${name} ${domains.join(" ")}`, [], () =>
      create(VirtualHostSchema, { name, domains: [...domains], routes: [...routes], includeRequestAttemptCount: true }),
    );
  });
