import { create } from "@bufbuild/protobuf";
import {
  type Route,
  type VirtualHost,
  VirtualHost_TlsRequirementType,
  VirtualHostSchema,
} from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { memo } from "../lib/memo.ts";
import type { Gateway, GatewayServer } from "../model/gateways.ts";
import { compare, intersect } from "../model/hostname.ts";
import type { Mesh } from "../model/mesh.ts";
import type { VirtualService } from "../model/virtual-service.ts";
import { routingSteps, rulesIn, virtualServicesAt } from "../model/virtual-services.ts";
import { isCatchAll } from "./match.ts";
import type { RouteTable } from "./route-configurations.ts";
import { virtualServiceRoutes } from "./routes.ts";
import { type Scope, scopeKey } from "./scope.ts";

/** One server of one Gateway that a proxy runs. */
export interface BoundServer {
  gateway: Gateway;
  server: GatewayServer;
  /** Where it is listened on, before the proxy's offset; the server's own is what its rules are told. */
  port: number;
}

interface Draft {
  routes: (readonly Route[])[];
  httpsRedirect: boolean;
}

/** The routes of one port of a gateway proxy; `servers` are all that share the port. */
export function gatewayRouteTable(
  mesh: Mesh,
  scope: Scope,
  { port, name }: { port: number; name: string },
  servers: readonly BoundServer[],
  portOffset: number,
): RouteTable {
  const { virtualServices } = scope;
  const key = `gateway ${name} ${portOffset} ${scopeKey(scope, virtualServices.sourceLabels)} ${servers.map((it) => it.gateway.key).join(" ")}`;
  const deps = [
    scope.services,
    mesh.destinationRules.hashes && mesh.destinationRules,
    mesh.options.rootNamespace,
    ...servers.map((it) => it.server),
  ];
  return routingSteps.memo<RouteTable>(
    virtualServices,
    key,
    deps,
    () => ({
      name,
      virtualHosts: virtualHosts(draftHosts(mesh, scope, servers, portOffset), port),
      ignorePort: true,
    }),
    (before, { change }) =>
      servers.some(({ gateway }) => rulesIn(change, gateway.key).length > 0) ? undefined : before,
  );
}

/** By host, in order of name: each host that a server lets in and a VirtualService bound to its Gateway has. */
function draftHosts(mesh: Mesh, scope: Scope, servers: readonly BoundServer[], portOffset: number): Map<string, Draft> {
  const drafts = new Map<string, Draft>();
  const draft = (host: string): Draft => {
    const found = drafts.get(host) ?? { routes: [], httpsRedirect: false };
    drafts.set(host, found);
    return found;
  };
  for (const { gateway, server, port } of servers) {
    // With an offset nobody stands before the proxy: clients come to where it listens.
    const requestPort = portOffset > 0 ? port + portOffset : server.port;
    for (const virtualService of virtualServicesAt(scope.virtualServices, gateway.key, scope.namespace)) {
      const hosts = sharedHosts(server, virtualService);
      if (hosts.length === 0) continue;
      const context = { mesh, scope, port: server.port, gateway: gateway.key, requestPort };
      const routes = virtualServiceRoutes(virtualService, context);
      if (routes.length === 0) continue;
      for (const host of hosts) {
        const it = draft(host);
        if (!it.routes.includes(routes)) it.routes.push(routes);
      }
    }
    if (!server.tls?.httpsRedirect) continue;
    for (const { host } of server.hosts) draft(host).httpsRedirect = true;
    for (const [host, it] of drafts) if (server.hosts.some((own) => intersect(own.host, host))) it.httpsRedirect = true;
  }
  return new Map([...drafts].sort(([a], [b]) => compare(a, b)));
}

/** https://istio.io/latest/docs/reference/config/networking/gateway/#Server: the narrower of each pair that overlaps. */
export function sharedHosts(server: GatewayServer, virtualService: VirtualService): string[] {
  const open = server.hosts.filter((it) => it.namespace === "*" || it.namespace === virtualService.namespace);
  const shared = open.flatMap((it) => virtualService.hosts.flatMap((host) => intersect(it.host, host) ?? []));
  return [...new Set(shared)];
}

function virtualHosts(drafts: ReadonlyMap<string, Draft>, port: number): ReadonlyMap<string, VirtualHost> {
  if (drafts.size === 0) {
    // No routes at all make Envoy answer 404. Istio calls this one `blackhole:<port>`; here it must have the name that a
    // host of `*` would have: over VHDS it could not be replaced otherwise, as Envoy refuses a domain that two have for a moment.
    const name = `*:${port}`;
    return new Map([[name, memo(blackholes, name, [], () => create(VirtualHostSchema, { name, domains: ["*"] }))]]);
  }
  return new Map([...drafts].map(([host, draft]) => [`${host}:${port}`, gatewayVirtualHost(host, port, draft)]));
}

const blackholes = {};

/** Several VirtualServices may share a host: their routes join, oldest first, with those that take everything last. */
function gatewayVirtualHost(host: string, port: number, { routes, httpsRedirect }: Draft): VirtualHost {
  const name = `${host}:${port}`;
  const { ALL, NONE } = VirtualHost_TlsRequirementType;
  return memo(routes[0] ?? blackholes, `gateway-host ${name} ${httpsRedirect}`, routes, () =>
    create(VirtualHostSchema, {
      name,
      domains: [host],
      routes: catchAllsLast(routes.flat()),
      includeRequestAttemptCount: true,
      requireTls: httpsRedirect ? ALL : NONE,
    }),
  );
}

function catchAllsLast(routes: readonly Route[]): Route[] {
  const takesAll = ({ match }: Route) => match !== undefined && isCatchAll(match);
  return [...routes.filter((route) => !takesAll(route)), ...routes.filter(takesAll)];
}
