import type { ConfigObject, ResourceKey } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import type { ShareChange } from "../../../contract/index.ts";
import type { Mesh } from "../../../model/mesh.ts";
import { gatewayName, meshGateway } from "../../../model/virtual-services.ts";
import { takesAway } from "../warnings/dependents.ts";
import {
  countEndpoints,
  type Facts,
  factsOf,
  type GatewayClient,
  meshWith,
  meshWithout,
  viewersOf,
} from "../warnings/facts.ts";
import { followedInstead } from "../warnings/rivals.ts";
import { lostShares } from "./lost-shares.ts";
import { limitsOf, lists, type Rule, rulesOf, sharesOf } from "./rule-shares.ts";

/** As many as anybody reads. */
const maxShares = 100;

/**
 * Which destinations get more of a rule's requests by the changes, and which less; and which keep their share and lose everybody who would
 * take it. Rules are paired by what they match; requests of a rule that is new or gone are those of the rule without a match, or,
 * without a VirtualService at all, of the whole service.
 */
export function shareChanges(
  changes: readonly ConfigChange[],
  mesh: Mesh,
  gatewayProxies?: readonly GatewayClient[],
): ShareChange[] {
  const found: ShareChange[] = [];
  for (const share of allChanges(changes, mesh, gatewayProxies)) {
    found.push(share);
    if (found.length === maxShares) break;
  }
  return found;
}

function* allChanges(
  changes: readonly ConfigChange[],
  mesh: Mesh,
  gatewayProxies: readonly GatewayClient[] | undefined,
): Generator<ShareChange> {
  const routes = changes.filter(({ key }) => key.kind === "VirtualService");
  const takes = changes.some(takesAway);
  if (routes.length === 0 && !takes) return;
  const mine = meshWith(mesh, changes);
  const facts = factsOf(mine, gatewayProxies);
  // Where one comes or goes, another may have been followed before.
  const comeOrGo = routes.some(({ type }) => type !== "MODIFIED");
  const earlier = takes || comeOrGo ? factsOf(meshWithout(mine, changes), gatewayProxies) : facts;
  for (const change of routes) yield* changesOf(change, facts, earlier);
  if (takes) yield* lostShares(changes, earlier, facts);
}

function* changesOf({ key, before, after }: ConfigChange, facts: Facts, earlier: Facts): Generator<ShareChange> {
  const object = after ?? before;
  const [viewer = key.namespace] = object ? viewersOf(object, facts) : [];
  for (const list of lists) {
    const [old, now] = [rulesHeld(list, before, after, earlier), rulesHeld(list, after, before, facts)];
    for (const pair of pairs(old, now)) yield* compare(pair, { list, key, viewer }, facts, earlier);
    if (object && !(after === undefined && isTaken(object, facts)))
      yield* orphans(old, now, { list, key, viewer }, facts);
  }
}

/** Requests of rules that are gone and that no other rule takes: 404, at gateways and in the mesh alike. */
function* orphans(
  before: readonly Rule[],
  now: readonly Rule[],
  { list, key: { namespace, name }, viewer }: Where,
  facts: Facts,
): Generator<ShareChange> {
  const left = byMatch(now);
  for (const [match, { index, rule }] of byMatch(before)) {
    if (left.has(match) || left.has(everything)) continue;
    for (const [key, share] of sharesOf(rule, namespace, facts)) {
      const [hostname = "", subset = ""] = key.split("|");
      if (share === 0 || countEndpoints(facts, hostname, subset || undefined, viewer) === 0) continue;
      const where = { virtualService: `${namespace}/${name}`, list, rule: index, ...limitsOf(rule, list) };
      yield { ...where, hostname, subset: subset || null, before: share, after: 0, endpoints: 0, lost: "route" };
    }
  }
}

/** Whether another VirtualService takes the requests of one that goes: for the same host, where that one was in force. */
function isTaken({ metadata, spec }: ConfigObject, facts: Facts): boolean {
  const { hosts = [], gateways = [] } = spec as { hosts?: string[]; gateways?: string[] };
  const keys = new Set(gateways.map((name) => gatewayKey(name, metadata.namespace)));
  return [...facts.objects("VirtualService")].some((other) => {
    const theirs = other.spec as { hosts?: string[]; gateways?: string[] };
    const { namespace } = other.metadata;
    const isThere = (theirs.gateways ?? []).some((name) => keys.has(gatewayKey(name, namespace)));
    const names = new Set(hosts.map((host) => facts.resolve(host, metadata.namespace)));
    return isThere && (theirs.hosts ?? []).some((host) => names.has(facts.resolve(host, namespace)));
  });
}

const gatewayKey = (name: string, namespace: string): string =>
  name === meshGateway ? name : gatewayName(name, namespace);

/** The rules that requests meet; where there is no object, what its absence does: the service gets its own requests. */
function rulesHeld(
  list: ShareChange["list"],
  object: ConfigObject | undefined,
  other: ConfigObject | undefined,
  facts: Facts,
): readonly Rule[] {
  const subject = object ?? other;
  const rival = subject && rivalOf(subject, facts);
  if (rival) return rulesOf(rival, list);
  if (object !== undefined) return rulesOf(object, list);
  const host = other && loneHost(other);
  if (other === undefined || host === undefined || rulesOf(other, list).length === 0) return [];
  const { namespace } = other.metadata;
  if (facts.covered(facts.resolve(host, namespace), namespace).length === 0) return [];
  return [{ route: [{ destination: { host } }] }];
}

/**
 * Whose rules sidecars follow in the place of its own; gateways merge several. Of another namespace's, whose hosts may mean other services
 * there, nothing is told.
 */
function rivalOf(object: ConfigObject, facts: Facts): ConfigObject | undefined {
  const { gateways = [] } = object.spec as { gateways?: string[] };
  const host = gateways.every((name) => name === meshGateway) ? loneHost(object) : undefined;
  const rival = host === undefined ? undefined : followedInstead(object, host, facts);
  return rival?.metadata.namespace === object.metadata.namespace ? rival : undefined;
}

/** Of a VirtualService that rules one host inside of the mesh. */
function loneHost({ spec }: ConfigObject): string | undefined {
  const { hosts = [], gateways = [] } = spec as { hosts?: string[]; gateways?: string[] };
  const inMesh = gateways.length === 0 || gateways.includes(meshGateway);
  return inMesh && hosts.length === 1 ? hosts[0] : undefined;
}

interface Pair {
  index: number;
  before: Rule;
  after: Rule;
  /** What tells whose requests they are. */
  limits: Rule;
}

function* pairs(before: readonly Rule[], after: readonly Rule[]): Generator<Pair> {
  const [old, now] = [byMatch(before), byMatch(after)];
  const rest = (rules: Map<string, { index: number; rule: Rule }>) => rules.get(everything);
  for (const [match, { index, rule }] of now) {
    const twin = old.get(match) ?? rest(old);
    if (twin) yield { index, before: twin.rule, after: rule, limits: rule };
  }
  for (const [match, { rule }] of old) {
    const heir = now.has(match) ? undefined : rest(now);
    if (heir) yield { index: heir.index, before: rule, after: heir.rule, limits: rule };
  }
}

const everything = "[]";

/** The first of those that match alike: no request reaches the others. */
function byMatch(rules: readonly Rule[]): Map<string, { index: number; rule: Rule }> {
  const found = new Map<string, { index: number; rule: Rule }>();
  for (const [index, rule] of rules.entries()) {
    const match = JSON.stringify(rule.match ?? []);
    if (!found.has(match)) found.set(match, { index, rule });
  }
  return found;
}

interface Where {
  list: ShareChange["list"];
  key: ResourceKey;
  viewer: string;
}

function* compare(
  pair: Pair,
  { list, key: { namespace, name }, viewer }: Where,
  facts: Facts,
  earlier: Facts,
): Generator<ShareChange> {
  const [before, after] = [sharesOf(pair.before, namespace, facts), sharesOf(pair.after, namespace, facts)];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [from, to] = [before.get(key) ?? 0, after.get(key) ?? 0];
    const [hostname = "", subset = ""] = key.split("|");
    const endpoints = countEndpoints(facts, hostname, subset || undefined, viewer);
    const isLost = from === to && endpoints === 0 && countEndpoints(earlier, hostname, subset || undefined, viewer) > 0;
    if (from === to && !isLost) continue;
    yield {
      virtualService: `${namespace}/${name}`,
      list,
      rule: pair.index,
      ...limitsOf(pair.limits, list),
      hostname,
      subset: subset || null,
      before: from,
      after: to,
      endpoints,
      ...(isLost && { lost: "endpoints" as const }),
    };
  }
}
