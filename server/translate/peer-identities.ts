import { memo } from "../lib/memo.ts";
import { spiffeUri } from "../lib/spiffe.ts";
import { compare } from "../model/hostname.ts";
import type { Mesh } from "../model/mesh.ts";
import { partsOf, type Service } from "../model/service.ts";
import type { ServiceEntrySpec } from "../model/specs.ts";

/**
 * Names that a service's certificates have: those that its ServiceEntry says, else (with certificates of the mesh) the SPIFFE ids of its
 * workloads, sorted. None when there is a workload whose service account is not known. https://istio.io/latest/docs/concepts/security/#secure-naming
 */
export function subjectAltNamesOf(mesh: Mesh, service: Service, ofMesh: boolean): readonly string[] {
  const declared = declaredNames(service);
  if (declared.length > 0) return declared;
  const endpoints = mesh.endpoints.get(service.key);
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

const declaredNames = (service: Service): readonly string[] =>
  memo(service, "subject-alt-names", [], () => {
    const entries = partsOf(service).filter(({ kind }) => kind === "ServiceEntry");
    const names = entries.flatMap(({ source }) => (source.spec as unknown as ServiceEntrySpec).subjectAltNames ?? []);
    return [...new Set(names)];
  });

const none: readonly string[] = [];
