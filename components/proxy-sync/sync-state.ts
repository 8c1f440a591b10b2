import {
  type Change,
  type ProxySync,
  type SyncState,
  type XdsTypeName,
  xdsTypes,
} from "../../server/contract/index.ts";
import { type ClientKind, clientKind, isApplication } from "./client-kind.ts";

/** What few proxies have anything in is there when one has. */
export const seldom: ReadonlySet<XdsTypeName> = new Set(["ECDS", "RTDS"]);

export const shownTypes = (proxies: readonly Pick<ProxySync, "types">[]): XdsTypeName[] =>
  xdsTypes.filter((type) => !seldom.has(type) || proxies.some(({ types }) => types[type].resources > 0));

/** GONE: it should be connected, and is not. */
export type ProxyState = SyncState | "GONE";

/** From bad to good: what one look at a proxy should show. */
export const severity: Record<ProxyState, number> = { GONE: 4, ERROR: 3, STALE: 2, SYNCED: 1, NOT_SENT: 0 };

type Seen = Pick<ProxySync, "types" | "connected">;

export function worstState({ types, connected }: Seen): ProxyState {
  if (!connected) return "GONE";
  const states = Object.values(types).map(({ state }) => state);
  return states.reduce<SyncState>((worst, state) => (severity[state] > severity[worst] ? state : worst), "NOT_SENT");
}

/** Connected, and neither refused nor lagging; what a proxy never asked for doesn't count. */
const isInSync = (proxy: Seen): boolean => severity[worstState(proxy)] <= severity.SYNCED;

export interface FleetCounts {
  total: number;
  inSync: number;
  refused: number;
  lagging: number;
  disconnected: number;
}

/** Each proxy counts once, for what is worst about it. */
export function fleetCounts(proxies: readonly Seen[]): FleetCounts {
  const worst = proxies.map(worstState);
  const count = (wanted: ProxyState) => worst.filter((state) => state === wanted).length;
  const [refused, lagging, disconnected] = [count("ERROR"), count("STALE"), count("GONE")];
  return {
    total: proxies.length,
    inSync: proxies.length - refused - lagging - disconnected,
    refused,
    lagging,
    disconnected,
  };
}

/** What is wrong comes first, by its gravity; the rest by name. */
export const worstFirst = (a: ProxySync, b: ProxySync): number => {
  const trouble = (proxy: ProxySync) => (isInSync(proxy) ? 0 : severity[worstState(proxy)]);
  return trouble(b) - trouble(a) || a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1);
};

/** One refused resource, with all that is needed to say it where it is. */
export interface RefusedResource {
  /** All that refused it for the same reason. */
  proxies: ProxySync[];
  type: XdsTypeName;
  resource: string;
  detail: string;
  origin: ConfigOrigin | null;
  /** When the first of them did. */
  refusedAtMs: number | null;
  /** Since when all of them have the version before it; null: one of them has none. */
  inForceSinceMs: number | null;
}

/** A thousand proxies that refuse one rule are one thing to say. */
export function refusedResources(proxies: readonly ProxySync[]): RefusedResource[] {
  const groups = new Map<string, RefusedResource>();
  for (const proxy of proxies) {
    for (const type of xdsTypes) {
      for (const { resource, detail, origin, refusedAtMs, inForceSinceMs } of proxy.types[type].errors) {
        const key = JSON.stringify([type, resource, detail, origin]);
        const known = groups.get(key);
        groups.set(key, {
          proxies: [...(known?.proxies ?? []), proxy],
          type,
          resource,
          detail,
          origin: origin === null ? null : parseOrigin(origin),
          refusedAtMs: known ? least(known.refusedAtMs, refusedAtMs) : refusedAtMs,
          inForceSinceMs: known
            ? known.inForceSinceMs !== null && inForceSinceMs !== null
              ? Math.max(known.inForceSinceMs, inForceSinceMs)
              : null
            : inForceSinceMs,
        });
      }
    }
  }
  return [...groups.values()];
}

const least = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

/** The revision that a refusal answers: the newest change of the object it came from, at that time. */
export function refusedRevision(
  { origin, refusedAtMs }: Pick<RefusedResource, "origin" | "refusedAtMs">,
  changes: readonly Change[],
): Change | null {
  if (!origin || refusedAtMs === null) return null;
  const touches = (change: Change) =>
    change.objects.some(
      ({ kind, namespace, name }) => kind === origin.kind && namespace === origin.namespace && name === origin.name,
    );
  return changes.find((change) => change.at <= refusedAtMs && touches(change)) ?? null;
}

export interface ConfigOrigin {
  kind: string;
  namespace: string;
  name: string;
}

const kinds: Record<string, string> = {
  "virtual-service": "VirtualService",
  "destination-rule": "DestinationRule",
  "service-entry": "ServiceEntry",
  gateway: "Gateway",
};

/** `/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews`, as Istio writes it into a resource's metadata. */
export function parseOrigin(path: string): ConfigOrigin | null {
  const found = /\/namespaces\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(path);
  const [, namespace, kind, name] = found ?? [];
  if (!namespace || !kind || !name) return null;
  return { kind: kinds[kind] ?? kind, namespace, name };
}

/** `outbound|80|v1|api.vendor.test` is a cluster of a service: its host. Null for any other name. */
export const clusterHost = (resource: string): string | null =>
  /^outbound\|\d+\|[^|]*\|(.+)$/.exec(resource)?.[1] ?? null;

export interface ProxyFilter {
  /** An application that takes part by itself is neither. */
  kind: ProxySync["kind"] | null;
  client: ClientKind | null;
  onlyOutOfSync: boolean;
  text: string;
}

export const filterProxies = (
  proxies: readonly ProxySync[],
  { kind, client, onlyOutOfSync, text }: ProxyFilter,
): ProxySync[] => {
  const wanted = text.trim().toLowerCase();
  return proxies.filter(
    (proxy) =>
      (kind === null || (proxy.kind === kind && !isApplication(proxy))) &&
      (client === null || clientKind(proxy) === client) &&
      (!onlyOutOfSync || !isInSync(proxy)) &&
      [proxy.name, proxy.namespace, proxy.address, proxy.implementation].some((one) =>
        one.toLowerCase().includes(wanted),
      ),
  );
};
