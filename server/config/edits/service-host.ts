import type { DestinationRuleSpec, VirtualServiceSpec } from "../kinds/index.ts";
import type { ConfigObject } from "../object.ts";

export type VirtualService = ConfigObject<VirtualServiceSpec>;
export type DestinationRule = ConfigObject<DestinationRuleSpec>;

/** A service as the mesh model names it. */
export interface ServiceRef {
  namespace: string;
  name: string;
  /** Fully qualified: `reviews.default.svc.cluster.local`, or a ServiceEntry's host. */
  hostname: string;
}

/** How a VirtualService in the service's own namespace calls it: short, unless it is no Kubernetes service. */
export const shortHost = (service: ServiceRef): string =>
  service.hostname.startsWith(`${service.name}.${service.namespace}.svc.`) ? service.name : service.hostname;

/** Whether `host`, written in an object of `namespace`, stands for the service. */
export function isHostOf(host: string, namespace: string, service: ServiceRef): boolean {
  if (host === service.hostname) return true;
  const { name, namespace: own } = service;
  if (shortHost(service) !== name) return false;
  return (host === name && namespace === own) || host === `${name}.${own}` || host === `${name}.${own}.svc`;
}
