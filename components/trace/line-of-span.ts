import type { LogEntry, TraceSpan } from "../../server/contract/index.ts";

/**
 * The access log line of a proxy's span: told by the same proxy, of the same request id and URL, on the same side. Of retries there is one line and one span.
 */
export function lineOfSpan(span: TraceSpan, entries: readonly LogEntry[]): LogEntry | undefined {
  const { node_id: proxy, "guid:x-request-id": request, "http.url": url, upstream_cluster: cluster } = span.attributes;
  if (!span.proxy || typeof proxy !== "string") return undefined;
  const isInbound = typeof cluster === "string" && cluster.startsWith("inbound|");
  return entries.find(
    (entry) =>
      entry.proxy === proxy &&
      entry.requestId === request &&
      (entry.direction === "inbound") === isInbound &&
      typeof url === "string" &&
      url.endsWith(`${entry.authority}${entry.path}`),
  );
}
