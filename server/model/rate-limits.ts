import type { RateLimitConfigSpec } from "../config/kinds/index.ts";
import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import { resolveHost } from "./hostname.ts";
import type { Mesh } from "./mesh.ts";
import { isHttpOrAuto } from "./protocol.ts";
import { olderFirst, type Service } from "./service.ts";
import type { RateLimitSpec } from "./specs.ts";

/** The limits of a port of a service; the same object while they are. */
export interface PortLimits {
  readonly hostname: string;
  readonly port: number;
  readonly spec: RateLimitSpec;
}

/** By `<service key> <port>`. Of a port that several objects name, the oldest's; an object limits the services of its own namespace. */
export function portLimits(mesh: Mesh): ReadonlyMap<string, PortLimits> {
  const objects = mesh.objects.get("RateLimit") ?? none;
  return memo(objects, "port-limits", [mesh.services], () => {
    const found = new Map<string, PortLimits>();
    for (const object of [...objects.values()].sort(olderFirst)) {
      const { namespace } = object.metadata;
      const spec = object.spec as RateLimitSpec;
      const hostname = resolveHost(spec.host, namespace, mesh.options.domain);
      for (const service of mesh.services.values()) {
        if (service.hostname !== hostname || service.namespace !== namespace) continue;
        for (const { port, protocol } of service.ports) {
          const key = limitKey(service, port);
          if (!isHttpOrAuto(protocol) || (spec.port !== undefined && spec.port !== port) || found.has(key)) continue;
          found.set(
            key,
            memo(object, `limits ${key}`, [], () => ({ hostname, port, spec })),
          );
        }
      }
    }
    return found;
  });
}

export const limitKey = (service: Pick<Service, "key">, port: number): string => `${service.key} ${port}`;

/** The domain of the rate limit service in which services' own limits stand. */
export const serviceDomain = "limpid.services";
/** The first entry of their descriptors, with the service's `<hostname>:<port>`. */
export const serviceEntry = "service";

export const entryOf = (key: NonNullable<NonNullable<RateLimitSpec["global"]>["by"]>[number]): string =>
  key.header === undefined ? "remote_address" : key.header.toLowerCase();

/** What the rate limit service has to know of global limits. */
export const serviceLimits = (mesh: Mesh): RateLimitConfigSpec =>
  memo(portLimits(mesh), "service-limits", [], () => ({
    domain: serviceDomain,
    descriptors: [...portLimits(mesh).values()].flatMap(({ hostname, port, spec: { global } }) => {
      if (!global) return [];
      type Descriptor = RateLimitConfigSpec["descriptors"][number];
      const rate_limit = { unit: global.unit, requests_per_unit: global.requests };
      const keys = [
        { key: serviceEntry, value: `${hostname}:${port}` },
        ...(global.by ?? []).map((it) => ({ key: entryOf(it) })),
      ];
      return [
        keys.reduceRight<Descriptor | undefined>(
          (inner, key) => (inner ? { ...key, descriptors: [inner] } : { ...key, rate_limit }),
          undefined,
        ) as Descriptor,
      ];
    }),
  }));

const none: ReadonlyMap<string, ConfigObject> = new Map();
