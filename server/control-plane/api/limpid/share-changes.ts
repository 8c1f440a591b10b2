import { type ConfigObject, formatKey, keyOf, type ResourceKey } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import type { ShareChange } from "../../../contract/index.ts";
import type { Mesh } from "../../../model/mesh.ts";
import { delegateKeys, gatewayName, isDelegate, meshGateway } from "../../../model/virtual-service.ts";
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
import { clientsOf, type Held, heldBy, loneMeshHost, rulesOn } from "./held-rules.ts";
import { objectInForce } from "./in-force.ts";
import { lostShares } from "./lost-shares.ts";
import { limitsOf, lists, placeOf, type Rule, rulesOf, sharesOf } from "./rule-shares.ts";

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
  // Where one comes or goes, or is for others, another may have been followed before; and a delegate's rules are others' then as now.
  const isApart = takes || routes.some(concernsOthers) || routes.some(delegates);
  const earlier = isApart ? factsOf(meshWithout(mine, changes), gatewayProxies) : facts;
  const told = new Set<string>();
  for (const change of changesInForce(routes, earlier, facts)) {
    for (const share of changesOf(change, facts, earlier)) {
      // One delegate of several loses the same in each.
      const text = JSON.stringify(share);
      if (!told.has(text)) yield share;
      told.add(text);
    }
  }
  if (takes) yield* lostShares(changes, earlier, facts);
}

/** Whether a VirtualService has delegates or is one, before or after. */
const delegates = ({ before, after }: ConfigChange): boolean =>
  [before, after].some((object) => object !== undefined && (isDelegate(object) || delegateKeys(object).length > 0));

/** What a change does to the rules that requests meet: a delegate's are met where its roots are. */
function* changesInForce(routes: readonly ConfigChange[], earlier: Facts, facts: Facts): Generator<ConfigChange> {
  const done = new Set<string>();
  for (const change of routes) {
    if (!delegates(change)) {
      yield change;
      continue;
    }
    const { key, before, after } = change;
    const roots = [...(before ? earlier.rootsOf(before) : []), ...(after ? facts.rootsOf(after) : [])].map(keyOf);
    for (const root of [key, ...roots]) {
      if (done.has(formatKey(root))) continue;
      done.add(formatKey(root));
      const [was, is] = [objectInForce(root, earlier), objectInForce(root, facts)];
      if (was === undefined && is === undefined) continue;
      yield { type: "MODIFIED", key: root, ...(was && { before: was }), ...(is && { after: is }) } as ConfigChange;
    }
  }
}

function concernsOthers({ before, after }: ConfigChange): boolean {
  const reach = (object: ConfigObject | undefined) => {
    const { hosts, gateways, exportTo } = (object?.spec ?? {}) as Record<string, unknown>;
    return JSON.stringify([object === undefined, hosts, gateways, exportTo]);
  };
  return reach(before) !== reach(after);
}

function* changesOf(change: ConfigChange, facts: Facts, earlier: Facts): Generator<ShareChange> {
  const { key, before, after } = change;
  const objects = [before, after].filter((object) => object !== undefined);
  const [host, ...others] = objects.map((object) => loneMeshHost(object));
  if (host !== undefined && others.every((other) => other === host)) {
    yield* followedChanges(change, facts.resolve(host, key.namespace), facts, earlier);
    return;
  }
  const object = after ?? before;
  const [viewer = key.namespace] = object ? viewersOf(object, facts) : [];
  for (const list of lists) {
    const where = { list, key, viewer };
    const sides = [ownRules(list, before, after, earlier), ownRules(list, after, before, facts)] as const;
    for (const pair of pairs(...sides)) yield* compare(pair, where, facts, earlier);
    if (object && !(after === undefined && isTaken(object, facts))) yield* orphans(...sides, where, facts);
  }
}

/**
 * Of a host inside of the mesh each client follows one VirtualService: which, goes by the client's namespace. What clients of other namespaces
 * than the object's own do otherwise is told with whose they are.
 */
function* followedChanges(
  change: ConfigChange,
  hostname: string,
  facts: Facts,
  earlier: Facts,
): Generator<ShareChange> {
  const { key, before, after } = change;
  const told = new Set<string>();
  for (const viewer of clientsOf(change, hostname, [earlier, facts])) {
    const was = heldBy(viewer, hostname, { own: before, facts: earlier });
    const now = heldBy(viewer, hostname, { own: after, facts });
    for (const list of lists) {
      const where = { list, key, viewer };
      const at = { viewer, hostname };
      const sides = [
        rulesOn(list, { side: was, other: now }, { ...at, facts: earlier }),
        rulesOn(list, { side: now, other: was }, { ...at, facts }),
      ] as const;
      const isTaken = list === "tcp" || (list === "tls" && was === undefined && takesName(sides[1].rules, hostname));
      const found = [
        ...[...pairs(...sides)].flatMap((pair) => [...compare(pair, where, facts, earlier)]),
        // Connections that no rule of their port takes go on to their service.
        ...(isTaken ? [] : orphans(...sides, where, facts)),
      ];
      for (const share of found) {
        const text = JSON.stringify(share);
        if (told.has(text)) continue;
        told.add(text);
        yield viewer === key.namespace ? share : { ...share, clients: viewer };
      }
    }
  }
}

/** Whether rules take whoever asks for a service by its own name, wherever they call from. */
const takesName = (rules: readonly Rule[], hostname: string): boolean =>
  rules.some(({ match = [] }) =>
    match.some((one) => {
      const { sniHosts = [], port: _, ...limits } = one as { sniHosts?: readonly string[]; port?: number };
      return Object.keys(limits).length === 0 && sniHosts.some((name) => name === "*" || name === hostname);
    }),
  );

/** Requests of rules that are gone and that no other rule takes: 404, at gateways and in the mesh alike. */
function* orphans(
  before: Held,
  now: Held,
  { list, key: { namespace, name }, viewer }: Where,
  facts: Facts,
): Generator<ShareChange> {
  const left = byMatch(now.rules);
  for (const [match, { index, rule }] of byMatch(before.rules)) {
    if (left.has(match) || left.has(everything)) continue;
    for (const [key, share] of sharesOf(rule, before.namespace, facts)) {
      const [hostname = "", subset = ""] = key.split("|");
      if (share === 0 || countEndpoints(facts, hostname, subset || undefined, viewer) === 0) continue;
      const where = { ...placeOf(rule, { namespace, name }, index), list, ...limitsOf(rule, list) };
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

/** The object's own rules; where there is none, what its absence does: the service gets its own requests. */
function ownRules(
  list: ShareChange["list"],
  object: ConfigObject | undefined,
  other: ConfigObject | undefined,
  facts: Facts,
): Held {
  if (object !== undefined) return { rules: rulesOf(object, list), namespace: object.metadata.namespace };
  const namespace = other?.metadata.namespace ?? "";
  const host = other && loneHost(other);
  if (other === undefined || host === undefined || rulesOf(other, list).length === 0) return { rules: [], namespace };
  if (facts.covered(facts.resolve(host, namespace), namespace).length === 0) return { rules: [], namespace };
  return { rules: [{ route: [{ destination: { host } }] }], namespace };
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
  /** Of the two rules. */
  namespaces: readonly [string, string];
}

function* pairs(before: Held, after: Held): Generator<Pair> {
  const [old, now] = [byMatch(before.rules), byMatch(after.rules)];
  const namespaces = [before.namespace, after.namespace] as const;
  const rest = (rules: Map<string, { index: number; rule: Rule }>) => rules.get(everything);
  for (const [match, { index, rule }] of now) {
    const twin = old.get(match) ?? rest(old);
    if (twin) yield { index, before: twin.rule, after: rule, limits: rule, namespaces };
  }
  for (const [match, { rule }] of old) {
    const heir = now.has(match) ? undefined : rest(now);
    if (heir) yield { index: heir.index, before: rule, after: heir.rule, limits: rule, namespaces };
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
  const [was, is] = pair.namespaces;
  const [before, after] = [sharesOf(pair.before, was, facts), sharesOf(pair.after, is, facts)];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [from, to] = [before.get(key) ?? 0, after.get(key) ?? 0];
    const [hostname = "", subset = ""] = key.split("|");
    const endpoints = countEndpoints(facts, hostname, subset || undefined, viewer);
    const isLost = from === to && endpoints === 0 && countEndpoints(earlier, hostname, subset || undefined, viewer) > 0;
    if (from === to && !isLost) continue;
    yield {
      ...placeOf(pair.after, { namespace, name }, pair.index),
      list,
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
