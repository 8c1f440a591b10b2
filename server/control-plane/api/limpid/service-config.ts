import {
  type DestinationRule,
  type EntranceRules,
  entrancesOf,
  type PlacedRules,
  type ServiceRef,
  type VirtualService,
} from "../../../config/edits/index.ts";
import type { TrafficPolicy, VirtualServiceSpec } from "../../../config/kinds/index.ts";
import { withoutZeroValues } from "../../../config/kinds/zero-values.ts";
import type { ConfigObject } from "../../../config/object.ts";
import { findService, type MeshService, ruleLayerOf, told } from "../../../contract/index.ts";
import { indexDestinationRules } from "../../../model/destination-rules.ts";
import { isWildcard } from "../../../model/hostname.ts";
import { defaultMeshOptions } from "../../../model/mesh.ts";
import { rulesOf } from "../../../model/rules-of.ts";
import { type VirtualService as InForce, originOf, writtenIn } from "../../../model/virtual-service.ts";
import { routingOf } from "../../../model/virtual-services.ts";
import type { ApiContext } from "../context.ts";
import { saidError } from "../status-error.ts";

/** A service of the registry with the objects that rule its traffic inside the mesh, for clients of its own namespace. */
export interface ServiceConfig {
  service: MeshService;
  ref: ServiceRef;
  virtualService: VirtualService | undefined;
  destinationRule: DestinationRule | undefined;
  /** Where it is entered from outside of the mesh. */
  entrances: EntranceRules[];
  /** To which its VirtualService delegates. */
  delegates: PlacedRules[];
  /** Of a rule for many hosts that rules it, as it has none of its own. */
  inheritedPolicy: TrafficPolicy | undefined;
}

/** By hostname, or by the name of its resource. Throws 404 when the registry has no such service. */
export async function serviceConfig(
  context: Pick<ApiContext, "store" | "services">,
  namespace: string,
  name: string,
): Promise<ServiceConfig> {
  const services = await context.services();
  const service = findService(services, namespace, name);
  if (service === undefined) throw saidError(404, "NotFound", told("no-service", { name, namespace }));
  const [virtualServices, destinationRules] = await Promise.all([
    context.store.list({ kind: "VirtualService" }),
    context.store.list({ kind: "DestinationRule" }),
  ]);
  const called = objectName(services, service);
  const ref: ServiceRef = {
    namespace,
    name: called,
    hostname: service.hostname,
    layer: ruleLayerOf(service),
    ruleNames: {
      virtualService: freeName(called, namespace, virtualServices.items),
      destinationRule: freeName(called, namespace, destinationRules.items),
    },
  };
  const { domain, rootNamespace } = defaultMeshOptions;
  const routing = routingOf(
    new Map(
      virtualServices.items
        .map(withoutZeroValues)
        .map((object) => [`${object.metadata.namespace}/${object.metadata.name}`, object]),
    ),
    domain,
  );
  const rules = rulesOf(
    {
      virtualServices: routing,
      destinationRules: indexDestinationRules(destinationRules.items.map(withoutZeroValues), domain),
      options: { rootNamespace },
    },
    service,
  );
  const destinationRule = rules.destinationRule as unknown as DestinationRule | undefined;
  // Subsets of a service are no affair of a rule for many.
  const isShared = destinationRule !== undefined && isWildcard(destinationRule.spec.host);
  const virtualService = rules.virtualService as unknown as VirtualService | undefined;
  const placed = placedRules(routing.all);
  return {
    service,
    ref,
    virtualService,
    entrances: entrancesOf(placed, ref, virtualService),
    delegates: placed.filter(({ roots }) => roots.some((root) => root === virtualService)),
    destinationRule: isShared ? undefined : destinationRule,
    inheritedPolicy: isShared ? destinationRule.spec.trafficPolicy : undefined,
  };
}

/** Each object whose rules are in force, with where that is: a delegate's wherever its roots are, and no more of them than these let through. */
function placedRules(all: readonly InForce[]): PlacedRules[] {
  const places = all.flatMap((virtualService) =>
    [...writtenIn(virtualService)].map((source) => ({ virtualService, source })),
  );
  return [...Map.groupBy(places, ({ source }) => source)].map(([source, own]) => {
    const by = own.map(({ virtualService }) => virtualService);
    const rules = by.flatMap((it) =>
      it.http.flatMap((_, place) => {
        const origin = originOf(it, place);
        return origin.source === source ? [origin.index] : [];
      }),
    );
    return {
      virtualService: source as unknown as VirtualService,
      hosts: [...new Set(by.flatMap((it) => writtenHosts(it.source)))],
      through: [...new Set(by.flatMap((it) => it.gateways))],
      roots: by.filter((it) => it.source !== source).map((it) => it.source as unknown as VirtualService),
      rules: [...new Set(rules)].sort((a, b) => a - b),
    };
  });
}

const writtenHosts = ({ spec }: ConfigObject): string[] => (spec as unknown as VirtualServiceSpec).hosts ?? [];

/**
 * What a rule that is made for it is called: like its resource, unless that stands for several hosts or is called like another one; then
 * like its host, of which there is one.
 */
function objectName(services: readonly MeshService[], { namespace, name, hostname }: MeshService): string {
  const namesakes = services.filter((other) => other.namespace === namespace && other.name === name);
  const isKubernetes = hostname.startsWith(`${name}.${namespace}.svc.`);
  return namesakes.length === 1 || isKubernetes ? name : hostname.replace(/^\*\./, "any.");
}

/** A rule of a gateway is often called like the service that it leads to. */
function freeName(wanted: string, namespace: string, taken: readonly ConfigObject[]): string {
  const names = new Set(
    taken.filter(({ metadata }) => metadata.namespace === namespace).map(({ metadata }) => metadata.name),
  );
  const others = [wanted, `${wanted}-mesh`, ...Array.from({ length: 98 }, (_, index) => `${wanted}-mesh-${index + 2}`)];
  return others.find((name) => !names.has(name)) ?? wanted;
}

/** The versions that its workloads have. */
export const versionsOf = (service: MeshService): string[] => service.versions.map((version) => version.version);
