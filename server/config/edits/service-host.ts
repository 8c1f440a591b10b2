import type { RuleLayer } from "../../contract/index.ts";
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
  /** What a rule that is made for it is called, where its own name is taken by a rule for something else. */
  ruleNames?: { virtualService: string; destinationRule: string };
  /** Which rules its calls meet; left out: `http`. */
  layer?: RuleLayer;
}

/** Where a VirtualService is in force: `mesh` for all sidecars, else gateways as `<namespace>/<name>`. */
export function throughOf({ metadata, spec }: Pick<VirtualService, "metadata" | "spec">): string[] {
  if (!spec.gateways?.length) return ["mesh"];
  return spec.gateways.map((name) => gatewayKey(name, metadata.namespace));
}

/** `<name>` is of the own namespace, `<namespace>/<name>` of any. https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService-gateways */
function gatewayKey(name: string, namespace: string): string {
  if (name === "mesh") return name;
  if (name.includes("/")) return name.startsWith("./") ? `${namespace}${name.slice(1)}` : name;
  const [gateway, other] = name.split("."); // with dots: `<name>.<namespace>[.svc…]`
  return other ? `${other}/${gateway}` : `${namespace}/${name}`;
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
