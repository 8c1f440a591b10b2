import { lifeOf, type ProxyList, type ServiceListItem } from "../../server/contract/index.ts";

const rank: Record<ServiceListItem["health"], number> = { failing: 3, degraded: 2, healthy: 0, idle: 0 };

/** A proxy that is gone is trouble before anybody calls. */
const gravity = ({ health, missingProxies = [] }: ServiceListItem): number =>
  Math.max(rank[health], missingProxies.length > 0 ? 2.5 : 0);

/** Services in trouble, the gravest first; of those alike the one that more requests fail of. */
export const troubledServices = (services: readonly ServiceListItem[]): ServiceListItem[] =>
  services
    .filter((service) => gravity(service) > 0)
    .toSorted((a, b) => gravity(b) - gravity(a) || lost(b) - lost(a) || a.hostname.localeCompare(b.hostname));

/** Requests per second that are lost, or slow. */
const lost = ({ signals }: ServiceListItem): number =>
  signals.requestRate * Math.max(signals.errorShare, signals.clientErrorShare / 10, 0.001);

export interface Certificates {
  count: number;
  /** The end of the one that ends first, Unix milliseconds; null without any. */
  nextEndMs: number | null;
  /** Those that should have been replaced by now. */
  late: number;
}

export function certificatesOf({ proxies, at }: Pick<ProxyList, "proxies" | "at">): Certificates {
  const all = proxies.flatMap(({ certificate }) => certificate ?? []);
  const ends = all.map(({ notAfterMs }) => notAfterMs);
  const late = all.filter((one) => lifeOf(one, at).tone !== "plain").length;
  return { count: all.length, nextEndMs: ends.length > 0 ? Math.min(...ends) : null, late };
}

/** Proxies that went away or came back lately, by the control plane's memory; those that came with the mesh's own start are no news. */
export function comings({ proxies }: Pick<ProxyList, "proxies">): { at: number; name: string; gone: boolean }[] {
  const seen = proxies.filter(({ connectedAt }) => connectedAt > 0);
  // A start brings all of them within moments; so does a restart of the control plane.
  const together = (at: number) => seen.filter(({ connectedAt }) => Math.abs(connectedAt - at) < 30_000).length;
  const back = seen
    .filter(({ connected, connectedAt }) => connected && together(connectedAt) * 2 <= seen.length)
    .map(({ connectedAt, name }) => ({ at: connectedAt, name, gone: false }));
  const gone = proxies.flatMap(({ disconnectedAt, name }) =>
    disconnectedAt === null ? [] : [{ at: disconnectedAt, name, gone: true }],
  );
  return [...back, ...gone].toSorted((a, b) => b.at - a.at);
}
