import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import type { Endpoint } from "./endpoints.ts";
import { resolveHost } from "./hostname.ts";
import type { Mesh } from "./mesh.ts";
import { takesMutualTls } from "./mutual-tls-endpoints.ts";
import { olderFirst, type Service, type ServicePort } from "./service.ts";
import type { HealthCheckSpec } from "./specs.ts";
import { trustDomainsOf } from "./trust-domains.ts";

/**
 * What was found by probing endpoints, by `healthKey`: true for healthy, nothing for what nobody has probed. Of the registry, and of no config object:
 * it may change without a revision.
 */
export type EndpointHealth = ReadonlyMap<string, boolean>;

export const noHealth: EndpointHealth = new Map();

/** An address may serve several services, of which each is probed by itself. */
export const healthKey = (service: Pick<Service, "key">, endpoint: Pick<Endpoint, "address" | "port">): string =>
  `${service.key} ${endpoint.address}:${endpoint.port}`;

/** What is known of an endpoint by probes: its own proxy's, and those of HealthChecks; undefined: nobody probes it. */
export const foundOf = (mesh: Mesh, service: Pick<Service, "key">, endpoint: Endpoint): boolean | undefined =>
  endpoint.ready ? (mesh.health.get(healthKey(service, endpoint)) ?? (endpoint.probed ? true : undefined)) : false;

/** Endpoints of a port that are to be probed, all in the same way. */
export interface CheckedPort {
  readonly service: Service;
  readonly port: ServicePort;
  readonly spec: HealthCheckSpec;
  /** Over the mesh's mutual TLS, as requests come: some let nothing else in. */
  readonly mutualTls: { readonly trustDomains: readonly string[] } | undefined;
  readonly endpoints: readonly Endpoint[];
}

/** Of a port that several objects name, the oldest's; an object rules the services of its own namespace. The same array while nothing of it changes. */
export function checkedPorts(mesh: Mesh): readonly CheckedPort[] {
  const objects = mesh.objects.get("HealthCheck") ?? none;
  const trustDomains = trustDomainsOf(mesh);
  const deps = [mesh.services, mesh.endpoints, mesh.peerAuthentications, trustDomains];
  return memo(objects, "checked-ports", deps, () => {
    const found = new Map<string, CheckedPort[]>();
    for (const object of [...objects.values()].sort(olderFirst)) {
      const { metadata } = object;
      const spec = object.spec as HealthCheckSpec;
      const hostname = resolveHost(spec.host, metadata.namespace, mesh.options.domain);
      for (const service of mesh.services.values()) {
        if (service.hostname !== hostname || service.namespace !== metadata.namespace) continue;
        for (const port of service.ports) {
          const key = `${service.key} ${port.port}`;
          if ((spec.port !== undefined && spec.port !== port.port) || found.has(key)) continue;
          const all = mesh.endpoints.get(service.key)?.byPort.get(port.port) ?? [];
          const { mutual = [], plain = [] } = Object.groupBy(all, (it) =>
            takesMutualTls(mesh, it) ? "mutual" : "plain",
          );
          found.set(key, [
            { service, port, spec, mutualTls: { trustDomains }, endpoints: mutual },
            { service, port, spec, mutualTls: undefined, endpoints: plain },
          ]);
        }
      }
    }
    return [...found.values()].flat().filter(({ endpoints }) => endpoints.length > 0);
  });
}

const none: ReadonlyMap<string, ConfigObject> = new Map();
