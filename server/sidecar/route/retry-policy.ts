import type { RetryPolicy } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { durationMs } from "../duration.ts";
import { getHeader } from "../http/headers.ts";
import type { StreamReset } from "../http/stream.ts";
import { allMatch, compileHeaders, type RequestTest } from "../match/header-matcher.ts";
import type { RequestView } from "../match/request-view.ts";

/** How an attempt ended without a usable response. */
export type ResetReason = StreamReset | "per_try_timeout";

export interface CompiledRetryPolicy {
  readonly conditions: number;
  readonly numRetries: number;
  readonly perTryTimeoutMs: number;
  readonly statusCodes: ReadonlySet<number>;
  readonly responseHeaders: readonly RequestTest[];
  readonly requestHeaders: readonly RequestTest[];
  readonly baseIntervalMs: number;
  readonly maxIntervalMs: number;
  readonly avoidPreviousHosts: boolean;
  readonly hostSelectionAttempts: number;
}

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-retry-on */
export function compileRetryPolicy(policy: RetryPolicy | undefined): CompiledRetryPolicy | undefined {
  if (policy === undefined) return undefined;
  const base = durationMs(policy.retryBackOff?.baseInterval) ?? 25;
  return {
    conditions: parseConditions(policy.retryOn),
    numRetries: policy.numRetries ?? 1,
    perTryTimeoutMs: durationMs(policy.perTryTimeout) ?? 0,
    statusCodes: new Set(policy.retriableStatusCodes),
    responseHeaders: compileHeaders(policy.retriableHeaders, "retriable_headers"),
    requestHeaders: compileHeaders(policy.retriableRequestHeaders, "retriable_request_headers"),
    baseIntervalMs: base,
    maxIntervalMs: durationMs(policy.retryBackOff?.maxInterval) ?? base * 10,
    avoidPreviousHosts: policy.retryHostPredicate.length > 0,
    hostSelectionAttempts: Math.max(1, Number(policy.hostSelectionRetryMaxAttempts)),
  };
}

/** Whether the request may be retried at all: any of `retriable_request_headers`, when given. */
export const requestRetriable = (policy: CompiledRetryPolicy, view: RequestView): boolean =>
  policy.conditions !== 0 &&
  (policy.requestHeaders.length === 0 || policy.requestHeaders.some((test) => allMatch([test], view)));

export function retriesResponse(policy: CompiledRetryPolicy, status: number, headers: readonly string[]): boolean {
  const on = policy.conditions;
  if ((on & C.fiveXx) !== 0 && status >= 500) return true;
  if ((on & C.gatewayError) !== 0 && status >= 502 && status <= 504) return true;
  if ((on & C.retriable4xx) !== 0 && status === 409) return true;
  if ((on & C.statusCodes) !== 0 && policy.statusCodes.has(status)) return true;
  if ((on & C.envoyRateLimited) !== 0 && getHeader(headers, "x-envoy-ratelimited") !== undefined) return true;
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

/** Fully jittered exponential back-off: a random time below base × (2^n − 1), capped. */
export function backOffMs(policy: CompiledRetryPolicy, retry: number, random: () => number): number {
  return random() * Math.min(policy.maxIntervalMs, policy.baseIntervalMs * (2 ** retry - 1));
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
  statusCodes: new Set(),
  responseHeaders: [],
  requestHeaders: [],
  baseIntervalMs: 25,
  maxIntervalMs: 250,
  avoidPreviousHosts: false,
  hostSelectionAttempts: 1,
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
