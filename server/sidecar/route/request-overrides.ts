import type { FlatHeaders } from "../http/headers.ts";
import type { RequestTest } from "../match/header-matcher.ts";
import { viewHeader } from "../match/request-view.ts";
import { type CompiledRetryPolicy, defaultRetryPolicy, knownConditions } from "./retry-policy.ts";

/** What a caller asks for by header in place of the route's own settings. */
export interface RequestOverrides {
  timeoutMs: number;
  retry: CompiledRetryPolicy | undefined;
  /** Whether a try that takes too long goes on beside the next one. */
  hedges: boolean;
}

/**
 * Takes the `x-envoy-` fields that ask for a timeout or for retries out of a request, and what they change. What cannot be read is dropped.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#http-headers-consumed-from-downstream-clients
 */
export function takeOverrides(headers: FlatHeaders, route: RequestOverrides): RequestOverrides {
  const asked = new Map<string, string>();
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const name = headers[i] as string;
    if (!consumed.has(name)) continue;
    asked.set(name, headers[i + 1] as string);
    headers.splice(i, 2);
  }
  if (asked.size === 0) return route;
  const timeoutMs = whole(asked.get("x-envoy-upstream-rq-timeout-ms")) ?? route.timeoutMs;
  const hedging = asked.get("x-envoy-hedge-on-per-try-timeout");
  const hedges = hedging === "true" || (hedging !== "false" && route.hedges);
  return { timeoutMs, retry: retryOf(asked, route.retry), hedges };
}

function retryOf(asked: ReadonlyMap<string, string>, route: CompiledRetryPolicy | undefined) {
  const named = [asked.get("x-envoy-retry-on"), asked.get("x-envoy-retry-grpc-on")].join(",");
  const perTryTimeoutMs = whole(asked.get("x-envoy-upstream-rq-per-try-timeout-ms"));
  const base = route ?? defaultRetryPolicy;
  const conditions = base.conditions | knownConditions(named);
  // A time limit for a try holds without retries too.
  if (conditions === 0 && perTryTimeoutMs === undefined) return route;
  const codes = (asked.get("x-envoy-retriable-status-codes") ?? "").split(",").map(whole);
  return {
    ...base,
    conditions,
    numRetries: whole(asked.get("x-envoy-max-retries")) ?? base.numRetries,
    perTryTimeoutMs: perTryTimeoutMs ?? base.perTryTimeoutMs,
    statusCodes: new Set([...base.statusCodes, ...codes.filter((code) => code !== undefined)]),
    responseHeaders: [...base.responseHeaders, ...namedHeaders(asked.get("x-envoy-retriable-header-names"))],
  };
}

/** Only that they are there can be asked for. */
const namedHeaders = (names: string | undefined): RequestTest[] =>
  (names ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "")
    .map((name) => (view) => viewHeader(view, name) !== undefined);

const consumed = new Set([
  "x-envoy-hedge-on-per-try-timeout",
  "x-envoy-max-retries",
  "x-envoy-retriable-header-names",
  "x-envoy-retriable-status-codes",
  "x-envoy-retry-grpc-on",
  "x-envoy-retry-on",
  "x-envoy-upstream-rq-per-try-timeout-ms",
  "x-envoy-upstream-rq-timeout-ms",
]);

const whole = (text: string | undefined): number | undefined => {
  const digits = text?.trim() ?? "";
  return /^\d{1,9}$/.test(digits) ? Number(digits) : undefined;
};
