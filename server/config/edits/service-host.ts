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

/** Which hosts and gateways the rules of each object are met at: a delegate's at those of the ones that delegate to it. */
export function reachOf(
  all: readonly VirtualService[],
): (object: VirtualService) => { hosts: string[]; through: string[] } {
  const roots = new Map<string, VirtualService[]>();
  for (const root of all) {
    for (const { delegate } of root.spec.http ?? []) {
      if (delegate === undefined) continue;
      const key = `${delegate.namespace || root.metadata.namespace}/${delegate.name}`;
      roots.set(key, [...(roots.get(key) ?? []), root]);
    }
  }
  return (object) => {
    const { metadata, spec } = object;
    if (spec.hosts?.length) return { hosts: spec.hosts, through: throughOf(object) };
    const own = [...new Set(roots.get(`${metadata.namespace}/${metadata.name}`))];
    const hosts = [...new Set(own.flatMap((root) => root.spec.hosts ?? []))];
    return { hosts, through: [...new Set(own.flatMap(throughOf))] };
  };
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
