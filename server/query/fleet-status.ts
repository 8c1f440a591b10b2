import {
  DashboardError,
  type KnownProxy,
  type ProxyConfigDump,
  type ProxyList,
  type ProxyResourceContents,
  type ProxySync,
  type ProxyUsage,
  type TypeSync,
  told,
  type XdsTypeName,
  xdsTypes,
} from "../contract/index.ts";

/** Where CSDS answers come from: the control plane, asked by the composition root. */
export type FleetSource = (options: {
  nodeId?: string;
  contents: boolean | { type: XdsTypeName; name: string };
}) => Promise<FleetProxy[]>;

export interface FleetProxy extends Omit<ProxySync, "usage" | "connected" | "disconnectedAt" | "heldRevision"> {
  revision: number;
  resources: ProxyResourceContents[];
}

/** A proxy that somebody says there should be, by its node id. */
export type ExpectedProxy = Pick<ProxySync, "id" | "name" | "namespace" | "address" | "app" | "version" | "kind">;

export interface FleetSources {
  connected: FleetSource;
  /** Who was connected, by the control plane's memory. */
  known(): Promise<KnownProxy[]>;
  /** Who should be, whether it ever was or not; never rejects. */
  expected(): Promise<ExpectedProxy[]>;
  /** By node id. */
  usage(): Promise<ReadonlyMap<string, ProxyUsage>>;
}

/** What every proxy holds and uses, and who is missing, for the fleet page. Rejects when the control plane can't be asked. */
export async function listProxies(sources: FleetSources, now: number): Promise<ProxyList> {
  const [proxies, known, expected, used] = await Promise.all([
    sources.connected({ contents: false }),
    sources.known(),
    sources.expected(),
    sources.usage(),
  ]);
  const remembered = new Map(known.map((proxy) => [proxy.id, proxy]));
  const connected = proxies.map(({ resources: _, revision: __, ...proxy }) => ({
    ...proxy,
    connected: true,
    disconnectedAt: null,
    absences: remembered.get(proxy.id)?.absences ?? [],
    heldRevision: remembered.get(proxy.id)?.heldRevision ?? null,
    ...restartOf(remembered.get(proxy.id)),
  }));
  return {
    at: now,
    revision: Math.max(0, ...proxies.map((proxy) => proxy.revision)),
    proxies: [...connected, ...missing(connected, known, expected, now)]
      .map((proxy) => ({ ...proxy, usage: used.get(proxy.id) ?? null }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

const restartOf = (known: KnownProxy | undefined): Pick<ProxySync, "restart"> =>
  known?.restart ? { restart: known.restart } : {};

type Row = Omit<ProxySync, "usage">;

/** A proxy of a workload that is back under another id (another address) is not missing. */
function missing(
  connected: readonly Row[],
  known: readonly KnownProxy[],
  expected: readonly ExpectedProxy[],
  now: number,
): Row[] {
  const seen = new Set(connected.map((proxy) => proxy.id));
  const rows: Row[] = [];
  for (const proxy of known) {
    if (seen.has(proxy.id)) continue;
    seen.add(proxy.id);
    // Known a moment ago, and its stream is gone since.
    rows.push({ ...proxy, ...holdsNothing(), connected: false, disconnectedAt: proxy.disconnectedAt ?? now });
  }
  const workloads = new Set([...connected, ...rows].map(workloadOf));
  for (const proxy of expected) {
    if (seen.has(proxy.id) || workloads.has(workloadOf(proxy))) continue;
    seen.add(proxy.id);
    workloads.add(workloadOf(proxy));
    rows.push({ ...neverSeen, ...holdsNothing(), ...proxy });
  }
  return rows;
}

const workloadOf = ({ namespace, name }: Pick<Row, "namespace" | "name">): string => `${namespace}/${name}`;

const neverSeen = {
  implementation: "",
  protocol: "delta" as const,
  connected: false,
  connectedAt: 0,
  disconnectedAt: null,
  heldRevision: null,
  identity: null,
};

/** As far as anyone can tell. */
const holdsNothing = (): Pick<Row, "certificate" | "types"> => {
  const nothing: TypeSync = { state: "NOT_SENT", resources: 0, sinceMs: null, errors: [] };
  return {
    certificate: null,
    types: Object.fromEntries(xdsTypes.map((type) => [type, nothing])) as Record<XdsTypeName, TypeSync>,
  };
};

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
  if (!found) throw new DashboardError({ code: "NOT_FOUND", ...told("no-resource", { id, ...wanted }) });
  return found;
}

async function connected(
  source: FleetSource,
  id: string,
  contents: Parameters<FleetSource>[0]["contents"],
): Promise<FleetProxy> {
  const [proxy] = await source({ nodeId: id, contents });
  if (!proxy) throw new DashboardError({ code: "NOT_FOUND", ...told("no-connected-proxy", { id }) });
  return proxy;
}
