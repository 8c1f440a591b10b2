import { randomUUID } from "node:crypto";
import { isGrpc } from "../http/grpc.ts";
import { setHeader } from "../http/headers.ts";
import { withoutPort } from "../route/route-table.ts";
import { clientCertificateField, forwardClientCertificate } from "./client-certificate.ts";
import type { Exchange } from "./exchange.ts";
import type { HttpManager } from "./manager.ts";
import { hasEscapedSlashes, normalizePath } from "./normalize-path.ts";
import type { RoutedRequest } from "./routed-request.ts";

/**
 * What the connection manager does to every request before routing it, and what it notes for the log.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers
 * @returns false when the path cannot stay as it is: it has been answered
 */
export function prepareRequest(exchange: Exchange, manager: HttpManager): boolean {
  const { options } = manager;
  const { headers, record } = exchange;
  let requestId: string | undefined;
  let forwardedFor: string | undefined;
  let proto: string | undefined;
  let clientCertificate = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    // By length first: comparing strings of different length costs nothing.
    if (name.length === 10 && name === "user-agent") record.userAgent = headers[i + 1] as string;
    else if (name.length === 12 && name === "x-request-id") requestId = headers[i + 1];
    else if (name.length === 15 && name === "x-forwarded-for") forwardedFor = headers[i + 1];
    else if (name.length === 17 && name === "x-forwarded-proto") proto = headers[i + 1];
    else if (name.length === 23 && name === clientCertificateField) clientCertificate = true;
    else if (name.startsWith("x-envoy-")) exchange.envoyFields = true;
  }
  if (exchange.envoyFields || options.useRemoteAddress) {
    const internal = isInternal(exchange, forwardedFor);
    if (exchange.envoyFields) sanitize(headers, internal, options.useRemoteAddress);
    if (options.useRemoteAddress && !internal) {
      setHeader(headers, "x-envoy-external-address", record.downstreamRemoteAddress);
    }
  }
  const { tls } = exchange.connection;
  if (tls !== undefined || clientCertificate) {
    forwardClientCertificate(headers, clientCertificate, tls, options.clientCertificate);
  }
  if (proto === undefined || options.useRemoteAddress) {
    proto = tls === undefined ? "http" : "https";
    setHeader(headers, "x-forwarded-proto", proto);
  }
  if (proto === "https") exchange.scheme = "https";
  if (options.useRemoteAddress && !options.skipXffAppend) forwardedFor = appendForwardedFor(exchange, forwardedFor);
  record.forwardedFor = forwardedFor ?? "";
  if (
    options.generateRequestId &&
    (requestId === undefined || (options.useRemoteAddress && !options.preserveRequestId))
  ) {
    requestId = randomUUID();
    setHeader(headers, "x-request-id", requestId);
  }
  record.requestId = requestId ?? "";
  if (options.via !== "") headers.push("via", options.via);
  if (options.stripTrailingHostDot) exchange.authority = withoutTrailingDot(exchange.authority);
  if (options.stripPort !== "none") exchange.authority = stripPort(exchange, options.stripPort);
  record.scheme = exchange.scheme;
  record.method = exchange.method;
  record.authority = exchange.authority;
  if (!options.normalizePath && !options.mergeSlashes && options.escapedSlashes === "keep") {
    record.path = exchange.path;
    return true;
  }
  const before = exchange.path;
  const path = normalizePath(before, options.normalizePath, options.mergeSlashes, options.escapedSlashes);
  exchange.path = path ?? before;
  record.path = exchange.path;
  const redirects = options.escapedSlashes === "redirect" && hasEscapedSlashes(before);
  if (path !== undefined && !redirects) return true;
  // gRPC's clients follow no redirects.
  if (path === undefined || isGrpc(headers)) {
    manager.stats.rqFailedPath.inc();
    exchange.reply(400, "", pathDetails, 0);
  } else {
    manager.stats.rqRedirectedPath.inc();
    exchange.reply(307, "", pathDetails, 0, ["location", path]);
  }
  return false;
}

const pathDetails = "path_normalization_failed";

/** Whether the request comes from inside: its one forwarded-for address, or at the edge its peer, is of `internal_address_config`. */
function isInternal({ manager, record }: RoutedRequest, forwardedFor: string | undefined): boolean {
  const { options } = manager;
  return options.isInternal(options.useRemoteAddress ? record.downstreamRemoteAddress : (forwardedFor ?? "").trim());
}

/**
 * Nobody outside may set timeouts and retries, or say that it is inside.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/header_sanitizing
 */
function sanitize(headers: string[], internal: boolean, edge: boolean): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const name = headers[i] as string;
    const forbidden = !internal && (internalFields.has(name) || (edge && edgeFields.has(name)));
    if (forbidden || name === "x-envoy-internal") headers.splice(i, 2);
  }
  if (internal) headers.push("x-envoy-internal", "true");
}

const edgeFields = new Set([
  "x-envoy-decorator-operation",
  "x-envoy-downstream-service-cluster",
  "x-envoy-downstream-service-node",
  "x-envoy-original-path",
]);

const internalFields = new Set([
  "x-envoy-expected-rq-timeout-ms",
  "x-envoy-force-trace",
  "x-envoy-hedge-on-per-try-timeout",
  "x-envoy-ip-tags",
  "x-envoy-max-retries",
  "x-envoy-original-url",
  "x-envoy-retriable-header-names",
  "x-envoy-retriable-status-codes",
  "x-envoy-retry-grpc-on",
  "x-envoy-retry-on",
  "x-envoy-upstream-alt-stat-name",
  "x-envoy-upstream-rq-per-try-timeout-ms",
  "x-envoy-upstream-rq-timeout-alt-response",
  "x-envoy-upstream-rq-timeout-ms",
]);

function appendForwardedFor(exchange: RoutedRequest, before: string | undefined): string {
  const peer = exchange.record.downstreamRemoteAddress;
  if (before === undefined) {
    exchange.headers.push("x-forwarded-for", peer);
    return peer;
  }
  const value = `${before},${peer}`;
  setHeader(exchange.headers, "x-forwarded-for", value);
  return value;
}

/** `example.com.` and `example.com.:443` are names from the root of the DNS: the same host. */
const withoutTrailingDot = (host: string): string => host.replace(/\.(?=:[^.]*$|$)/, "");

function stripPort(exchange: RoutedRequest, mode: "any" | "matching"): string {
  const host = exchange.authority;
  if (mode === "matching" && !host.endsWith(`:${exchange.record.downstreamLocalPort}`)) return host;
  return withoutPort(host);
}

/** Sets the trace context that the tracer wants the next hop to see. */
export function propagateTrace(exchange: RoutedRequest, propagate: readonly string[]): void {
  for (let i = 0; i < propagate.length; i += 2) {
    setHeader(exchange.headers, propagate[i] as string, propagate[i + 1] as string);
  }
}
