import { toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { RequestMethod } from "../../../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  type HealthCheck_GrpcHealthCheck as GrpcProto,
  type HealthCheck,
  HealthCheckSchema,
  type HealthCheck_HttpHealthCheck as HttpProto,
  type HealthCheck_Payload as Payload,
  type HealthCheck_TcpHealthCheck as TcpProto,
} from "../../../gen/proto/envoy/config/core/v3/health_check_pb.js";
import { HealthCheckEventFileSinkSchema } from "../../../gen/proto/envoy/extensions/health_check/event_sinks/file/v3/file_pb.js";
import { CodecClientType } from "../../../gen/proto/envoy/type/v3/http_pb.js";
import type { Int64Range } from "../../../gen/proto/envoy/type/v3/range_pb.js";
import { at, each, together } from "../../config/problems.ts";
import { durationMs } from "../../duration.ts";
import { toWire } from "../../http/headers.ts";
import { compileHeaderOps, type HeaderOp } from "../../route/header-ops.ts";
import { compileString } from "../../text/string-matcher.ts";

/** Active checks of one cluster's hosts. Times in ms. */
export interface HealthCheckConfig {
  /** Equal for equal settings. */
  readonly key: string;
  readonly timeoutMs: number;
  readonly intervals: CheckIntervals;
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
  readonly reuseConnection: boolean;
  /** In the place of what endpoints say of the transport that they are connected to by; undefined: as their requests. */
  readonly transport: Readonly<Record<string, unknown>> | undefined;
  readonly check: HttpCheckConfig | TcpCheckConfig | GrpcCheckConfig;
  readonly events: CheckEventConfig;
}

/** Which files are told of what happens, and of what besides changes. */
export interface CheckEventConfig {
  readonly paths: readonly string[];
  readonly everyFailure: boolean;
  readonly everySuccess: boolean;
}

/** How long to wait before the next check. */
export interface CheckIntervals {
  readonly normalMs: number;
  readonly unhealthyMs: number;
  /** While a change to unhealthy is under way, and to healthy. */
  readonly unhealthyEdgeMs: number;
  readonly healthyEdgeMs: number;
  /** While nobody has used the cluster yet. */
  readonly noTrafficMs: number;
  readonly noTrafficHealthyMs: number;
  /** At most so much is waited before the first. */
  readonly initialJitterMs: number;
  readonly jitterMs: number;
  readonly jitterPercent: number;
}

export interface HttpCheckConfig {
  readonly kind: "http";
  readonly protocol: "http1" | "http2";
  readonly method: string;
  readonly path: string;
  /** "": the cluster's name. */
  readonly host: string;
  readonly headers: readonly HeaderOp[];
  readonly send: Buffer;
  /** Has to stand in the body, in this order. */
  readonly receive: readonly Buffer[];
  readonly maxBytes: number;
  readonly expects: (status: number) => boolean;
  /** Statuses that count towards the threshold instead of failing at once. */
  readonly retries: (status: number) => boolean;
  /** Of the cluster that answers; undefined: any. */
  readonly serviceName: ((name: string) => boolean) | undefined;
}

export interface TcpCheckConfig {
  readonly kind: "tcp";
  readonly send: Buffer;
  /** Empty: that it can be connected to is enough. */
  readonly receive: readonly Buffer[];
}

export interface GrpcCheckConfig {
  readonly kind: "grpc";
  readonly service: string;
  readonly authority: string;
  readonly headers: readonly HeaderOp[];
}

/** Throws an Error naming the field. Unsupported fields were refused before. @param http2 whether the cluster speaks it */
export function compileHealthChecks(checks: readonly HealthCheck[], http2: boolean): HealthCheckConfig | undefined {
  if (checks.length > 1) throw new Error("health_checks: at most one");
  return each("health_checks", checks, (check) => compileCheck(check, http2))[0];
}

function compileCheck(config: HealthCheck, http2: boolean): HealthCheckConfig {
  const { healthyThreshold, unhealthyThreshold } = config;
  return together<HealthCheckConfig>({
    key: () => Buffer.from(toBinary(HealthCheckSchema, config)).toString("base64"),
    timeoutMs: () => positive("timeout", durationMs(config.timeout)),
    intervals: () => intervalsOf(config),
    healthyThreshold: () => required("healthy_threshold", healthyThreshold),
    unhealthyThreshold: () => required("unhealthy_threshold", unhealthyThreshold),
    reuseConnection: () => config.reuseConnection ?? true,
    transport: () => config.transportSocketMatchCriteria,
    check: () => checkOf(config.healthChecker, http2),
    events: () => eventsOf(config),
  });
}

function checkOf(checker: HealthCheck["healthChecker"], http2: boolean): HealthCheckConfig["check"] {
  switch (checker.case) {
    case "httpHealthCheck":
      return at("http_health_check", () => httpCheck(checker.value));
    case "tcpHealthCheck":
      return at("tcp_health_check", () => tcpCheck(checker.value));
    case "grpcHealthCheck":
      if (!http2) throw new Error("grpc_health_check: needs a cluster that speaks HTTP/2");
      return at("grpc_health_check", () => grpcCheck(checker.value));
    default:
      throw new Error("health_checker: one of http_health_check, tcp_health_check, grpc_health_check is required");
  }
}

/** The older field names one file, sinks any number of them. */
function eventsOf(config: HealthCheck): CheckEventConfig {
  const sinks = each("event_logger", config.eventLogger, ({ typedConfig }) => {
    const sink = typedConfig && anyUnpack(typedConfig, HealthCheckEventFileSinkSchema);
    if (sink === undefined) throw new Error(`typed_config: must be a ${HealthCheckEventFileSinkSchema.typeName}`);
    if (sink.eventLogPath === "") throw new Error("typed_config.event_log_path: required");
    return sink.eventLogPath;
  });
  return {
    paths: config.eventLogPath === "" ? sinks : [...sinks, config.eventLogPath],
    everyFailure: config.alwaysLogHealthCheckFailures,
    everySuccess: config.alwaysLogHealthCheckSuccess,
  };
}

function intervalsOf(config: HealthCheck): CheckIntervals {
  const normalMs = positive("interval", durationMs(config.interval));
  const unhealthyMs = durationMs(config.unhealthyInterval) ?? normalMs;
  const noTrafficMs = durationMs(config.noTrafficInterval) ?? 60_000;
  return {
    normalMs,
    unhealthyMs,
    unhealthyEdgeMs: durationMs(config.unhealthyEdgeInterval) ?? unhealthyMs,
    healthyEdgeMs: durationMs(config.healthyEdgeInterval) ?? normalMs,
    noTrafficMs,
    noTrafficHealthyMs: durationMs(config.noTrafficHealthyInterval) ?? noTrafficMs,
    initialJitterMs: durationMs(config.initialJitter) ?? 0,
    jitterMs: durationMs(config.intervalJitter) ?? 0,
    jitterPercent: config.intervalJitterPercent,
  };
}

function httpCheck(config: HttpProto): HttpCheckConfig {
  if (config.path === "") throw new Error("path: required");
  const method = RequestMethod[config.method || RequestMethod.GET];
  const send = payload("send", config.send);
  if (send.length > 0 && !["POST", "PUT", "PATCH", "OPTIONS"].includes(method)) {
    throw new Error(`send: a ${method} request has no body`);
  }
  const receive = each("receive", config.receive, (part) => payload("", part));
  const limit = Number(config.responseBufferSize ?? 1024n);
  const bytes = receive.reduce((sum, part) => sum + part.length, 0);
  if (limit !== 0 && bytes > limit) throw new Error(`response_buffer_size: ${limit} is less than what receive has`);
  const { serviceNameMatcher } = config;
  return {
    kind: "http",
    protocol: httpProtocol(config.codecClientType),
    method,
    path: toWire(config.path),
    host: toWire(config.host),
    headers: compileHeaderOps("request", config.requestHeadersToAdd, config.requestHeadersToRemove),
    send,
    receive,
    maxBytes: limit === 0 ? largestAnswer : limit,
    expects: statusTest("expected_statuses", config.expectedStatuses, 200),
    retries: statusTest("retriable_statuses", config.retriableStatuses, undefined),
    serviceName: serviceNameMatcher && at("service_name_matcher", () => compileString(serviceNameMatcher)),
  };
}

/** A peer that never ends its answer must not fill the memory. */
const largestAnswer = 1_048_576;

function httpProtocol(type: CodecClientType): "http1" | "http2" {
  if (type === CodecClientType.HTTP3) throw new Error("codec_client_type: HTTP3 is not supported");
  return type === CodecClientType.HTTP2 ? "http2" : "http1";
}

const tcpCheck = (config: TcpProto): TcpCheckConfig => ({
  kind: "tcp",
  send: payload("send", config.send),
  receive: each("receive", config.receive, (part) => payload("", part)),
});

const grpcCheck = (config: GrpcProto): GrpcCheckConfig => ({
  kind: "grpc",
  service: config.serviceName,
  authority: toWire(config.authority),
  headers: at("initial_metadata", () => compileHeaderOps("request", config.initialMetadata, [])),
});

function statusTest(
  field: string,
  ranges: readonly Int64Range[],
  otherwise: number | undefined,
): (status: number) => boolean {
  const compiled = each(field, ranges, ({ start, end }) => {
    if (start < 100n || end > 600n || start >= end) {
      throw new Error(`must begin at 100 or later and end by 600, not be ${start} to ${end}`);
    }
    return { start: Number(start), end: Number(end) };
  });
  if (compiled.length === 0) return (status) => status === otherwise;
  return (status) => compiled.some(({ start, end }) => status >= start && status < end);
}

/** Text is in hexadecimal digits. */
function payload(field: string, config: Payload | undefined): Buffer {
  const value = config?.payload;
  if (value?.case === "binary") return Buffer.from(value.value);
  if (value?.case !== "text") return Buffer.alloc(0);
  if (value.value.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(value.value)) {
    throw new Error(`${field === "" ? "" : `${field}.`}text: must be pairs of hexadecimal digits, not ${value.value}`);
  }
  return Buffer.from(value.value, "hex");
}

function positive(field: string, ms: number | undefined): number {
  if (ms === undefined || ms <= 0) throw new Error(`${field}: required, and more than 0`);
  return ms;
}

function required(field: string, value: number | undefined): number {
  if (value === undefined) throw new Error(`${field}: required`);
  return value;
}
