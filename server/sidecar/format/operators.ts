import { hostname } from "node:os";
import { grpcStatusNames } from "../../wire/grpc-status.ts";
import { grpcStatusOf, isGrpc } from "../http/grpc.ts";
import { getHeader } from "../http/headers.ts";
import type { RequestRecord } from "../record.ts";
import { longFlags, shortFlags } from "../response-flags.ts";
import { compileTime } from "./start-time.ts";

/** Reads one value off a record; undefined: it has none. */
export type Operator = (record: RequestRecord) => string | number | undefined;

/** Finds and prepares an operator. Throws an Error that names what is not supported. */
export function compileOperator(name: string, argument: string | undefined): Operator {
  const operator = argument === undefined ? plain[name] : withArgument[name]?.(argument);
  if (operator === undefined) {
    throw new Error(`%${name}${argument === undefined ? "" : `(${argument})`}% is not supported`);
  }
  return operator;
}

const withArgument: Record<string, ((argument: string) => Operator | undefined) | undefined> = {
  REQ: (argument) => either(argument, requestHeader),
  RESP: (argument) => either(argument, ({ responseHeaders }, name) => getHeader(responseHeaders, name)),
  START_TIME: (argument) => {
    const format = compileTime(argument);
    return ({ startMs }) => format(startMs);
  },
  ENVIRONMENT: (argument) => {
    const value = process.env[argument];
    return () => value;
  },
  QUERY_PARAM: (argument) => (record) => queryParameter(record.path, argument),
  METADATA: metadata,
  DYNAMIC_METADATA: (argument) => metadata(`DYNAMIC:${argument}`),
  TRAILER: (argument) => either(argument, ({ responseTrailers }, name) => getHeader(responseTrailers ?? [], name)),
  GRPC_STATUS: grpcStatus,
};

/** `MAIN?OTHER`: the other header where there is no main one. Of a repeated header Envoy's formatter takes the first. */
function either(argument: string, read: (record: RequestRecord, name: string) => string | undefined): Operator {
  const [main = "", other] = argument.toLowerCase().split("?");
  return (record) => read(record, main) ?? (other === undefined ? undefined : read(record, other));
}

function requestHeader(record: RequestRecord, name: string): string | undefined {
  switch (name) {
    case ":method":
      return some(record.method);
    case ":path":
      return some(record.path);
    case ":authority":
    case "host":
      return some(record.authority);
    case ":scheme":
      return some(record.scheme);
    default:
      return getHeader(record.requestHeaders, name);
  }
}

function queryParameter(path: string, name: string): string | undefined {
  const question = path.indexOf("?");
  return question === -1 ? undefined : (new URLSearchParams(path.slice(question)).get(name) ?? undefined);
}

/** `CLUSTER:namespace:key:…`, `ROUTE:…`, `UPSTREAM_HOST:…`. */
function metadata(argument: string): Operator | undefined {
  const [kind = "", namespace = "", ...path] = argument.split(":");
  const source = metadataSources[kind];
  if (source === undefined) return undefined;
  return (record) => {
    let value: unknown = source(record)?.[namespace];
    for (const segment of path) value = (value as Record<string, unknown> | null | undefined)?.[segment];
    if (value === undefined || value === null) return undefined;
    return typeof value === "string" || typeof value === "number" ? value : sortedJson(value);
  };
}

/** A Struct has no order of keys: Envoy writes them sorted. */
const sortedJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

const metadataSources: Record<string, ((record: RequestRecord) => RequestRecord["routeMetadata"]) | undefined> = {
  DYNAMIC: ({ dynamicMetadata }) => dynamicMetadata,
  CLUSTER: ({ clusterMetadata }) => clusterMetadata,
  ROUTE: ({ routeMetadata }) => routeMetadata,
  UPSTREAM_HOST: ({ upstreamHostMetadata }) => upstreamHostMetadata,
};

function grpcStatus(form: string): Operator | undefined {
  switch (form) {
    case "NUMBER":
      return grpcNumber;
    case "CAMEL_STRING":
      return (record) => grpcName(record)?.camel;
    case "SNAKE_STRING":
      return (record) => grpcName(record)?.snake;
    default:
      return undefined;
  }
}

function grpcNumber({ requestHeaders, responseHeaders, responseTrailers }: RequestRecord): number | undefined {
  if (!isGrpc(requestHeaders)) return undefined;
  const status = grpcStatusOf(responseHeaders, responseTrailers);
  return status !== undefined && /^\d{1,9}$/.test(status) ? Number(status) : undefined;
}

function grpcName(record: RequestRecord): { camel: string; snake: string } | undefined {
  const status = grpcNumber(record);
  if (status === undefined) return undefined;
  const snake = grpcStatusNames[status] ?? String(status);
  if (snake === "OK") return { camel: "OK", snake };
  return { camel: snake.toLowerCase().replace(/(^|_)(\w)/g, (_, __, letter: string) => letter.toUpperCase()), snake };
}

const some = (text: string | undefined): string | undefined => (text === "" ? undefined : text);
const port = (value: number): number | undefined => (value === 0 ? undefined : value);
const time = (ms: number): number | undefined => (ms > 0 ? Math.floor(ms) : undefined);
const since = (from: number, to: number): number | undefined =>
  from > 0 && to > 0 ? Math.max(0, Math.floor(to - from)) : undefined;

const hostPort = (host: string, value: number): string | undefined =>
  host === "" ? undefined : `${host.includes(":") ? `[${host}]` : host}:${value}`;

/** Of `ip:port` as sockets tell it, without brackets. */
const localHost = (local: string): string => local.slice(0, Math.max(0, local.lastIndexOf(":")));
const localPort = (local: string): number => Number(local.slice(local.lastIndexOf(":") + 1));

const machine = hostname();

// https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter
const plain: Record<string, Operator | undefined> = {
  START_TIME: ({ startMs }) => new Date(startMs).toISOString(),
  HOSTNAME: () => machine,
  PROTOCOL: ({ protocol }) => some(protocol),
  RESPONSE_CODE: ({ responseCode }) => responseCode,
  RESPONSE_CODE_DETAILS: ({ responseCodeDetails }) => some(responseCodeDetails.replaceAll(" ", "_")),
  RESPONSE_FLAGS: ({ responseFlags }) => shortFlags(responseFlags),
  RESPONSE_FLAGS_LONG: ({ responseFlags }) => longFlags(responseFlags),
  BYTES_RECEIVED: ({ requestBodyBytes }) => requestBodyBytes,
  BYTES_SENT: ({ responseBodyBytes }) => responseBodyBytes,
  REQUEST_HEADERS_BYTES: ({ requestHeadersBytes }) => requestHeadersBytes,
  RESPONSE_HEADERS_BYTES: ({ responseHeadersBytes }) => responseHeadersBytes,
  // In a header of the response the request is not over: what has passed till now.
  DURATION: (record) => Math.floor(record.durationMs || performance.now() - record.startMonotonicMs),
  REQUEST_DURATION: ({ timeToLastDownstreamRxMs }) => time(timeToLastDownstreamRxMs),
  REQUEST_TX_DURATION: ({ timeToLastUpstreamTxMs }) => time(timeToLastUpstreamTxMs),
  RESPONSE_DURATION: ({ timeToFirstUpstreamRxMs }) => time(timeToFirstUpstreamRxMs),
  RESPONSE_TX_DURATION: ({ timeToFirstUpstreamRxMs, timeToLastDownstreamTxMs }) =>
    since(timeToFirstUpstreamRxMs, timeToLastDownstreamTxMs),
  UPSTREAM_HOST: (record) => hostPort(record.upstreamRemoteAddress, record.upstreamRemotePort),
  UPSTREAM_REMOTE_ADDRESS: (record) => hostPort(record.upstreamRemoteAddress, record.upstreamRemotePort),
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: (record) => some(record.upstreamRemoteAddress),
  UPSTREAM_REMOTE_PORT: (record) => port(record.upstreamRemotePort),
  UPSTREAM_LOCAL_ADDRESS: ({ upstreamLocalAddress: local }) => hostPort(localHost(local), localPort(local)),
  UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: ({ upstreamLocalAddress }) => some(localHost(upstreamLocalAddress)),
  UPSTREAM_LOCAL_PORT: ({ upstreamLocalAddress }) => port(localPort(upstreamLocalAddress)),
  UPSTREAM_CLUSTER: (record) => some(record.upstreamCluster),
  UPSTREAM_CLUSTER_RAW: (record) => some(record.routedCluster),
  UPSTREAM_TRANSPORT_FAILURE_REASON: (record) => some(record.upstreamTransportFailureReason.replaceAll(" ", "_")),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: (record) => record.upstreamAttempts,
  ROUTE_NAME: (record) => some(record.routeName),
  DOWNSTREAM_REMOTE_ADDRESS: (record) => hostPort(record.downstreamRemoteAddress, record.downstreamRemotePort),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: (record) => some(record.downstreamRemoteAddress),
  DOWNSTREAM_REMOTE_PORT: (record) => port(record.downstreamRemotePort),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: (record) => hostPort(record.downstreamRemoteAddress, record.downstreamRemotePort),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: (record) => some(record.downstreamRemoteAddress),
  DOWNSTREAM_DIRECT_REMOTE_PORT: (record) => port(record.downstreamRemotePort),
  DOWNSTREAM_LOCAL_ADDRESS: (record) => hostPort(record.downstreamLocalAddress, record.downstreamLocalPort),
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: (record) => some(record.downstreamLocalAddress),
  DOWNSTREAM_LOCAL_PORT: (record) => port(record.downstreamLocalPort),
  STREAM_ID: (record) => some(record.requestId),
  TRACE_ID: (record) => some(record.traceId),
  GRPC_STATUS: (record) => grpcName(record)?.camel,
  GRPC_STATUS_NUMBER: grpcNumber,
  REQUESTED_SERVER_NAME: ({ downstreamTls: tls }) => some(tls?.serverName),
  DOWNSTREAM_TLS_VERSION: ({ downstreamTls: tls }) => tls?.version,
  DOWNSTREAM_TLS_CIPHER: ({ downstreamTls: tls }) => tls?.cipher,
  DOWNSTREAM_PEER_URI_SAN: ({ downstreamTls: tls }) => some(tls?.peer?.uris.join(",")),
  DOWNSTREAM_PEER_SUBJECT: ({ downstreamTls: tls }) => some(tls?.peer?.subject),
  DOWNSTREAM_PEER_ISSUER: ({ downstreamTls: tls }) => some(tls?.peer?.issuer),
  DOWNSTREAM_PEER_SERIAL: ({ downstreamTls: tls }) => tls?.peer?.serialNumber,
  DOWNSTREAM_PEER_FINGERPRINT_256: ({ downstreamTls: tls }) => tls?.peer?.hash,
  DOWNSTREAM_LOCAL_URI_SAN: ({ downstreamTls: tls }) => some(tls?.local?.uris.join(",")),
  DOWNSTREAM_LOCAL_SUBJECT: ({ downstreamTls: tls }) => some(tls?.local?.subject),
};
