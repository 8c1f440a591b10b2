import { type FlatHeaders, getHeader, setHeader, toWire } from "../http/headers.ts";
import type { StreamResponseHead } from "../http/stream.ts";
import type { RequestRecord } from "../record.ts";
import { applyHeaderOps } from "../route/header-ops.ts";
import { httpDate } from "./date.ts";
import type { Exchange } from "./exchange.ts";
import type { HttpManager } from "./manager.ts";

/** What route, virtual host and table change in a response. */
export function applyResponseOps(exchange: Exchange): void {
  const { route, host, table, target, responseHeaders, record } = exchange;
  if (route === undefined || host === undefined || table === undefined) return;
  if (table.mostSpecificWins) {
    applyHeaderOps(table.responseOps, responseHeaders, record);
    applyHeaderOps(host.responseOps, responseHeaders, record);
    applyHeaderOps(route.responseOps, responseHeaders, record);
    if (target !== undefined) applyHeaderOps(target.responseOps, responseHeaders, record);
  } else {
    if (target !== undefined) applyHeaderOps(target.responseOps, responseHeaders, record);
    applyHeaderOps(route.responseOps, responseHeaders, record);
    applyHeaderOps(host.responseOps, responseHeaders, record);
    applyHeaderOps(table.responseOps, responseHeaders, record);
  }
  if (host.attemptCountInResponse) setHeader(responseHeaders, "x-envoy-attempt-count", String(record.upstreamAttempts));
}

/** What the connection manager adds to every response. */
export function finishResponseHeaders(
  headers: FlatHeaders,
  options: HttpManager["options"],
  record: RequestRecord,
): void {
  if (options.serverHeader === "overwrite") setHeader(headers, "server", options.serverName);
  else if (options.serverHeader === "append_if_absent" && getHeader(headers, "server") === undefined) {
    headers.push("server", options.serverName);
  }
  if (getHeader(headers, "date") === undefined) headers.push("date", httpDate());
  if (options.via !== "") headers.push("via", options.via);
  if (options.requestIdInResponse) setHeader(headers, "x-request-id", toWire(record.requestId));
}

/** Bytes of a head as HTTP/1 writes it, near enough for every protocol: `HTTP/1.1 200 OK`, a line for each field, an empty line. */
export function headersSize({ headers }: StreamResponseHead): number {
  let size = 19;
  for (let i = 0; i < headers.length; i++) size += (headers[i] as string).length + 2;
  return size;
}
