import { describeMatch } from "../../../config/edits/describe.ts";
import { percents } from "../../../config/edits/routing.ts";
import type { HTTPRoute, VirtualServiceSpec } from "../../../config/kinds/index.ts";
import type { ConfigObject, ResourceKey } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import type { ShareChange } from "../../../contract/index.ts";
import type { Mesh } from "../../../model/mesh.ts";
import { countEndpoints, type Facts, factsOf, type GatewayClient, meshWith, viewersOf } from "../warnings/facts.ts";

/** As many as anybody reads. */
const maxShares = 100;

/**
 * Which destinations get more of a rule's requests by the changes, and which less. Rules are paired by what they match; requests of a rule
 * that is new or gone are those of the rule without a match, or, without a VirtualService at all, of the whole service.
 */
export function shareChanges(
  changes: readonly ConfigChange[],
  mesh: Mesh,
  gatewayProxies?: readonly GatewayClient[],
): ShareChange[] {
  const routes = changes.filter(({ key }) => key.kind === "VirtualService");
  if (routes.length === 0) return [];
  const facts = factsOf(meshWith(mesh, changes), gatewayProxies);
  const found: ShareChange[] = [];
  for (const { key, before, after } of routes) {
    const object = after ?? before;
    const [viewer = key.namespace] = object ? viewersOf(object, facts) : [];
    for (const pair of pairs(rulesOf(before, after, facts), rulesOf(after, before, facts))) {
      found.push(...compare(pair, key, viewer, facts));
      if (found.length >= maxShares) return found.slice(0, maxShares);
    }
  }
  return found;
}

/** The HTTP rules; where there is no object, what its absence does: the service gets its own requests. */
function rulesOf(object: ConfigObject | undefined, other: ConfigObject | undefined, facts: Facts): HTTPRoute[] {
  if (object !== undefined) return (object.spec as unknown as VirtualServiceSpec).http ?? [];
  const { hosts = [], gateways } = (other?.spec ?? {}) as unknown as VirtualServiceSpec;
  const [host] = hosts;
  const inMesh = gateways === undefined || gateways.length === 0 || gateways.includes("mesh");
  if (host === undefined || hosts.length > 1 || !inMesh || other === undefined) return [];
  const { namespace } = other.metadata;
  if (facts.covered(facts.resolve(host, namespace), namespace).length === 0) return [];
  return [{ route: [{ destination: { host } }] }];
}

interface Pair {
  index: number;
  before: HTTPRoute;
  after: HTTPRoute;
  matches: string[];
}

function* pairs(before: readonly HTTPRoute[], after: readonly HTTPRoute[]): Generator<Pair> {
  const [old, now] = [byMatch(before), byMatch(after)];
  const rest = (rules: Map<string, { index: number; rule: HTTPRoute }>) => rules.get(everything);
  for (const [match, { index, rule }] of now) {
    const twin = old.get(match) ?? rest(old);
    if (twin) yield { index, before: twin.rule, after: rule, matches: (rule.match ?? []).map(describeMatch) };
  }
  for (const [match, { rule }] of old) {
    const heir = now.has(match) ? undefined : rest(now);
    if (heir)
      yield { index: heir.index, before: rule, after: heir.rule, matches: (rule.match ?? []).map(describeMatch) };
  }
}

const everything = "[]";

/** The first of those that match alike: no request reaches the others. */
function byMatch(rules: readonly HTTPRoute[]): Map<string, { index: number; rule: HTTPRoute }> {
  const found = new Map<string, { index: number; rule: HTTPRoute }>();
  for (const [index, rule] of rules.entries()) {
    const match = JSON.stringify(rule.match ?? []);
    if (!found.has(match)) found.set(match, { index, rule });
  }
  return found;
}

function* compare(pair: Pair, { namespace, name }: ResourceKey, viewer: string, facts: Facts): Generator<ShareChange> {
  const [before, after] = [shares(pair.before, namespace, facts), shares(pair.after, namespace, facts)];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [from, to] = [before.get(key) ?? 0, after.get(key) ?? 0];
    if (from === to) continue;
    const [hostname = "", subset = ""] = key.split("|");
    yield {
      virtualService: `${namespace}/${name}`,
      rule: pair.index,
      matches: pair.matches,
      hostname,
      subset: subset || null,
      before: from,
      after: to,
      endpoints: countEndpoints(facts, hostname, subset || undefined, viewer),
    };
  }
}

/** Percents by `<hostname>|<subset>`. A lone destination gets everything, whatever its weight says. */
function shares({ route = [] }: HTTPRoute, namespace: string, facts: Facts): Map<string, number> {
  const whole = percents(route.length === 1 ? [1] : route.map(({ weight = 0 }) => weight));
  const found = new Map<string, number>();
  for (const [index, { destination }] of route.entries()) {
    const key = `${facts.resolve(destination.host, namespace)}|${destination.subset ?? ""}`;
    found.set(key, (found.get(key) ?? 0) + (whole[index] ?? 0));
  }
  return found;
}
