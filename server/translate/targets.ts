import { memo } from "../lib/memo.ts";
import type { Mesh } from "../model/mesh.ts";
import { targetKeysOf } from "../model/policy-attachment.ts";

/** By which targets of policies name the services at an address and port. */
export const servicesAt = (mesh: Mesh, address: string, port: number): readonly string[] =>
  targets(mesh).get(`${address} ${port}`) ?? [];

/** As `servicesAt`, of all ports of an address. */
export const servicesOf = (mesh: Mesh, address: string): readonly string[] => targets(mesh).get(address) ?? [];

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
