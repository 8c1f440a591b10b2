import { memo } from "../lib/memo.ts";
import type { Mesh } from "../model/mesh.ts";
import { type GuardedWorkload, targetKeysOf } from "../model/policy-attachment.ts";
import type { MeshProxy } from "../model/proxy.ts";

/** By which targets of policies name the services at an address and port. */
export const servicesAt = (mesh: Mesh, address: string, port: number): readonly string[] =>
  targets(mesh).get(`${address} ${port}`) ?? [];

/** The workload of a proxy, as what is for whole proxies sees it: by the services of all its ports. */
export const workloadOf = (mesh: Mesh, { namespace, labels, type, ip }: MeshProxy): GuardedWorkload => ({
  namespace,
  labels,
  isGateway: type === "router",
  services: targets(mesh).get(ip) ?? [],
});

const targets = (mesh: Mesh): ReadonlyMap<string, readonly string[]> =>
  memo(mesh.endpoints, "targets at", [mesh.services], () => {
    const found = new Map<string, string[]>();
    for (const service of mesh.services.values()) {
      for (const endpoint of [...(mesh.endpoints.get(service.key)?.byPort.values() ?? [])].flat()) {
        for (const key of [`${endpoint.address} ${endpoint.port}`, endpoint.address])
          found.set(key, [...new Set([...(found.get(key) ?? []), ...targetKeysOf(service)])]);
      }
    }
    return found;
  });
