import type {
  ProxyConfigDump,
  ProxyList,
  ProxyResourceContents,
  ProxySync,
  ProxyUsage,
  XdsTypeName,
} from "../contract/index.ts";
import { DashboardError } from "../contract/index.ts";

/** Where CSDS answers come from: the control plane, asked by the composition root. */
export type FleetSource = (options: {
  nodeId?: string;
  contents: boolean | { type: XdsTypeName; name: string };
}) => Promise<FleetProxy[]>;

export interface FleetProxy extends Omit<ProxySync, "usage"> {
  revision: number;
  resources: ProxyResourceContents[];
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
    proxies: proxies.map(({ resources: _, revision: __, ...proxy }) => ({
      ...proxy,
      usage: used.get(proxy.id) ?? null,
    })),
  };
}

/** One proxy's resources, without contents: a large proxy's would be megabytes with every look. Rejects with NOT_FOUND when it is not connected. */
export async function dumpProxy(source: FleetSource, id: string, now: number): Promise<ProxyConfigDump> {
  const { resources } = await connected(source, id, false);
  return { id, at: now, resources: resources.map(({ config: _, refusedConfig: __, ...resource }) => resource) };
}

/** One resource with its contents. Rejects with NOT_FOUND when the proxy is not connected or was not sent it. */
export async function readProxyResource(
  source: FleetSource,
  id: string,
  wanted: { type: XdsTypeName; name: string },
): Promise<ProxyResourceContents> {
  const { resources } = await connected(source, id, wanted);
  const found = resources.find(({ type, name }) => type === wanted.type && name === wanted.name);
  if (!found) throw new DashboardError({ code: "NOT_FOUND", message: `${id} holds no ${wanted.type} ${wanted.name}` });
  return found;
}

async function connected(
  source: FleetSource,
  id: string,
  contents: Parameters<FleetSource>[0]["contents"],
): Promise<FleetProxy> {
  const [proxy] = await source({ nodeId: id, contents });
  if (!proxy) throw new DashboardError({ code: "NOT_FOUND", message: `no proxy ${id} is connected` });
  return proxy;
}
