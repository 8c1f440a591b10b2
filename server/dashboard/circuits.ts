import { type Circuit, type Circuits, findService, type MeshService, type ProxyList } from "../contract/index.ts";
import { createHttpClient } from "../lib/http-client.ts";

export interface CircuitSource {
  services: () => Promise<readonly MeshService[]>;
  proxies: () => Promise<ProxyList>;
  /** Where the proxies of this machine tell their metrics, by node id: `http://127.0.1.2:15090`. */
  metrics: () => Promise<ReadonlyMap<string, string>>;
  now: () => number;
}

/** So many are asked for one answer; those beyond are counted as unknown. */
const maxProxies = 64;
const timeoutMs = 1500;

/**
 * How full the circuit breakers of a service's callers are right now, by the callers' own gauges, and what they have ejected. Only of proxies that
 * run on this machine: a metrics port is nobody else's to ask.
 */
export function createCircuits({ services, proxies, metrics, now }: CircuitSource) {
  return async (service: { namespace: string; name: string }): Promise<Circuits> => {
    const found = findService(await services(), service.namespace, service.name);
    if (!found) return { at: now(), circuits: [], unknown: 0 };
    const [list, ports] = await Promise.all([proxies(), metrics().catch(() => new Map<string, string>())]);
    const connected = list.proxies.filter((proxy) => proxy.connected);
    const answers = await Promise.all(
      connected.slice(0, maxProxies).map(async (proxy) => {
        const url = ports.get(proxy.id);
        const text = url && (await readMetrics(url).catch(() => undefined));
        return text === undefined || text === "" ? null : circuitsIn(text, found.hostname, proxy);
      }),
    );
    return {
      at: now(),
      circuits: answers.flatMap((answer) => answer ?? []),
      unknown: answers.filter((answer) => answer === null).length + Math.max(0, connected.length - maxProxies),
    };
  };
}

async function readMetrics(url: string): Promise<string> {
  const { status, text } = await createHttpClient(url, timeoutMs).call("GET", "/stats/prometheus");
  return status === 200 ? text : "";
}

/** Envoy's cluster gauges. https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats */
const gauges = {
  upstream_cx_active: "connections",
  upstream_rq_active: "requests",
  upstream_rq_pending_active: "pending",
  upstream_cx_overflow: "overflowed",
  upstream_rq_pending_overflow: "overflowed",
  outlier_detection_ejections_active: "ejected",
  membership_total: "endpoints",
} as const satisfies Record<string, keyof Circuit>;

const line = /^envoy_cluster_(\w+)\{([^}]*)\} ([\d.e+]+)/gm;

/** Of one proxy's metrics, what is about a service: by port and subset, without those that it never called and holds no connection to. */
export function circuitsIn(text: string, hostname: string, caller: { name: string; namespace: string }): Circuit[] {
  const clusters = new Map<string, Circuit>();
  for (const [, name = "", labels = "", value = ""] of text.matchAll(line)) {
    const field = Object.hasOwn(gauges, name) ? gauges[name as keyof typeof gauges] : undefined;
    const cluster = field && /envoy_cluster_name="(outbound\|[^"]*)"/.exec(labels)?.[1];
    if (!cluster) continue;
    const [, port = "", subset = "", host = ""] = cluster.split("|");
    if (host !== hostname) continue;
    const known = clusters.get(cluster) ?? {
      caller: caller.name,
      namespace: caller.namespace,
      port: Number(port),
      subset: subset === "" ? null : subset,
      connections: 0,
      requests: 0,
      pending: 0,
      overflowed: 0,
      ejected: 0,
      endpoints: 0,
    };
    known[field] += Number(value);
    clusters.set(cluster, known);
  }
  return [...clusters.values()].filter(
    ({ connections, requests, pending, overflowed, ejected }) =>
      connections + requests + pending + overflowed + ejected > 0,
  );
}
