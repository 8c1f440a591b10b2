import { memo } from "../lib/memo.ts";
import { parseSpiffeUri, spiffeUri } from "../lib/spiffe.ts";
import { compare } from "../model/hostname.ts";
import type { Mesh } from "../model/mesh.ts";
import { partsOf, type Service } from "../model/service.ts";
import type { ServiceEntrySpec } from "../model/specs.ts";
import { trustDomainsOf } from "../model/trust-domains.ts";

/**
 * Names that a service's certificates have: those that its ServiceEntry says, else (with certificates of the mesh) the SPIFFE ids of its
 * workloads, sorted; ids of the mesh in each of its trust domains. None when there is a workload whose service account is not known. https://istio.io/latest/docs/concepts/security/#secure-naming
 */
export function subjectAltNamesOf(mesh: Mesh, service: Service, ofMesh: boolean): readonly string[] {
  const declared = declaredNames(mesh, service);
  if (declared.length > 0) return declared;
  const endpoints = mesh.endpoints.get(service.key);
  if (!ofMesh || !endpoints) return none;
  const trustDomains = trustDomainsOf(mesh);
  return memo(endpoints, "identities", [trustDomains], () => {
    const workloads = [...endpoints.byPort.values()].flat().map(({ workload }) => workload);
    if (workloads.some(({ serviceAccount }) => serviceAccount === "")) return none;
    const ids = new Set(
      workloads.flatMap(({ namespace, serviceAccount }) =>
        trustDomains.map((trustDomain) => spiffeUri({ trustDomain, namespace, serviceAccount })),
      ),
    );
    return [...ids].sort(compare);
  });
}

const declaredNames = (mesh: Mesh, service: Service): readonly string[] => {
  const trustDomains = trustDomainsOf(mesh);
  return memo(service, "subject-alt-names", [trustDomains], () => {
    const entries = partsOf(service).filter(({ kind }) => kind === "ServiceEntry");
    const names = entries.flatMap(({ source }) => (source.spec as unknown as ServiceEntrySpec).subjectAltNames ?? []);
    return [...new Set(names.flatMap((name) => inEach(name, trustDomains)))];
  });
};

/** An id of one of the trust domains in all of them; any other name as it is. */
function inEach(name: string, trustDomains: readonly string[]): readonly string[] {
  const id = parseSpiffeUri(name);
  if (!id || !trustDomains.includes(id.trustDomain)) return [name];
  return trustDomains.map((trustDomain) => spiffeUri({ ...id, trustDomain }));
}

const none: readonly string[] = [];
