import type { ProxyConfigDump, ProxyList, ProxySync, ProxyUsage } from "../contract/index.ts";
import { DashboardError } from "../contract/index.ts";

/** Where CSDS answers come from: the control plane, asked by the composition root. */
export type FleetSource = (options: { nodeId?: string; contents: boolean }) => Promise<FleetProxy[]>;

export interface FleetProxy extends Omit<ProxySync, "usage"> {
  revision: number;
  resources: ProxyConfigDump["resources"];
}

/** What every proxy holds and uses, for the fleet page. */
export async function listProxies(
  source: FleetSource,
  now: number,
  usage: () => Promise<ReadonlyMap<string, ProxyUsage>>,
): Promise<ProxyList> {
  const [proxies, used] = await Promise.all([source({ contents: false }), usage()]);
  return {
    at: now,
    revision: Math.max(0, ...proxies.map((proxy) => proxy.revision)),
    proxies: proxies.map(({ resources: _, revision: __, ...proxy }) => ({ ...proxy, usage: used.get(proxy.id) ?? null })),
  };
}

/** One proxy's resources with their contents. Rejects with NOT_FOUND when it is not connected. */
export async function dumpProxy(source: FleetSource, id: string, now: number): Promise<ProxyConfigDump> {
  const [proxy] = await source({ nodeId: id, contents: true });
  if (!proxy) throw new DashboardError({ code: "NOT_FOUND", message: `no proxy ${id} is connected` });
  return { id, at: now, resources: proxy.resources };
}
