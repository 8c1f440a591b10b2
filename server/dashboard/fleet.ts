import type { ConfigApiClient, WriteOptions } from "../config/api-client.ts";
import { workloadEntry } from "../config/kinds/workload-entry.ts";
import {
  DashboardError,
  type ProxyConfigDump,
  type ProxyList,
  type ProxyResourceContents,
  told,
  type XdsTypeName,
} from "../contract/index.ts";
import type { MeshPorts } from "../fleet/ports.ts";
import { createSupervisedClient, createUsageClient } from "../fleet/usage-client.ts";
import { remember } from "../lib/remember.ts";
import {
  dumpProxy,
  type ExpectedProxy,
  type FleetSource,
  listProxies,
  readProxyResource,
} from "../query/fleet-status.ts";
import { createProxyUsage } from "../query/proxy-usage.ts";
import { fetchHeldResources, fetchProxyStatuses, type HeldResources } from "../xds/csds-client.ts";
import { nodeIdFacts } from "../xds/node-facts.ts";

/** Who is connected, who is missed, and what each holds. */
export interface Fleet {
  proxies(): Promise<ProxyList>;
  /** One that is gone for good is not expected any more. */
  forgetProxy(id: string, options: WriteOptions): Promise<ProxyList>;
  proxyConfig(id: string): Promise<ProxyConfigDump>;
  proxyResource(id: string, resource: { type: XdsTypeName; name: string }): Promise<ProxyResourceContents>;
}

export interface FleetReader {
  fleet: Fleet;
  /** What a proxy holds, as messages; undefined where it is not connected. */
  held(id: string): Promise<HeldResources | undefined>;
  /** The same as JSON, keys struck out. */
  contents(id: string): Promise<ProxyResourceContents[] | undefined>;
}

export function createFleet(api: ConfigApiClient, ports: Pick<MeshPorts, "xds" | "fleet">): FleetReader {
  const csds = `127.0.0.1:${ports.xds}`;
  const connected: FleetSource = (options) => fetchProxyStatuses(csds, options).catch(unreachable);
  const usage = remember(createProxyUsage({ read: createUsageClient(ports.fleet), now: Date.now }), 1000);
  const expected = remember(() => expectedProxies(api, ports.fleet), 1000);
  const sources = { connected, known: api.knownProxies, expected, usage };
  const proxies = remember(() => listProxies(sources, Date.now()), 500);
  return {
    held: (id) => fetchHeldResources(csds, id).catch(unreachable),
    contents: async (id) => (await connected({ nodeId: id, contents: true }))[0]?.resources,
    fleet: {
      proxies,
      async forgetProxy(id, options) {
        await api.forgetProxy(id, options);
        const list = await proxies();
        return { ...list, proxies: list.proxies.filter((proxy) => proxy.id !== id) };
      },
      proxyConfig: (id) => dumpProxy(connected, id, Date.now()),
      proxyResource: (id, resource) => readProxyResource(connected, id, resource),
    },
  };
}

/** Istio's injector labels a workload so when it gets a proxy. https://istio.io/latest/docs/reference/config/labels/ */
const hasProxyLabel = ["security.istio.io/tlsMode", "istio"] as const;

/** The supervisor's proxies, and those of workloads that are labelled to have one. Who can't be asked expects nobody. */
async function expectedProxies(api: ConfigApiClient, fleetPort: number): Promise<ExpectedProxy[]> {
  const [supervised, workloads] = await Promise.all([
    createSupervisedClient(fleetPort)().catch(() => []),
    api.objects(workloadEntry).catch(() => []),
  ]);
  const [label, value] = hasProxyLabel;
  const labelled = workloads.flatMap(({ metadata, spec }): ExpectedProxy[] => {
    const labels = { ...metadata.labels, ...(spec.labels as Record<string, string> | undefined) };
    const { name, namespace = "" } = metadata;
    const address = String(spec.address ?? "");
    if (labels[label] !== value) return [];
    const workload = labels["service.istio.io/workload-name"] ?? name;
    return [{ ...nodeIdFacts(`sidecar~${address}~${name}.${namespace}~`), name: workload }];
  });
  return [...supervised.map(nodeIdFacts), ...labelled];
}

function unreachable(error: Error): never {
  throw new DashboardError({ code: "CONTROL_PLANE_UNREACHABLE", ...told("csds-silent", { why: error.message }) });
}
