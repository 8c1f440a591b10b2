import type { ProxyConfigDump, ProxyList, ProxySync } from "../contract/index.ts";
import { DashboardError } from "../contract/index.ts";

/** Where CSDS answers come from: the control plane, asked by the composition root. */
export type FleetSource = (options: { nodeId?: string; contents: boolean }) => Promise<FleetProxy[]>;

export interface FleetProxy extends ProxySync {
  revision: number;
  resources: ProxyConfigDump["resources"];
}

/** What every proxy holds, for the fleet page. */
export async function listProxies(source: FleetSource, now: number): Promise<ProxyList> {
  const proxies = await source({ contents: false });
  return {
    at: now,
    revision: Math.max(0, ...proxies.map((proxy) => proxy.revision)),
    proxies: proxies.map(({ resources: _, ...proxy }) => proxy),
  };
}

/** One proxy's resources with their contents. Rejects with NOT_FOUND when it is not connected. */
export async function dumpProxy(source: FleetSource, id: string, now: number): Promise<ProxyConfigDump> {
  const [proxy] = await source({ nodeId: id, contents: true });
  if (!proxy) throw new DashboardError({ code: "NOT_FOUND", message: `no proxy ${id} is connected` });
  return { id, at: now, resources: proxy.resources };
}
