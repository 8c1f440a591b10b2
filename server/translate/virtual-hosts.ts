import { create } from "@bufbuild/protobuf";
import {
  type Route,
  type VirtualHost,
  VirtualHostSchema,
} from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { memo } from "../lib/memo.ts";
import type { Mesh } from "../model/mesh.ts";
import { isHttpOrAuto } from "../model/protocol.ts";
import type { Service } from "../model/service.ts";
import { findVirtualService, meshGateway, type VirtualService } from "../model/virtual-services.ts";
import { isVisible } from "../model/visibility.ts";
import { isReachable } from "./clusters.ts";
import { proxyDomains, withPort } from "./domains.ts";
import { defaultRoute, virtualServiceRoutes } from "./routes.ts";
import { type Scope, scopeKey } from "./scope.ts";

/** One virtual host before it is known which of its domains are its own. */
interface Draft {
  host: string;
  port: number;
  domains: string[];
  routes: readonly Route[];
}

/**
 * The virtual hosts of the sidecar's HTTP proxy port, by name: `<host>:<port>` for each HTTP port of each service that the
 * scope sees, and for each further host of a VirtualService that routes such a service.
 */
export function sidecarVirtualHosts(mesh: Mesh, scope: Scope): ReadonlyMap<string, VirtualHost> {
  const { services, virtualServices } = mesh;
  const key = `virtual-hosts ${scopeKey(scope, virtualServices.sourceLabels)}`;
  return memo(virtualServices, key, [services], () => {
    const drafts = [...services.values()].flatMap((service) => serviceDrafts(mesh, service, scope));
    drafts.push(...furtherHosts(mesh, scope, new Set(drafts.map((draft) => draft.host))));
    return assemble(drafts);
  });
}

function serviceDrafts(mesh: Mesh, service: Service, scope: Scope): Draft[] {
  if (!isVisible(service.exportTo, service.namespace, scope.namespace) || !isReachable(service)) return [];
  const virtualService = findVirtualService(mesh.virtualServices, service.hostname, scope.namespace);
  return service.ports
    .filter((port) => isHttpOrAuto(port.protocol))
    .map(({ port }) => {
      const context = { mesh, scope, port, gateway: meshGateway };
      const ruled = virtualService ? virtualServiceRoutes(virtualService, context) : [];
      // Rules that are all for other sources leave the service as if it had none.
      return {
        host: service.hostname,
        port,
        domains: proxyDomains(service.hostname, service.addresses, port, scope.domain),
        routes: ruled.length > 0 ? ruled : alone(defaultRoute(service, port)),
      };
    });
}

/** The list itself must keep its identity, for it is what tells a virtual host that nothing changed. */
const alone = (route: Route): readonly Route[] => memo(route, "alone", [], () => [route]);

/** Hosts of a VirtualService that are no service answer on the ports of the services beside them in its list. */
function furtherHosts(mesh: Mesh, scope: Scope, known: ReadonlySet<string>): Draft[] {
  const drafts: Draft[] = [];
  for (const virtualService of mesh.virtualServices.byGateway.get(meshGateway) ?? []) {
    if (!isVisible(virtualService.exportTo, virtualService.namespace, scope.namespace)) continue;
    const others = virtualService.hosts.filter((host) => !host.startsWith("*") && !known.has(host));
    for (const host of others) {
      for (const port of portsBeside(mesh, virtualService)) {
        const routes = virtualServiceRoutes(virtualService, { mesh, scope, port, gateway: meshGateway });
        if (routes.length > 0) drafts.push({ host, port, domains: withPort(host, port), routes });
      }
    }
  }
  return drafts;
}

function portsBeside(mesh: Mesh, virtualService: VirtualService): Set<number> {
  const services = virtualService.hosts.flatMap((host) => mesh.services.get(host) ?? []);
  return new Set(services.flatMap((it) => it.ports.filter((port) => isHttpOrAuto(port.protocol)).map((p) => p.port)));
}

/** Envoy refuses a domain that stands twice: full names go before the short names of others, then the first has it. */
function assemble(drafts: readonly Draft[]): ReadonlyMap<string, VirtualHost> {
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
  return hosts.set(blockAll.name, blockAll);
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

/** The very same object as long as name, domains and the list of routes are. */
const virtualHost = (name: string, domains: readonly string[], routes: readonly Route[]): VirtualHost =>
  memo(routes, `virtual-host ${name} ${domains.join(" ")}`, [], () =>
    create(VirtualHostSchema, { name, domains: [...domains], routes: [...routes], includeRequestAttemptCount: true }),
  );
