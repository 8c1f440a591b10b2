import { isHostOf, type ServiceRef, type VirtualService } from "./service-host.ts";

/** An object whose rules requests meet: a VirtualService, or a delegate in the name of others. */
export interface PlacedRules {
  virtualService: VirtualService;
  /** What clients call to meet them. */
  hosts: readonly string[];
  /** Where they are met: `mesh`, and gateways as `<namespace>/<name>`. */
  through: readonly string[];
  /** Those that delegate to it; none: it has hosts of its own. */
  roots: readonly VirtualService[];
  /** Indexes into `spec.http` of the rules that are in force. */
  rules: readonly number[];
}

/** A VirtualService by which a service is entered from outside of the mesh. */
export interface EntranceRules extends PlacedRules {
  /** Gateways that it is in force at, as `<namespace>/<name>`; never `mesh`. */
  gateways: string[];
  /** Of the rules those that send to the service. */
  rules: number[];
}

/** Of the VirtualServices those of gateways that send requests to the service, but for the one that rules it inside of the mesh. */
export function entrancesOf(
  placed: readonly PlacedRules[],
  service: ServiceRef,
  inMesh: VirtualService | undefined,
): EntranceRules[] {
  return placed.flatMap((one) => {
    const { virtualService, through } = one;
    const gateways = through.filter((name) => name !== "mesh");
    if (gateways.length === 0 || virtualService === inMesh) return [];
    const { namespace } = virtualService.metadata;
    const rules = one.rules.filter((index) =>
      virtualService.spec.http?.[index]?.route?.some(({ destination }) =>
        isHostOf(destination.host, namespace, service),
      ),
    );
    return rules.length > 0 ? [{ ...one, gateways, rules }] : [];
  });
}

/** Whether a rule of it sends to the service alone, so that it can have a fault that hits nobody else. */
export const hasOwnRule = ({ virtualService, rules }: EntranceRules, service: ServiceRef): boolean =>
  rules.some((index) =>
    virtualService.spec.http?.[index]?.route?.every(({ destination }) =>
      isHostOf(destination.host, virtualService.metadata.namespace, service),
    ),
  );
