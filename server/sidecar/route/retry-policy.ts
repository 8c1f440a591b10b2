import type { JsonObject } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type RetryPolicy_RetryHostPredicate as PredicateProto,
  type RetryPolicy_RetryPriority as PriorityProto,
  type RetryPolicy_RateLimitedRetryBackOff as RateLimitedProto,
  RetryPolicy_ResetHeaderFormat as ResetFormat,
  type RetryPolicy,
} from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { OmitCanaryHostsPredicateSchema } from "../../gen/proto/envoy/extensions/retry/host/omit_canary_hosts/v3/omit_canary_hosts_pb.js";
import { OmitHostMetadataConfigSchema } from "../../gen/proto/envoy/extensions/retry/host/omit_host_metadata/v3/omit_host_metadata_config_pb.js";
import { PreviousHostsPredicateSchema } from "../../gen/proto/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import { PreviousPrioritiesConfigSchema } from "../../gen/proto/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
import { each, together } from "../config/problems.ts";
import { durationMs } from "../duration.ts";
import { getHeader } from "../http/headers.ts";
import type { StreamReset } from "../http/stream.ts";
import { allMatch, compileHeaders, type RequestTest } from "../match/header-matcher.ts";
import type { RequestView } from "../match/request-view.ts";

/** How an attempt ended without a usable response. */
export type ResetReason = StreamReset | "per_try_timeout" | "per_try_idle_timeout";

export interface CompiledRetryPolicy {
  readonly conditions: number;
  readonly numRetries: number;
  readonly perTryTimeoutMs: number;
  /** Between two bytes of an attempt; 0: as long as it takes. */
  readonly perTryIdleMs: number;
  readonly statusCodes: ReadonlySet<number>;
  readonly responseHeaders: readonly RequestTest[];
  readonly requestHeaders: readonly RequestTest[];
  readonly baseIntervalMs: number;
  readonly maxIntervalMs: number;
  /** Empty: what a response says of its limit counts for nothing. */
  readonly resetHeaders: readonly ResetHeader[];
  /** Longer ones are not waited for. */
  readonly maxResetMs: number;
  readonly avoid: AvoidedHosts;
  readonly hostSelectionAttempts: number;
  /** After so many attempts the priorities that were tried are left out; 0: never. */
  readonly priorityUpdateEvery: number;
}

/** A response header that says when to come back. */
export interface ResetHeader {
  readonly name: string;
  /** Seconds since 1970 instead of from now. */
  readonly isTimestamp: boolean;
}

/** Which hosts a retry should not go to. */
export interface AvoidedHosts {
  readonly previous: boolean;
  readonly canaries: boolean;
  /** What `envoy.lb` metadata of theirs has all of; undefined: none by metadata. */
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
}

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-retry-on */
export function compileRetryPolicy(policy: RetryPolicy | undefined): CompiledRetryPolicy | undefined {
  if (policy === undefined) return undefined;
  const base = durationMs(policy.retryBackOff?.baseInterval) ?? 25;
  const parts = together<
    Pick<
      CompiledRetryPolicy,
      | "conditions"
      | "responseHeaders"
      | "requestHeaders"
      | "avoid"
      | "priorityUpdateEvery"
      | "resetHeaders"
      | "maxIntervalMs"
    >
  >({
    conditions: () => parseConditions(policy.retryOn),
    responseHeaders: () => compileHeaders(policy.retriableHeaders, "retriable_headers"),
    requestHeaders: () => compileHeaders(policy.retriableRequestHeaders, "retriable_request_headers"),
    avoid: () => compileAvoided(policy.retryHostPredicate),
    priorityUpdateEvery: () => updateFrequency(policy.retryPriority),
    resetHeaders: () => compileResetHeaders(policy.rateLimitedRetryBackOff),
    maxIntervalMs: () => maxInterval(durationMs(policy.retryBackOff?.maxInterval), base),
  });
  return {
    ...parts,
    numRetries: policy.numRetries ?? 1,
    perTryTimeoutMs: durationMs(policy.perTryTimeout) ?? 0,
    perTryIdleMs: durationMs(policy.perTryIdleTimeout) ?? 0,
    statusCodes: new Set(policy.retriableStatusCodes),
    baseIntervalMs: base,
    maxResetMs: durationMs(policy.rateLimitedRetryBackOff?.maxInterval) ?? 300_000,
    hostSelectionAttempts: Math.max(1, Number(policy.hostSelectionRetryMaxAttempts)),
  };
}

function maxInterval(ms: number | undefined, base: number): number {
  if (ms !== undefined && ms < base)
    throw new Error("retry_back_off.max_interval: must not be less than base_interval");
  return ms ?? base * 10;
}

function compileAvoided(predicates: readonly PredicateProto[]): AvoidedHosts {
  const all = each("retry_host_predicate", predicates, compilePredicate);
  return {
    previous: all.some(({ previous }) => previous),
    canaries: all.some(({ canaries }) => canaries),
    metadata: all.find(({ metadata }) => metadata !== undefined)?.metadata,
  };
}

function compilePredicate({ name, configType }: PredicateProto): AvoidedHosts {
  const any = configType.case === "typedConfig" ? configType.value : undefined;
  if (any !== undefined && anyUnpack(any, OmitCanaryHostsPredicateSchema)) return { ...anyHostAgain, canaries: true };
  const omitted = any && anyUnpack(any, OmitHostMetadataConfigSchema);
  if (omitted !== undefined) {
    const metadata: JsonObject = omitted.metadataMatch?.filterMetadata["envoy.lb"] ?? {};
    return { ...anyHostAgain, metadata };
  }
  if (any === undefined || anyUnpack(any, PreviousHostsPredicateSchema) !== undefined) {
    return { ...anyHostAgain, previous: true };
  }
  throw new Error(`${JSON.stringify(name)} is not supported`);
}

const anyHostAgain: AvoidedHosts = { previous: false, canaries: false, metadata: undefined };

function updateFrequency(priority: PriorityProto | undefined): number {
  if (priority === undefined) return 0;
  const any = priority.configType.case === "typedConfig" ? priority.configType.value : undefined;
  const frequency = any && anyUnpack(any, PreviousPrioritiesConfigSchema)?.updateFrequency;
  if (!frequency) throw new Error("retry_priority.typed_config.update_frequency: required, and more than 0");
  return frequency;
}

function compileResetHeaders(config: RateLimitedProto | undefined): ResetHeader[] {
  if (config === undefined) return [];
  if (config.resetHeaders.length === 0)
    throw new Error("rate_limited_retry_back_off.reset_headers: needs at least one");
  return each("rate_limited_retry_back_off.reset_headers", config.resetHeaders, ({ name, format }) => {
    if (name === "") throw new Error("name: required");
    return { name: name.toLowerCase(), isTimestamp: format === ResetFormat.UNIX_TIMESTAMP };
  });
}

/** How long a response asks to be left alone, in ms; undefined: it doesn't, or for longer than anybody waits. @param wallMs since 1970 */
export function resetMs(policy: CompiledRetryPolicy, headers: readonly string[], wallMs: number): number | undefined {
  for (const { name, isTimestamp } of policy.resetHeaders) {
    const text = getHeader(headers, name)?.trim() ?? "";
    if (!/^\d{1,15}$/.test(text)) continue;
    const seconds = isTimestamp ? Number(text) - Math.floor(wallMs / 1000) : Number(text);
    const ms = seconds * 1000;
    if (seconds >= 0 && ms <= policy.maxResetMs) return ms > 1 ? ms : undefined;
  }
  return undefined;
}

/** Whether the request may be retried at all: any of `retriable_request_headers`, when given. */
export const requestRetriable = (policy: CompiledRetryPolicy, view: RequestView): boolean =>
  policy.conditions !== 0 &&
  (policy.requestHeaders.length === 0 || policy.requestHeaders.some((test) => allMatch([test], view)));

export function retriesResponse(policy: CompiledRetryPolicy, status: number, headers: readonly string[]): boolean {
  const on = policy.conditions;
  // Another proxy's answer: whether it may be asked again has a condition of its own.
  if (getHeader(headers, "x-envoy-ratelimited") !== undefined) return (on & C.envoyRateLimited) !== 0;
  if ((on & C.fiveXx) !== 0 && status >= 500) return true;
  if ((on & C.gatewayError) !== 0 && status >= 502 && status <= 504) return true;
  if ((on & C.retriable4xx) !== 0 && status === 409) return true;
  if ((on & C.statusCodes) !== 0 && policy.statusCodes.has(status)) return true;
  if ((on & C.responseHeaders) !== 0 && matchesAny(policy.responseHeaders, headers)) return true;
  return (on & C.grpc) !== 0 && retriesGrpc(on, getHeader(headers, "grpc-status"));
}

/** @param sent whether any byte of the request may have reached the upstream */
export function retriesReset(policy: CompiledRetryPolicy, reason: ResetReason, sent: boolean): boolean {
  // A full circuit breaker would only be filled more.
  if (reason === "overflow") return false;
  const on = policy.conditions;
  if ((on & (C.reset | C.fiveXx | C.gatewayError)) !== 0) return true;
  if ((on & C.connectFailure) !== 0 && (reason === "connection_failure" || reason === "connection_timeout"))
    return true;
  if ((on & C.refusedStream) !== 0 && reason === "refused_stream") return true;
  return (on & C.resetBeforeRequest) !== 0 && !sent;
}

/** Fully jittered exponential back-off: a random time below base × 2^(n − 1), capped. @param retry counts from 1 */
export function backOffMs(policy: CompiledRetryPolicy, retry: number, random: () => number): number {
  return random() * Math.min(policy.maxIntervalMs, policy.baseIntervalMs * 2 ** (retry - 1));
}

const C = {
  fiveXx: 1 << 0,
  gatewayError: 1 << 1,
  connectFailure: 1 << 2,
  retriable4xx: 1 << 3,
  reset: 1 << 4,
  statusCodes: 1 << 5,
  responseHeaders: 1 << 6,
  envoyRateLimited: 1 << 7,
  resetBeforeRequest: 1 << 8,
  cancelled: 1 << 9,
  deadlineExceeded: 1 << 10,
  internal: 1 << 11,
  resourceExhausted: 1 << 12,
  unavailable: 1 << 13,
  refusedStream: 1 << 14,
  grpc: (1 << 9) | (1 << 10) | (1 << 11) | (1 << 12) | (1 << 13),
};

const conditionBits: Record<string, number | undefined> = {
  "5xx": C.fiveXx,
  "gateway-error": C.gatewayError,
  "connect-failure": C.connectFailure,
  "retriable-4xx": C.retriable4xx,
  "refused-stream": C.refusedStream,
  "http3-post-connect-failure": 0,
  reset: C.reset,
  "reset-before-request": C.resetBeforeRequest,
  "retriable-status-codes": C.statusCodes,
  "retriable-headers": C.responseHeaders,
  "envoy-ratelimited": C.envoyRateLimited,
  cancelled: C.cancelled,
  "deadline-exceeded": C.deadlineExceeded,
  internal: C.internal,
  "resource-exhausted": C.resourceExhausted,
  unavailable: C.unavailable,
};

function parseConditions(retryOn: string): number {
  for (const raw of retryOn.split(",")) {
    const name = raw.trim();
    if (name !== "" && !Object.hasOwn(conditionBits, name)) {
      throw new Error(`retry_on: ${JSON.stringify(name)} is not supported`);
    }
  }
  return knownConditions(retryOn);
}

/** The conditions of a list; names that are not known count for nothing, as in Envoy when a request brings them. */
export function knownConditions(retryOn: string): number {
  let conditions = 0;
  for (const name of retryOn.split(",")) conditions |= conditionBits[name.trim()] ?? 0;
  return conditions;
}

/** What holds where a request asks for retries and its route has no policy. */
export const defaultRetryPolicy: CompiledRetryPolicy = {
  conditions: 0,
  numRetries: 1,
  perTryTimeoutMs: 0,
  perTryIdleMs: 0,
  statusCodes: new Set(),
  responseHeaders: [],
  requestHeaders: [],
  baseIntervalMs: 25,
  maxIntervalMs: 250,
  resetHeaders: [],
  maxResetMs: 300_000,
  avoid: anyHostAgain,
  hostSelectionAttempts: 1,
  priorityUpdateEvery: 0,
};

function matchesAny(tests: readonly RequestTest[], headers: readonly string[]): boolean {
  const view: RequestView = { method: "", path: "", authority: "", scheme: "", headers };
  return tests.some((test) => test(view));
}

function retriesGrpc(on: number, status: string | undefined): boolean {
  switch (status) {
    case "1":
      return (on & C.cancelled) !== 0;
    case "4":
      return (on & C.deadlineExceeded) !== 0;
    case "8":
      return (on & C.resourceExhausted) !== 0;
    case "13":
      return (on & C.internal) !== 0;
    case "14":
      return (on & C.unavailable) !== 0;
    default:
      return false;
  }
}
