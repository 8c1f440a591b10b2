import { isHostOf, type ServiceRef, throughOf, type VirtualService } from "./service-host.ts";

/** A VirtualService by which a service is entered from outside of the mesh. */
export interface EntranceRules {
  virtualService: VirtualService;
  /** Gateways that it is in force at, as `<namespace>/<name>`; never `mesh`. */
  gateways: string[];
  /** Indexes into `spec.http` of the rules that send to the service. */
  rules: number[];
}

/** Of the VirtualServices those of gateways that send requests to the service, but for the one that rules it inside of the mesh. */
export function entrancesOf(
  virtualServices: readonly VirtualService[],
  service: ServiceRef,
  inMesh: VirtualService | undefined,
): EntranceRules[] {
  return virtualServices.flatMap((virtualService) => {
    const gateways = throughOf(virtualService).filter((name) => name !== "mesh");
    if (gateways.length === 0 || virtualService === inMesh) return [];
    const { namespace } = virtualService.metadata;
    const rules = (virtualService.spec.http ?? []).flatMap(({ route = [] }, index) =>
      route.some(({ destination }) => isHostOf(destination.host, namespace, service)) ? [index] : [],
    );
    return rules.length > 0 ? [{ virtualService, gateways, rules }] : [];
  });
}

/** Whether a rule of it sends to the service alone, so that it can have a fault that hits nobody else. */
export const hasOwnRule = ({ virtualService, rules }: EntranceRules, service: ServiceRef): boolean =>
  rules.some((index) =>
    virtualService.spec.http?.[index]?.route?.every(({ destination }) =>
      isHostOf(destination.host, virtualService.metadata.namespace, service),
    ),
  );
