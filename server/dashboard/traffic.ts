import type { ConfigApiClient } from "../config/api-client.ts";
import type { Graph, Overview, ProxyList, ServiceList, ServiceMetrics } from "../contract/index.ts";
import { withBadgesThen } from "../query/badges-then.ts";
import { missingProxies } from "../query/missing-proxies.ts";
import type { Queries } from "../query/queries.ts";

/** `at`, Unix milliseconds, ends it; left out, it ends now. */
interface Stretch {
  windowSec: number;
  at?: number;
}

/** Who calls whom, how often, how well. */
export interface Traffic {
  graph(query: Stretch): Promise<Graph>;
  overview(query?: { window?: number | undefined; at?: number | undefined }): Promise<Overview>;
  services(query: Stretch): Promise<ServiceList>;
  serviceMetrics(query: Stretch & { namespace: string; name: string }): Promise<ServiceMetrics>;
}

export interface TrafficSource {
  queries(): Promise<Queries>;
  api: Pick<ConfigApiClient, "badgesThen">;
  proxies(): Promise<ProxyList>;
}

export const createTraffic = ({ queries, api, proxies }: TrafficSource): Traffic => ({
  async graph({ windowSec: window, at }) {
    const ready = await queries();
    if (at === undefined) return ready.graph({ window });
    const [graph, then] = await Promise.all([ready.graph({ window, at }), api.badgesThen(at).catch(() => undefined)]);
    return withBadgesThen(graph, then);
  },
  overview: async (query) => (await queries()).overview(query),
  async services({ windowSec: window, at }) {
    const [list, seen] = await Promise.all([
      queries().then((ready) => ready.serviceList({ window, ...(at !== undefined && { at }) })),
      proxies().catch(() => undefined),
    ]);
    if (!seen) return list;
    const services = list.services.map((one) => ({ ...one, missingProxies: missingProxies(one, seen.proxies) }));
    return { ...list, services };
  },
  serviceMetrics: async ({ windowSec, ...service }) =>
    (await queries()).serviceMetrics({ ...service, window: windowSec }),
});
