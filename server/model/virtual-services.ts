import type { ConfigObject } from "../config/object.ts";
import { Lineage, mapSteps } from "../lib/lineage.ts";
import { memo } from "../lib/memo.ts";
import { covers, isWildcard, narrowerFirst } from "./hostname.ts";
import { olderFirst } from "./service.ts";
import { meshGateway, type VirtualService, virtualServicesAmong } from "./virtual-service.ts";
import { isVisible, nearestFirst } from "./visibility.ts";

export interface VirtualServiceIndex {
  /** Oldest first. */
  readonly all: readonly VirtualService[];
  /** By gateway, oldest first. */
  readonly byGateway: ReadonlyMap<string, readonly VirtualService[]>;
  /** Those bound to the mesh, by each exact host. */
  readonly exact: ReadonlyMap<string, readonly VirtualService[]>;
  /** Those bound to the mesh, by each wildcard host, narrowest first. */
  readonly wildcard: readonly WildcardHost[];
  /** Which labels and whether namespaces of sources are told apart: routes of proxies that agree in these are the same. */
  readonly sourceLabels: readonly string[];
}

interface WildcardHost {
  readonly host: string;
  readonly virtualService: VirtualService;
  readonly namespace: string;
  readonly exportTo: readonly string[];
}

/** One that came, went, or has become another. */
export interface VirtualServiceChange {
  readonly before: VirtualService | undefined;
  readonly after: VirtualService | undefined;
}

/** Indices that came of others. */
export const routingSteps = new Lineage<VirtualServiceIndex, readonly VirtualServiceChange[]>();

/** All of the objects, by key; of objects that came of others, at the cost of what they differ in. */
export const routingOf = (objects: ReadonlyMap<string, ConfigObject>, domain: string): VirtualServiceIndex => {
  const all = virtualServicesAmong(objects, domain);
  return mapSteps.memo(
    all,
    "routes",
    [],
    () => index([...all.values()].sort(byAge)),
    (before, { from, change }) => {
      const old = from as typeof all;
      return amended(
        before,
        Array.from(change, (key) => ({ before: old.get(key), after: all.get(key) })),
      );
    },
  );
};

/** As if there were no others; the same index for the same `key`. */
export const restrict = (
  of: VirtualServiceIndex,
  key: string,
  deps: readonly unknown[],
  keep: (it: VirtualService) => boolean,
): VirtualServiceIndex =>
  routingSteps.memo(
    of,
    key,
    deps,
    () => index(of.all.filter(keep)),
    (earlier, { change }) => {
      const kept = (it: VirtualService | undefined) => (it && keep(it) ? it : undefined);
      return amended(
        earlier,
        change.map(({ before, after }) => ({ before: kept(before), after: kept(after) })),
      );
    },
  );

/** What changed of those that are for a gateway, or for the mesh: as it was and as it is. */
export const rulesIn = (change: readonly VirtualServiceChange[], gateway: string): VirtualService[] =>
  change
    .flatMap(({ before, after }) => [before ?? [], after ?? []].flat())
    .filter(({ gateways }) => gateways.includes(gateway));

const byAge = (a: VirtualService, b: VirtualService): number => olderFirst(a.source, b.source);

/** Equal to the index of all that there is after the changes, at the cost of these. */
function amended(from: VirtualServiceIndex, all: readonly VirtualServiceChange[]): VirtualServiceIndex {
  const changes = all.filter(({ before, after }) => before !== after);
  if (changes.length === 0) return from;
  const touched = changes.flatMap(({ before, after }) => [before ?? [], after ?? []].flat());
  const place = (list: readonly VirtualService[], is: (it: VirtualService) => boolean) => replaced(list, changes, is);
  const byGateway = new Map(from.byGateway);
  for (const gateway of new Set(touched.flatMap(({ gateways }) => gateways))) {
    set(
      byGateway,
      gateway,
      place(byGateway.get(gateway) ?? [], (it) => it.gateways.includes(gateway)),
    );
  }
  const exact = new Map(from.exact);
  for (const host of new Set(touched.flatMap(({ hosts }) => hosts))) {
    if (isWildcard(host)) continue;
    set(
      exact,
      host,
      place(exact.get(host) ?? [], (it) => isOfMesh(it) && it.hosts.includes(host)),
    );
  }
  const wildcard = touched.some(({ hosts }) => hosts.some(isWildcard))
    ? wildcardHosts(byGateway.get(meshGateway) ?? [])
    : from.wildcard;
  const next = place(from.all, () => true);
  const isSameLabels = changes.every(({ before, after }) => labelsText(before) === labelsText(after));
  const sourceLabels = isSameLabels ? from.sourceLabels : sourceLabelsOf(next);
  return routingSteps.record({ all: next, byGateway, exact, wildcard, sourceLabels }, from, changes);
}

const isOfMesh = ({ gateways }: VirtualService): boolean => gateways.includes(meshGateway);
const labelsText = (it: VirtualService | undefined): string => (it ? [...sourceLabelKeys(it)].sort().join() : "");

/** The list, oldest first, without what has gone and with what has come, as far as `is` says that it belongs there. */
function replaced(
  list: readonly VirtualService[],
  changes: readonly VirtualServiceChange[],
  is: (it: VirtualService) => boolean,
): VirtualService[] {
  const gone = new Set(changes.map(({ before }) => before));
  const next = list.filter((it) => !gone.has(it));
  for (const { after } of changes) {
    if (after === undefined || !is(after)) continue;
    const at = next.findLastIndex((it) => byAge(it, after) < 0);
    next.splice(at + 1, 0, after);
  }
  return next;
}

function set<V>(map: Map<string, readonly V[]>, key: string, list: readonly V[]): void {
  if (list.length > 0) map.set(key, list);
  else map.delete(key);
}

/** Oldest first. */
function index(all: readonly VirtualService[]): VirtualServiceIndex {
  const byGateway = new Map<string, VirtualService[]>();
  for (const virtualService of all) {
    for (const gateway of new Set(virtualService.gateways)) add(byGateway, gateway, virtualService);
  }
  const exact = new Map<string, VirtualService[]>();
  const ofMesh = byGateway.get(meshGateway) ?? [];
  for (const virtualService of ofMesh) {
    for (const host of new Set(virtualService.hosts)) if (!isWildcard(host)) add(exact, host, virtualService);
  }
  return { all, byGateway, exact, wildcard: wildcardHosts(ofMesh), sourceLabels: sourceLabelsOf(all) };
}

/** Stable: equally narrow ones keep the order of age. */
const wildcardHosts = (all: readonly VirtualService[]): WildcardHost[] =>
  all
    .flatMap((virtualService) => {
      const { namespace, exportTo } = virtualService;
      const hosts = [...new Set(virtualService.hosts)].filter(isWildcard);
      return hosts.map((host) => ({ host, virtualService, namespace, exportTo }));
    })
    .sort((a, b) => narrowerFirst(a.host, b.host));

/** Those of a gateway (or the mesh) that a client sees, in the order of their say. */
export const virtualServicesAt = (
  index: VirtualServiceIndex,
  gateway: string,
  clientNamespace: string,
): readonly VirtualService[] =>
  memo(index, `at ${gateway} ${clientNamespace}`, [], () =>
    nearestFirst(index.byGateway.get(gateway) ?? [], clientNamespace),
  );

/**
 * What may route a client's calls to a host, in the order of their say: those that name the host, nearest and oldest first, of which one
 * without a rule for the client gives way to the next; when there is none, the first of the narrowest wildcard.
 */
export function findVirtualServices(
  index: VirtualServiceIndex,
  host: string,
  clientNamespace: string,
): readonly VirtualService[] {
  const named = index.exact.get(host);
  // Most hosts have no rules, and are asked for with every change of some other's.
  if (!named && index.wildcard.length === 0) return none;
  const exact = nearestFirst(named ?? [], clientNamespace);
  if (exact.length > 0) return exact;
  const wildcards = index.wildcard.filter(
    (entry) => covers(entry.host, host) && isVisible(entry.exportTo, entry.namespace, clientNamespace),
  );
  const narrowest = wildcards.filter((entry) => entry.host === wildcards[0]?.host);
  return nearestFirst(narrowest, clientNamespace)
    .slice(0, 1)
    .map(({ virtualService }) => virtualService);
}

const none: readonly VirtualService[] = [];

const sourceLabelsOf = (all: readonly VirtualService[]): string[] =>
  [...new Set(all.flatMap((it) => sourceLabelKeys(it)))].sort();

export const sourceLabelKeys = (virtualService: VirtualService): readonly string[] =>
  memo(virtualService, "sourceLabels", [], () => [
    ...new Set(
      [...virtualService.http, ...virtualService.tcp, ...virtualService.tls]
        .flatMap((rule): { sourceLabels?: Record<string, string> }[] => rule.match ?? [])
        .flatMap((match) => Object.keys(match.sourceLabels ?? {})),
    ),
  ]);

function add<V>(map: Map<string, V[]>, key: string, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
