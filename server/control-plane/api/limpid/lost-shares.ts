import { type ConfigObject, formatKey, keyOf } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import type { ShareChange } from "../../../contract/index.ts";
import { matchesLabels } from "../../../model/labels.ts";
import { gatewayName, meshGateway, writtenIn } from "../../../model/virtual-service.ts";
import { countEndpoints, type Facts, viewersOf } from "../warnings/facts.ts";
import { inForce } from "./in-force.ts";
import { limitsOf, lists, placeOf, rulesOf, sharesOf } from "./rule-shares.ts";

/** Kinds that services and their endpoints are made of. */
const registry = new Set(["Service", "ServiceEntry", "WorkloadEntry", "Namespace"]);

/**
 * What stays as it is written and loses who takes its requests, by a change of what it leans on: a subset, the service, its endpoints, the
 * gateway by which it is entered.
 */
export function* lostShares(changes: readonly ConfigChange[], before: Facts, after: Facts): Generator<ShareChange> {
  const written = new Set(changes.map(({ key }) => formatKey(key)));
  const routed = new Set<string>();
  for (const virtualService of after.mesh.virtualServices.all) {
    if ([...writtenIn(virtualService)].some((object) => written.has(formatKey(keyOf(object))))) continue; // it is told by itself
    const route = inForce(virtualService);
    yield* lostGateways(route, before, after);
    for (const share of lostDestinations(route, before, after)) {
      routed.add(share.hostname);
      yield share;
    }
  }
  if (changes.some(({ key }) => registry.has(key.kind))) yield* lostServices(before, after, routed);
}

function* lostDestinations(object: ConfigObject, before: Facts, after: Facts): Generator<ShareChange> {
  const { namespace, name } = object.metadata;
  const [viewer = namespace] = viewersOf(object, after);
  for (const list of lists) {
    for (const [rule, one] of rulesOf(object, list).entries()) {
      for (const [key, share] of sharesOf(one, namespace, after)) {
        const [hostname = "", subset = ""] = key.split("|");
        const count = (facts: Facts) => countEndpoints(facts, hostname, subset || undefined, viewer);
        if (share === 0 || count(after) > 0 || count(before) === 0) continue;
        yield {
          ...placeOf(one, { namespace, name }, rule),
          list,
          ...limitsOf(one, list),
          hostname,
          subset: subset || null,
          before: share,
          after: share,
          endpoints: 0,
          lost: "endpoints",
        };
      }
    }
  }
}

/** Of gateways that a connected proxy serves: of any other nothing was taken in the first place. */
function* lostGateways({ metadata, spec }: ConfigObject, before: Facts, after: Facts): Generator<ShareChange> {
  const { gateways = [] } = spec as { gateways?: string[] };
  for (const name of gateways) {
    if (name === meshGateway) continue;
    const key = gatewayName(name, metadata.namespace);
    if (isServed(key, after) || !isServed(key, before)) continue;
    yield { ...whole(key), virtualService: `${metadata.namespace}/${metadata.name}`, lost: "gateway" };
  }
}

function isServed(key: string, facts: Facts): boolean {
  const gateway = facts.gateway(key);
  if (gateway === undefined) return false;
  const { gatewayProxies } = facts;
  return gatewayProxies === undefined || gatewayProxies.some(({ labels }) => matchesLabels(gateway.selector, labels));
}

/** Services that had endpoints and have none; those that rules send to are told with the rules. */
function* lostServices(before: Facts, after: Facts, routed: ReadonlySet<string>): Generator<ShareChange> {
  for (const { hostname, namespace } of before.mesh.services.values()) {
    if (routed.has(hostname) || countEndpoints(before, hostname, undefined, namespace) === 0) continue;
    if (countEndpoints(after, hostname, undefined, namespace) > 0) continue;
    yield { ...whole(hostname), virtualService: "", lost: "service" };
  }
}

const whole = (hostname: string): Omit<ShareChange, "virtualService" | "lost"> => ({
  list: "http",
  rule: 0,
  matches: [],
  hostname,
  subset: null,
  before: 100,
  after: 100,
  endpoints: 0,
});
