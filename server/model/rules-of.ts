import type { ConfigObject } from "../config/object.ts";
import { type DestinationRuleIndex, findDestinationRule } from "./destination-rules.ts";
import type { Mesh, MeshOptions } from "./mesh.ts";
import { findVirtualServices, type VirtualServiceIndex } from "./virtual-services.ts";

/** What of a mesh says which rules are in force. */
export interface Rules {
  readonly virtualServices: VirtualServiceIndex;
  readonly destinationRules: DestinationRuleIndex;
  readonly options: Pick<MeshOptions, "rootNamespace">;
}

export interface RulesInForce {
  virtualService: ConfigObject | undefined;
  /** Of several that are merged the oldest. */
  destinationRule: ConfigObject | undefined;
}

/**
 * The objects that rule calls to a service of clients in `viewer`'s namespace, by HTTP where there are HTTP rules: the very ones that
 * translation follows. Either may be for a wildcard.
 */
export function rulesOf(
  { virtualServices, destinationRules, options }: Rules | Mesh,
  service: { hostname: string; namespace: string },
  viewer: string = service.namespace,
): RulesInForce {
  const candidates = findVirtualServices(virtualServices, service.hostname, viewer);
  const virtualService = candidates.find(({ http }) => http.length > 0) ?? candidates[0];
  const { hostname, namespace } = service;
  const rule = findDestinationRule(destinationRules, hostname, namespace, viewer, options.rootNamespace);
  return { virtualService: virtualService?.source, destinationRule: rule?.sources[0] };
}
