import type { CelInput } from "@bufbuild/cel";
import { create } from "@bufbuild/protobuf";
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { LocalitySchema } from "../../../../gen/proto/envoy/config/core/v3/base_pb.js";
import { grpcStatusFor, grpcStatusOf } from "../../../http/grpc.ts";
import { getHeader, getJoined } from "../../../http/headers.ts";
import type { Metadata, RequestRecord } from "../../../record.ts";
import { responseFlagBits } from "../../../response-flags.ts";
import type { Operator } from "../operator.ts";
import { tlsAttributes } from "./tls-attributes.ts";

/** Undefined: the request has no such thing, and an expression that goes by it has no value. */
export type Read = (record: RequestRecord) => CelInput | undefined;
export type Attributes = Readonly<Record<string, Read>>;
type Compile = (command: string, param: string | undefined) => Operator;

/**
 * What expressions may go by, by the name of its object and its own, as far as a record has it.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
 */
export function attributes(compile: Compile): Readonly<Record<string, Attributes | undefined>> {
  const text = (command: string, param?: string): Read => {
    const operator = compile(command, param);
    return (record) => {
      const value = operator(record);
      return value === undefined || value === null ? undefined : String(value);
    };
  };
  const whole = (command: string): Read => {
    const operator = compile(command, undefined);
    return (record) => {
      const value = operator(record);
      return typeof value === "number" ? BigInt(value) : undefined;
    };
  };
  return {
    request: {
      ...requestTexts(text),
      headers: requestHeaders,
      headers_bytes: whole("REQUEST_HEADERS_BYTES"),
      time: ({ startMs }) => timestamp(startMs),
      duration: ({ durationMs }) => (durationMs > 0 ? duration(durationMs) : undefined),
      size: ({ requestHeaders: headers, requestBodyBytes }) => {
        const told = getHeader(headers, "content-length");
        if (told === undefined) return BigInt(requestBodyBytes);
        return /^\d{1,18}$/.test(told) ? BigInt(told) : undefined;
      },
      total_size: (record) => BigInt(record.requestBodyBytes) + size(whole("REQUEST_HEADERS_BYTES"), record),
    },
    response: {
      code: ({ responseCode }) => (responseCode === 0 ? undefined : BigInt(responseCode)),
      code_details: text("RESPONSE_CODE_DETAILS", "ALLOW_WHITESPACES"),
      flags: ({ responseFlags }) => BigInt(responseFlagBits(responseFlags)),
      grpc_status: grpcStatus,
      headers: ({ responseCode, responseHeaders }) => {
        const fields = fieldsOf(responseHeaders);
        return responseCode === 0 ? fields : fields.set(":status", String(responseCode));
      },
      headers_bytes: whole("RESPONSE_HEADERS_BYTES"),
      trailers: ({ responseTrailers }) => fieldsOf(responseTrailers ?? []),
      size: ({ responseBodyBytes }) => BigInt(responseBodyBytes),
      total_size: (record) =>
        BigInt(record.responseBodyBytes) +
        size(whole("RESPONSE_HEADERS_BYTES"), record) +
        size(whole("RESPONSE_TRAILERS_BYTES"), record),
      backend_latency: ({ timeToFirstUpstreamTxMs: sent, timeToLastUpstreamRxMs: received }) =>
        sent > 0 && received > 0 ? duration(received - sent) : undefined,
    },
    connection: {
      ...tlsAttributes(({ downstreamTls }) => downstreamTls),
      id: whole("CONNECTION_ID"),
      mtls: ({ downstreamTls }) => downstreamTls?.peer !== undefined,
      requested_server_name: ({ downstreamTls }) => downstreamTls?.serverName ?? "",
      termination_details: text("CONNECTION_TERMINATION_DETAILS"),
      // A connection whose handshake fails has no request.
      transport_failure_reason: () => undefined,
    },
    source: { address: text("DOWNSTREAM_REMOTE_ADDRESS"), port: whole("DOWNSTREAM_REMOTE_PORT") },
    destination: { address: text("DOWNSTREAM_LOCAL_ADDRESS"), port: whole("DOWNSTREAM_LOCAL_PORT") },
    upstream: {
      ...tlsAttributes(({ upstreamTls }) => upstreamTls),
      address: text("UPSTREAM_REMOTE_ADDRESS"),
      port: whole("UPSTREAM_REMOTE_PORT"),
      local_address: text("UPSTREAM_LOCAL_ADDRESS"),
      request_attempt_count: whole("UPSTREAM_REQUEST_ATTEMPT_COUNT"),
      transport_failure_reason: ({ upstreamHost, upstreamTransportFailureReason: reason }) => upstreamHost && reason,
      cx_pool_ready_duration: ({ upstreamProtocol, poolReadyMs }) =>
        upstreamProtocol === "" ? undefined : duration(poolReadyMs),
      locality: ({ upstreamHost }) => upstreamHost && create(LocalitySchema, upstreamHost.locality),
    },
    metadata: { filter_metadata: ({ dynamicMetadata }) => celOf(dynamicMetadata ?? {}) },
    xds: {
      cluster_name: text("UPSTREAM_CLUSTER_RAW"),
      cluster_metadata: ({ clusterMetadata }) => metadata(clusterMetadata),
      route_name: ({ routeName }) => routeName,
      route_metadata: ({ routeMetadata }) => metadata(routeMetadata),
      virtual_host_metadata: ({ virtualHostMetadata }) => metadata(virtualHostMetadata),
      upstream_host_metadata: ({ upstreamHostMetadata }) => metadata(upstreamHostMetadata),
      listener_metadata: ({ place }) => metadata(place?.listenerMetadata),
      filter_chain_name: ({ place }) => place?.chainName ?? "",
    },
  };
}

/** Those whose names are whoever's keeps them: any may be asked for. What filters keep is bytes here, as nothing of it has fields. */
export const openObjects: Readonly<Record<string, Read | undefined>> = {
  filter_state: ({ filterState }) =>
    new Map(
      Object.entries(filterState ?? {}).flatMap(([name, state]) => {
        const text = state.text();
        return text === undefined ? [] : [[name, Buffer.from(text)]];
      }),
    ),
  // Nothing here shares any with its upstream.
  upstream_filter_state: ({ upstreamHost }) => upstreamHost && new Map(),
};

const requestTexts = (text: (command: string, param?: string) => Read): Attributes => ({
  path: text("REQ", ":path"),
  url_path: ({ path }) => path.split("?", 1)[0],
  query: ({ path }) => /^[^?]*\?([^#]*)/.exec(path)?.[1] ?? "",
  host: text("REQ", ":authority"),
  scheme: text("REQ", ":scheme"),
  method: text("REQ", ":method"),
  referer: text("REQ", "referer"),
  useragent: text("REQ", "user-agent"),
  id: text("REQ", "x-request-id"),
  protocol: text("PROTOCOL"),
});

function requestHeaders({ requestHeaders: headers, method, path, authority, scheme }: RequestRecord): CelInput {
  const fields = fieldsOf(headers);
  for (const [name, value] of Object.entries({
    ":method": method,
    ":path": path,
    ":authority": authority,
    ":scheme": scheme,
  })) {
    if (value !== "") fields.set(name, value);
  }
  return fields;
}

/** Repeated ones joined. */
const fieldsOf = (headers: readonly string[]): Map<string, string> =>
  new Map(headers.flatMap((name, at) => (at % 2 === 0 ? [[name, getJoined(headers, name) ?? ""] as const] : [])));

/** What a call of gRPC was told or what its HTTP status means, be it one or not. */
function grpcStatus({ responseHeaders, responseTrailers, responseCode }: RequestRecord): CelInput | undefined {
  const told = grpcStatusOf(responseHeaders, responseTrailers);
  if (told !== undefined) return /^\d{1,9}$/.test(told) ? BigInt(told) : undefined;
  return responseCode === 0 ? undefined : BigInt(grpcStatusFor(responseCode));
}

function size(read: Read, record: RequestRecord): bigint {
  const value = read(record);
  return typeof value === "bigint" ? value : 0n;
}

const metadata = (of: Metadata | undefined): CelInput | undefined => of && new Map([["filter_metadata", celOf(of)]]);

/** JSON as CEL has it: objects are maps, and all numbers are doubles. */
function celOf(value: unknown): CelInput {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(celOf);
  if (typeof value !== "object" || value === null) return null;
  return new Map(Object.entries(value).map(([key, item]) => [key, celOf(item)]));
}

function timestamp(ms: number): Timestamp {
  return { $typeName: "google.protobuf.Timestamp", ...secondsOf(ms) };
}

function duration(ms: number): Duration {
  return { $typeName: "google.protobuf.Duration", ...secondsOf(ms) };
}

/** Microseconds are what a double keeps of a Unix time in milliseconds. */
function secondsOf(ms: number): { seconds: bigint; nanos: number } {
  const micros = BigInt(Math.round(ms * 1000));
  return { seconds: micros / 1_000_000n, nanos: Number(micros % 1_000_000n) * 1000 };
}
