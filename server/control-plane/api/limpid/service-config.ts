import {
  type DestinationRule,
  type EntranceRules,
  entrancesOf,
  isHostOf,
  type ServiceRef,
  type VirtualService,
} from "../../../config/edits/index.ts";
import type { ConfigObject } from "../../../config/object.ts";
import { findService, type MeshService } from "../../../contract/index.ts";
import type { ApiContext } from "../context.ts";
import { StatusError } from "../status-error.ts";

/** A service of the registry with the objects that rule its traffic inside the mesh. */
export interface ServiceConfig {
  service: MeshService;
  ref: ServiceRef;
  virtualService: VirtualService | undefined;
  destinationRule: DestinationRule | undefined;
  /** Where it is entered from outside of the mesh. */
  entrances: EntranceRules[];
}

/** By hostname, or by the name of its resource. Throws 404 when the registry has no such service. */
export async function serviceConfig(context: ApiContext, namespace: string, name: string): Promise<ServiceConfig> {
  const services = await context.services();
  const service = findService(services, namespace, name);
  if (service === undefined) throw new StatusError(404, "NotFound", `there is no service ${name} in ${namespace}`);
  const ref: ServiceRef = { namespace, name: objectName(services, service), hostname: service.hostname };
  const [virtualServices, destinationRules] = await Promise.all([
    context.store.list({ kind: "VirtualService" }),
    context.store.list({ kind: "DestinationRule" }),
  ]);
  const virtualService = pick(virtualServices.items as VirtualService[], ref, ({ spec, metadata }) =>
    inMesh(spec.gateways) ? spec.hosts.some((host) => isHostOf(host, metadata.namespace, ref)) : false,
  );
  return {
    service,
    ref,
    virtualService,
    entrances: entrancesOf(virtualServices.items as VirtualService[], ref, virtualService),
    destinationRule: pick(destinationRules.items as DestinationRule[], ref, ({ spec, metadata }) =>
      isHostOf(spec.host, metadata.namespace, ref),
    ),
  };
}

/**
 * What a rule that is made for it is called: like its resource, unless that stands for several hosts or is called like another one; then
 * like its host, of which there is one.
 */
function objectName(services: readonly MeshService[], { namespace, name, hostname }: MeshService): string {
  const namesakes = services.filter((other) => other.namespace === namespace && other.name === name);
  const isKubernetes = hostname.startsWith(`${name}.${namespace}.svc.`);
  return namesakes.length === 1 || isKubernetes ? name : hostname.replace(/^\*\./, "any.");
}

/** Rules without gateways are the mesh's. https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService */
const inMesh = (gateways: readonly string[] | undefined): boolean =>
  gateways === undefined || gateways.length === 0 || gateways.includes("mesh");

/** Of several, the service's own namespace comes first, then the oldest, as in Istio. */
function pick<O extends ConfigObject<unknown>>(
  objects: readonly O[],
  ref: ServiceRef,
  isFor: (object: O) => boolean,
): O | undefined {
  const isForeign = (object: O): number => (object.metadata.namespace === ref.namespace ? 0 : 1);
  const age = (object: O): string => `${object.metadata.creationTimestamp ?? ""} ${object.metadata.name}`;
  return objects.filter(isFor).sort((a, b) => isForeign(a) - isForeign(b) || (age(a) < age(b) ? -1 : 1))[0];
}

/** The versions that its workloads have. */
export const versionsOf = (service: MeshService): string[] => service.versions.map((version) => version.version);
