import { getHeader, toWire } from "../http1/headers.ts";
import type { RequestRecord } from "../record.ts";
import { flagNames } from "./flag-names.ts";

/** A header value from configuration: constant, or computed from the request. Undefined means that the operator has no value. */
export type ValueFormat = string | ((record: RequestRecord) => string | undefined);

/**
 * Compiles Envoy's `%COMMAND(args):length%` format. Throws on an operator that is not supported, so that the config is refused by name.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators
 */
export function compileFormat(text: string): ValueFormat {
  if (!text.includes("%")) return toWire(text);
  const parts: (string | Operator)[] = [];
  let at = 0;
  for (const match of text.matchAll(/%%|%([A-Z0-9_]+)(?:\(([^)]*)\))?(?::(\d+))?%/g)) {
    if (match.index > at) parts.push(literal(text.slice(at, match.index)));
    at = match.index + match[0].length;
    parts.push(match[1] === undefined ? "%" : operator(match[1], match[2], match[3]));
  }
  if (at < text.length) parts.push(literal(text.slice(at)));
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return (record) => parts.map((part) => (typeof part === "string" ? part : (part(record) ?? ""))).join("");
}

export const formatValue = (format: ValueFormat, record: RequestRecord): string | undefined =>
  typeof format === "string" ? format : format(record);

type Operator = (record: RequestRecord) => string | undefined;

function literal(text: string): string {
  if (text.includes("%")) throw new Error(`format ${JSON.stringify(text)}: not supported`);
  return toWire(text);
}

function operator(name: string, argument: string | undefined, length: string | undefined): Operator {
  const base = argument === undefined ? plainOperators[name] : withArgument(name, argument);
  if (base === undefined) throw new Error(`format %${name}%: not supported`);
  if (length === undefined) return base;
  const max = Number(length);
  return (record) => base(record)?.slice(0, max);
}

function withArgument(name: string, argument: string): Operator | undefined {
  const [first = "", second] = argument.toLowerCase().split("?");
  switch (name) {
    case "REQ":
      return (record) =>
        requestValue(record, first) ?? (second === undefined ? undefined : requestValue(record, second));
    case "RESP":
      return (record) =>
        getHeader(record.responseHeaders, first) ??
        (second === undefined ? undefined : getHeader(record.responseHeaders, second));
    default:
      return undefined;
  }
}

function requestValue(record: RequestRecord, name: string): string | undefined {
  switch (name) {
    case ":method":
      return record.method;
    case ":path":
      return record.path;
    case ":authority":
    case "host":
      return record.authority;
    case ":scheme":
      return record.scheme;
    default:
      return getHeader(record.requestHeaders, name);
  }
}

const present = (text: string): string | undefined => (text === "" ? undefined : text);

const plainOperators: Record<string, Operator | undefined> = {
  PROTOCOL: (record) => record.protocol,
  ROUTE_NAME: (record) => present(record.routeName),
  RESPONSE_CODE: (record) => String(record.responseCode),
  RESPONSE_CODE_DETAILS: (record) => present(record.responseCodeDetails),
  RESPONSE_FLAGS: (record) => present(flagNames(record.responseFlags).join(",")),
  UPSTREAM_CLUSTER: (record) => present(record.upstreamCluster),
  UPSTREAM_HOST: (record) =>
    record.upstreamRemoteAddress === "" ? undefined : `${record.upstreamRemoteAddress}:${record.upstreamRemotePort}`,
  UPSTREAM_REMOTE_ADDRESS: (record) =>
    record.upstreamRemoteAddress === "" ? undefined : `${record.upstreamRemoteAddress}:${record.upstreamRemotePort}`,
  UPSTREAM_LOCAL_ADDRESS: (record) => present(record.upstreamLocalAddress),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: (record) => String(record.upstreamAttempts),
  DOWNSTREAM_REMOTE_ADDRESS: (record) => `${record.downstreamRemoteAddress}:${record.downstreamRemotePort}`,
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: (record) => record.downstreamRemoteAddress,
  DOWNSTREAM_REMOTE_PORT: (record) => String(record.downstreamRemotePort),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: (record) => `${record.downstreamRemoteAddress}:${record.downstreamRemotePort}`,
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: (record) => record.downstreamRemoteAddress,
  DOWNSTREAM_LOCAL_ADDRESS: (record) => `${record.downstreamLocalAddress}:${record.downstreamLocalPort}`,
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: (record) => record.downstreamLocalAddress,
  DOWNSTREAM_LOCAL_PORT: (record) => String(record.downstreamLocalPort),
  START_TIME: (record) => new Date(record.startMs).toISOString(),
  BYTES_RECEIVED: (record) => String(record.requestBodyBytes),
  STREAM_ID: (record) => present(record.requestId),
  TRACE_ID: (record) => present(record.traceId),
  REQUESTED_SERVER_NAME: (record) => present(record.downstreamTls?.serverName ?? ""),
  DOWNSTREAM_TLS_VERSION: (record) => record.downstreamTls?.version,
  DOWNSTREAM_PEER_URI_SAN: (record) => present(record.downstreamTls?.peer?.uris.join(",") ?? ""),
  DOWNSTREAM_PEER_SUBJECT: (record) => present(record.downstreamTls?.peer?.subject ?? ""),
  DOWNSTREAM_LOCAL_URI_SAN: (record) => present(record.downstreamTls?.local?.uris.join(",") ?? ""),
};
