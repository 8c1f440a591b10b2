import type { LogEntry, TraceSpan } from "../../server/contract/index.ts";
import type { ExplainedRequest } from "../lib/links.ts";

/**
 * The request of a log line, as its caller sent it. What the destination's proxy told begins at the caller's workload, where that is known; undefined where nobody is known to
 * have called.
 */
export function requestOfLog(entry: LogEntry): ExplainedRequest | undefined {
  const { direction, proxy, source, protocol } = entry;
  const caller = source.workload && source.namespace ? `${source.namespace}/${source.workload}` : "";
  const from = direction === "inbound" ? caller : proxy;
  const url = protocol === "tcp" ? tcpUrl(entry) : `http://${entry.authority}${entry.path}`;
  if (from === "" || url === undefined) return undefined;
  return { from, url, ...(protocol !== "tcp" && entry.method !== "GET" && { method: entry.method }) };
}

/** The cluster says the port that was called: `outbound|3306||mysql…`. */
function tcpUrl({ upstreamCluster, service }: LogEntry): string | undefined {
  const [direction, port] = upstreamCluster.split("|");
  return direction === "outbound" && port && service ? `tcp://${service}:${port}` : undefined;
}

/** The request that a proxy's span tells of. The span of a server's side begins at the proxy that called it, the nearest one above it. */
export function requestOfSpan(span: TraceSpan, tree: readonly TraceSpan[]): ExplainedRequest | undefined {
  const caller = callerOf(span, tree);
  const { node_id: from, "http.url": url, "http.method": method } = caller?.attributes ?? {};
  if (typeof from !== "string" || typeof url !== "string" || from === "") return undefined;
  return { from, url, ...(typeof method === "string" && method !== "GET" && { method }) };
}

function callerOf(span: TraceSpan, tree: readonly TraceSpan[]): TraceSpan | undefined {
  const byId = new Map(tree.map((one) => [one.spanId, one]));
  for (let at: TraceSpan | undefined = span; at; at = byId.get(at.parentSpanId)) {
    const { upstream_cluster: cluster } = at.attributes;
    if (at.proxy && !(typeof cluster === "string" && cluster.startsWith("inbound|"))) return at;
    if (at === byId.get(at.parentSpanId)) return undefined;
  }
  return undefined;
}
