import { routingOf, setWeights, type VirtualService, versionSubsets } from "../../config/edits/index.ts";
import type { CanarySpec } from "../../config/kinds/index.ts";
import type { ConfigObject } from "../../config/object.ts";
import { CanaryStatus, type RouteRule, type Routing } from "../../contract/index.ts";
import { suggest } from "../../lib/suggest.ts";
import type { ApiContext } from "../api/context.ts";
import type { Edit } from "../api/limpid/edit.ts";
import { type ServiceConfig, serviceConfig, versionsOf } from "../api/limpid/service-config.ts";
import { StatusError } from "../api/status-error.ts";
import type { Route } from "./advance.ts";

export type CanaryObject = ConfigObject<CanarySpec>;

/** What the store has under the kind Canary was checked by the kind's schema when it was written. */
export const canaryOf = (object: ConfigObject<unknown>): CanaryObject => object as CanaryObject;

/** Undefined: none was written, or none that can be read. */
export const statusOf = ({ status }: Pick<CanaryObject, "status">): CanaryStatus | undefined =>
  CanaryStatus.safeParse(status).data;

/** What a canary is about, as it is now. */
export interface Target {
  config: ServiceConfig;
  virtualService: VirtualService | undefined;
  route: Route | string;
}

export const serviceOf = ({ metadata, spec }: Pick<CanaryObject, "metadata" | "spec">) => ({
  namespace: spec.service.namespace ?? metadata.namespace,
  name: spec.service.name,
});

/** Undefined: the registry has no such service. */
export async function targetOf(
  context: Pick<ApiContext, "store" | "services">,
  canary: CanaryObject,
): Promise<Target | undefined> {
  const { namespace, name } = serviceOf(canary);
  const config = await serviceConfig(context, namespace, name).catch((error: unknown) => {
    if (error instanceof StatusError && error.code === 404) return undefined;
    throw error;
  });
  if (config === undefined) return undefined;
  const found = virtualServiceOf(config, canary);
  if (typeof found === "string") return { config, virtualService: undefined, route: found };
  return { config, virtualService: found.object, route: routeOf(config, canary, found.object) };
}

/** Why there is none, or the one that is meant: the mesh's own, or an entrance's. */
function virtualServiceOf(config: ServiceConfig, { metadata, spec }: CanaryObject) {
  const wanted = spec.route?.virtualService;
  if (wanted === undefined) return { object: config.virtualService };
  const [name = "", namespace = metadata.namespace] = wanted.split("/").reverse();
  const others = [...config.entrances, ...config.delegates];
  const all = [config.virtualService, ...others.map(({ virtualService }) => virtualService)];
  const object = all.find((one) => one?.metadata.name === name && one.metadata.namespace === namespace);
  return object ? { object } : `VirtualService ${namespace}/${name} sends nothing to ${config.ref.name}`;
}

function routeOf(
  config: ServiceConfig,
  canary: CanaryObject,
  virtualService: VirtualService | undefined,
): Route | string {
  const { spec } = canary;
  const status = statusOf(canary);
  const routing = routingOf({
    service: config.ref,
    virtualService,
    destinationRule: config.destinationRule,
    versions: versionsOf(config.service),
    proxies: 0,
    entrances: [],
  });
  const from = versionNamed(routing, spec.from, status?.from);
  const to = versionNamed(routing, spec.to, status?.to);
  if (typeof from === "string") return from;
  if (typeof to === "string") return to;
  const rest = routing.rules.find(({ matches }) => matches.length === 0)?.index ?? 0;
  const rule = spec.route?.rule ?? rest;
  const found = routing.rules.find(({ index }) => index === rule);
  if (found === undefined && routing.rules.length > 0) return `the VirtualService has no rule ${rule}`;
  const weights = weightsOf(found, from.subset);
  if (typeof weights === "string") return weights;
  const key = virtualService && {
    namespace: virtualService.metadata.namespace,
    name: virtualService.metadata.name,
  };
  return { virtualService: key, rule, from, to, weights };
}

/** `known`: what it was while it was there. Of a version whose last workload is gone the requests fail, and that has to be seen. */
function versionNamed(
  { versions }: Routing,
  name: string,
  known: CanaryStatus["to"] | undefined,
): CanaryStatus["to"] | string {
  const found = versions.find(({ version }) => version === name) ?? versions.find(({ subset }) => subset === name);
  if (found) return found;
  if (known && (known.version === name || known.subset === name)) return known;
  const others = versions.map(({ version }) => version);
  const near = suggest(name, others);
  return `the service has no version ${name}; ${near ? `did you mean ${near}?` : `it has ${others.join(", ") || "none"}`}`;
}

/** A rule that names no versions sends to all alike: as soon as a canary begins, the others get nothing and the old one everything. */
function weightsOf(rule: RouteRule | undefined, from: string): Record<string, number> | string {
  if (rule?.delegate) {
    const { namespace, name } = rule.delegate;
    return `rule ${rule.index} delegates to VirtualService ${namespace}/${name}: name that as the canary's route`;
  }
  const destinations = rule?.destinations ?? [];
  const other = destinations.find(({ ours }) => !ours);
  if (other) return `rule ${rule?.index} also sends to ${other.host}`;
  if (rule !== undefined && destinations.length === 0) return `rule ${rule.index} redirects or answers by itself`;
  if (destinations.every(({ subset }) => subset === null)) return { [from]: 100 };
  const weights: Record<string, number> = {};
  for (const { subset, weight } of destinations) {
    if (subset === null || subset in weights)
      return `rule ${rule?.index} sends to ${subset ?? "the service"} beside its subsets, or twice`;
    weights[subset] = weight;
  }
  return weights;
}

/** The edit that the slider makes. A text says why it can't be made. */
export function weightEdits(target: Target, weights: Record<string, number>): Edit[] | string {
  const { config, virtualService, route } = target;
  if (typeof route === "string") return route;
  const result = setWeights(virtualService, config.destinationRule, {
    service: config.ref,
    rule: route.rule,
    weights,
    versions: versionSubsets(versionsOf(config.service), config.destinationRule?.spec.subsets ?? []),
    inheritedPolicy: config.inheritedPolicy,
  });
  if (!result.ok) return result.errors.map(({ path, message }) => `${path}: ${message}`).join("; ");
  return result.value.map((after) => ({
    before: (after.kind === "VirtualService" ? virtualService : config.destinationRule) as ConfigObject | undefined,
    after,
  }));
}
