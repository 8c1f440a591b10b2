import { memo } from "../lib/memo.ts";
import { spiffeUri } from "../lib/spiffe.ts";
import { compare } from "../model/hostname.ts";
import type { Mesh } from "../model/mesh.ts";
import type { Service } from "../model/service.ts";
import type { ServiceEntrySpec } from "../model/specs.ts";

/**
 * Names that a service's certificates have: those that its ServiceEntry says, else (with certificates of the mesh) the SPIFFE ids of its
 * workloads, sorted. None when there is a workload whose service account is not known. https://istio.io/latest/docs/concepts/security/#secure-naming
 */
export function subjectAltNamesOf(mesh: Mesh, service: Service, ofMesh: boolean): readonly string[] {
  const declared =
    service.kind === "ServiceEntry" ? (service.source.spec as unknown as ServiceEntrySpec).subjectAltNames : undefined;
  if (declared?.length) return declared;
  const endpoints = mesh.endpoints.get(service.hostname);
  if (!ofMesh || !endpoints) return none;
  const { trustDomain } = mesh.options;
  return memo(endpoints, "identities", [trustDomain], () => {
    const workloads = [...endpoints.byPort.values()].flat().map(({ workload }) => workload);
    if (workloads.some(({ serviceAccount }) => serviceAccount === "")) return none;
    const ids = new Set(
      workloads.map(({ namespace, serviceAccount }) => spiffeUri({ trustDomain, namespace, serviceAccount })),
    );
    return [...ids].sort(compare);
  });
}

const none: readonly string[] = [];
