import type { Cluster } from "../../cluster/cluster.ts";
import { getHeader, setHeader } from "../../http/headers.ts";
import type { StreamRequestHead } from "../../http/stream.ts";
import type { Exchange } from "../../request/exchange.ts";
import type { CompiledRoute, ForwardTarget } from "../../route/compile-route.ts";
import { applyHeaderOps } from "../../route/header-ops.ts";
import { setGrpcTimeout } from "./grpc-timeout.ts";
import type { Router } from "./router.ts";

/** What the route changes in a request before it goes upstream: header operations, then path and host. */
export function finishUpstreamHeaders(
  exchange: Exchange,
  route: CompiledRoute,
  action: ForwardTarget,
  cluster: Cluster,
): void {
  const { headers, record } = exchange;
  applyRequestOps(exchange, route);
  if (action.rewritePath !== undefined) {
    setHeader(headers, "x-envoy-original-path", exchange.path);
    record.originalPath = exchange.path;
    exchange.path = action.rewritePath(exchange.path);
    record.path = exchange.path;
  }
  const host = rewrittenHost(exchange, action, cluster);
  if (host === "" || host === exchange.authority) return;
  if (action.appendForwardedHost) headers.push("x-forwarded-host", exchange.authority);
  setHeader(headers, "x-envoy-original-host", exchange.authority);
  exchange.authority = host;
  record.authority = host;
}

function applyRequestOps(exchange: Exchange, route: CompiledRoute): void {
  const { headers, record, host, table, target } = exchange;
  if (host === undefined || table === undefined) return;
  if (table.mostSpecificWins) {
    applyHeaderOps(table.requestOps, headers, record);
    applyHeaderOps(host.requestOps, headers, record);
    applyHeaderOps(route.requestOps, headers, record);
    if (target !== undefined) applyHeaderOps(target.requestOps, headers, record);
    return;
  }
  if (target !== undefined) applyHeaderOps(target.requestOps, headers, record);
  applyHeaderOps(route.requestOps, headers, record);
  applyHeaderOps(host.requestOps, headers, record);
  applyHeaderOps(table.requestOps, headers, record);
}

function rewrittenHost(exchange: Exchange, action: ForwardTarget, cluster: Cluster): string {
  if (exchange.target !== undefined && exchange.target.hostRewrite !== "") return exchange.target.hostRewrite;
  if (action.hostRewrite !== "") return action.hostRewrite;
  if (action.hostRewriteHeader !== "") return getHeader(exchange.headers, action.hostRewriteHeader) ?? "";
  // With DNS clusters the endpoints carry the name they were resolved from.
  return action.autoHostRewrite ? (cluster.allEndpoints[0]?.config.hostname ?? "") : "";
}

/** The head as sent upstream; `x-envoy-attempt-count` and the time that is left are of this attempt. */
export function upstreamHead(router: Router): StreamRequestHead {
  const { exchange } = router;
  const { headers } = exchange;
  const expected = expectedMs(router);
  if (expected > 0) {
    if (router.envoyHeaders) setHeader(headers, "x-envoy-expected-rq-timeout-ms", String(expected));
    if (router.timeouts.tellsGrpcTimeout) setGrpcTimeout(headers, expected);
  }
  if (exchange.host?.attemptCount === true) {
    setHeader(headers, "x-envoy-attempt-count", String(exchange.record.upstreamAttempts));
  }
  return {
    method: exchange.method,
    path: exchange.path,
    authority: exchange.authority,
    scheme: exchange.scheme,
    headers,
    contentLength: exchange.contentLength,
    upgrade: exchange.upgrade,
    bytes: 0,
    chunked: exchange.chunked,
  };
}

/** 0: as long as it takes. */
function expectedMs({ exchange, timeouts }: Router): number {
  const { timeoutMs, perTryTimeoutMs, hedges } = timeouts;
  // A try that is hedged may go on for as long as the route allows.
  const perTry = hedges && timeoutMs > 0 ? 0 : perTryTimeoutMs;
  if (timeoutMs === 0) return perTry;
  const elapsed = exchange.record.upstreamAttempts > 1 ? Math.floor(performance.now() - exchange.start) : 0;
  const left = Math.max(1, timeoutMs - elapsed);
  return perTry > 0 ? Math.min(perTry, left) : left;
}
