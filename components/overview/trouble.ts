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
