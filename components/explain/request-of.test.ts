import { expect, it } from "vitest";
import type { LogEntry, TraceSpan } from "../../server/contract/index.ts";
import { requestOfLog, requestOfSpan } from "./request-of.ts";

const entry = (changes: Partial<LogEntry>): LogEntry =>
  ({
    direction: "outbound",
    proxy: "sidecar~1~page.default~",
    source: { workload: "page-v1", namespace: "default", app: "page", version: "v1", service: null },
    protocol: "http",
    authority: "reviews:9080",
    path: "/reviews/0?x=1",
    method: "GET",
    service: "reviews.default.svc.cluster.local",
    upstreamCluster: "outbound|9080||reviews.default.svc.cluster.local",
    ...changes,
  }) as LogEntry;

it("asks about a line's request at the proxy that sent it", () => {
  expect(requestOfLog(entry({}))).toEqual({
    from: "sidecar~1~page.default~",
    url: "http://reviews:9080/reviews/0?x=1",
  });
  expect(requestOfLog(entry({ direction: "inbound", proxy: "other", method: "POST" }))).toEqual({
    from: "default/page-v1",
    url: "http://reviews:9080/reviews/0?x=1",
    method: "POST",
  });
  const nobody = { workload: "", namespace: "", app: "", version: "", service: null };
  expect(requestOfLog(entry({ direction: "inbound", source: nobody }))).toBeUndefined();
});

it("asks about a connection by its port", () => {
  const mysql = { protocol: "tcp", service: "mysql.db", upstreamCluster: "outbound|3306||mysql.db" } as const;
  expect(requestOfLog(entry(mysql))?.url).toBe("tcp://mysql.db:3306");
  expect(requestOfLog(entry({ protocol: "tcp", upstreamCluster: "inbound|3306||" }))).toBeUndefined();
});

const span = (
  spanId: string,
  parentSpanId: string,
  proxy: boolean,
  attributes: TraceSpan["attributes"] = {},
): TraceSpan => ({ spanId, parentSpanId, proxy, attributes }) as TraceSpan;

it("asks about a span's request at the proxy above it", () => {
  const client = span("b", "a", true, {
    node_id: "page",
    "http.url": "http://x/1",
    "http.method": "PUT",
    upstream_cluster: "outbound|80||x",
  });
  const server = span("c", "b", true, { node_id: "x", "http.url": "http://x/1", upstream_cluster: "inbound|80||" });
  const inside = span("d", "c", false);
  const tree = [span("a", "", false), client, server, inside];
  for (const one of [client, server, inside])
    expect(requestOfSpan(one, tree)).toEqual({ from: "page", url: "http://x/1", method: "PUT" });
  expect(requestOfSpan(span("a", "", false), tree)).toBeUndefined();
});
