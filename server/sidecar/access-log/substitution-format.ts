import type { JsonObject } from "@bufbuild/protobuf";
import { fail, ok, type Result } from "../../lib/result.ts";
import type { RequestRecord } from "../record.ts";
import { headerValue } from "./encode-entry.ts";
import { shortFlags } from "./response-flags.ts";

export type Formatter = (record: RequestRecord) => string;

/** Envoy's default text format. https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#default-format-string */
export const defaultTextFormat =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" ' +
  '"%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n';

/** A text with command operators, compiled once; an operator that is not supported is an error that names it. */
export function textFormatter(format: string): Result<Formatter, string> {
  const parts: (string | Operator)[] = [];
  const errors: string[] = [];
  let end = 0;
  for (const match of format.matchAll(/%%|%([A-Z_0-9]+)(?:\(([^)]*)\))?(?::(\d+))?%/g)) {
    parts.push(format.slice(end, match.index));
    end = match.index + match[0].length;
    if (match[0] === "%%") {
      parts.push("%");
      continue;
    }
    const operator = operatorOf(match[1] ?? "", match[2], match[3] === undefined ? undefined : Number(match[3]));
    if (operator === undefined) errors.push(`access log format: ${match[0]} is not supported`);
    else parts.push(operator);
  }
  parts.push(format.slice(end));
  if (errors.length > 0) return fail(...errors);
  return ok((record) => {
    let text = "";
    for (const part of parts) text += typeof part === "string" ? part : (part(record) ?? "-");
    return text;
  });
}

/** A JSON object whose string values are formats; a value that is a single operator keeps its number. One line per record. */
export function jsonFormatter(format: JsonObject): Result<Formatter, string> {
  const errors: string[] = [];
  const fields = Object.entries(format).map(([key, value]) => {
    if (typeof value !== "string") {
      errors.push(`access log json_format: ${key}: only text values are supported`);
      return [key, () => null] as const;
    }
    const single = /^%([A-Z_0-9]+)(?:\(([^)]*)\))?(?::(\d+))?%$/.exec(value);
    if (single) {
      const operator = operatorOf(single[1] ?? "", single[2], single[3] === undefined ? undefined : Number(single[3]));
      if (operator === undefined) errors.push(`access log json_format: ${key}: ${value} is not supported`);
      return [key, (record: RequestRecord) => operator?.(record) ?? null] as const;
    }
    const text = textFormatter(value);
    if (!text.ok) errors.push(...text.errors.map((error) => `access log json_format: ${key}: ${error}`));
    return [key, text.ok ? text.value : () => null] as const;
  });
  if (errors.length > 0) return fail(...errors);
  return ok((record) => `${JSON.stringify(Object.fromEntries(fields.map(([key, read]) => [key, read(record)])))}\n`);
}

/** Undefined stands for a value that is absent: `-` in text, null in JSON. */
type Operator = (record: RequestRecord) => string | number | undefined;

function operatorOf(name: string, argument: string | undefined, maxLength: number | undefined): Operator | undefined {
  const operator = headerOperator(name, argument) ?? (argument === undefined ? plain[name] : undefined);
  if (operator === undefined || maxLength === undefined) return operator;
  return (record) => {
    const value = operator(record);
    return typeof value === "string" ? value.slice(0, maxLength) : value;
  };
}

function headerOperator(name: string, argument: string | undefined): Operator | undefined {
  if ((name !== "REQ" && name !== "RESP") || !argument) return undefined;
  const [main = "", alternative] = argument.toLowerCase().split("?");
  const read = (record: RequestRecord, header: string) =>
    name === "RESP" ? headerValue(record.responseHeaders, header) : requestHeader(record, header);
  return (record) => read(record, main) || (alternative && read(record, alternative)) || undefined;
}

function requestHeader(record: RequestRecord, name: string): string {
  const pseudo = pseudoHeaders[name];
  return pseudo === undefined ? headerValue(record.requestHeaders, name) : pseudo(record);
}

const pseudoHeaders: Record<string, (record: RequestRecord) => string> = {
  ":method": (record) => record.method,
  ":path": (record) => record.path,
  ":authority": (record) => record.authority,
  ":scheme": (record) => record.scheme,
  "x-envoy-original-path": (record) => record.originalPath,
  "x-forwarded-for": (record) => record.forwardedFor,
  "x-request-id": (record) => record.requestId,
  "user-agent": (record) => record.userAgent,
};

const hostPort = (host: string, port: number) =>
  host === "" ? undefined : `${host.includes(":") ? `[${host}]` : host}:${port}`;
const time = (ms: number) => (ms > 0 ? Math.floor(ms) : undefined);

const plain: Record<string, Operator> = {
  START_TIME: (record) => new Date(record.startMs).toISOString(),
  PROTOCOL: (record) => record.protocol || undefined,
  RESPONSE_CODE: (record) => record.responseCode,
  RESPONSE_CODE_DETAILS: (record) => record.responseCodeDetails || undefined,
  RESPONSE_FLAGS: (record) => shortFlags(record.responseFlags),
  BYTES_RECEIVED: (record) => record.requestBodyBytes,
  BYTES_SENT: (record) => record.responseBodyBytes,
  DURATION: (record) => Math.floor(record.durationMs),
  REQUEST_DURATION: (record) => time(record.timeToLastDownstreamRxMs),
  RESPONSE_DURATION: (record) => time(record.timeToFirstUpstreamRxMs),
  UPSTREAM_HOST: (record) => hostPort(record.upstreamRemoteAddress, record.upstreamRemotePort),
  UPSTREAM_REMOTE_ADDRESS: (record) => hostPort(record.upstreamRemoteAddress, record.upstreamRemotePort),
  UPSTREAM_CLUSTER: (record) => record.upstreamCluster || undefined,
  UPSTREAM_CLUSTER_RAW: (record) => record.routedCluster || undefined,
  UPSTREAM_TRANSPORT_FAILURE_REASON: (record) => record.upstreamTransportFailureReason || undefined,
  UPSTREAM_REQUEST_ATTEMPT_COUNT: (record) => record.upstreamAttempts,
  ROUTE_NAME: (record) => record.routeName || undefined,
  DOWNSTREAM_LOCAL_ADDRESS: (record) => hostPort(record.downstreamLocalAddress, record.downstreamLocalPort),
  DOWNSTREAM_REMOTE_ADDRESS: (record) => hostPort(record.downstreamRemoteAddress, record.downstreamRemotePort),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: (record) => record.downstreamRemoteAddress || undefined,
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: (record) => hostPort(record.downstreamRemoteAddress, record.downstreamRemotePort),
  TRACE_ID: (record) => record.traceId || undefined,
  REQUESTED_SERVER_NAME: (record) => record.downstreamTls?.serverName || undefined,
  DOWNSTREAM_TLS_VERSION: (record) => record.downstreamTls?.version,
  DOWNSTREAM_TLS_CIPHER: (record) => record.downstreamTls?.cipher,
  DOWNSTREAM_PEER_URI_SAN: (record) => record.downstreamTls?.peer?.uris.join(",") || undefined,
  DOWNSTREAM_PEER_SUBJECT: (record) => record.downstreamTls?.peer?.subject || undefined,
  DOWNSTREAM_PEER_ISSUER: (record) => record.downstreamTls?.peer?.issuer || undefined,
  DOWNSTREAM_PEER_SERIAL: (record) => record.downstreamTls?.peer?.serialNumber,
  DOWNSTREAM_PEER_FINGERPRINT_256: (record) => record.downstreamTls?.peer?.hash,
  DOWNSTREAM_LOCAL_URI_SAN: (record) => record.downstreamTls?.local?.uris.join(",") || undefined,
  DOWNSTREAM_LOCAL_SUBJECT: (record) => record.downstreamTls?.local?.subject || undefined,
};
