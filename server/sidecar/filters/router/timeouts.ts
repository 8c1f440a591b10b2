import { isGrpc } from "../../http/grpc.ts";
import type { Exchange } from "../../request/exchange.ts";
import type { ForwardTarget } from "../../route/compile-route.ts";
import { takeOverrides } from "../../route/request-overrides.ts";
import type { CompiledRetryPolicy } from "../../route/retry-policy.ts";
import { grpcRouteTimeout } from "./grpc-timeout.ts";

/** How long a request and each try of it may take; 0 is without end. */
export interface Timeouts {
  readonly timeoutMs: number;
  readonly perTryTimeoutMs: number;
  readonly perTryIdleMs: number;
  /** Whether a try that takes too long goes on beside the next one. */
  readonly hedges: boolean;
  /** Whether the upstream is told in `grpc-timeout` what is left for an attempt. */
  readonly tellsGrpcTimeout: boolean;
  readonly retry: CompiledRetryPolicy | undefined;
}

export const noTimeouts: Timeouts = {
  timeoutMs: 0,
  perTryTimeoutMs: 0,
  perTryIdleMs: 0,
  hedges: false,
  tellsGrpcTimeout: false,
  retry: undefined,
};

/** What the route allows, a gRPC client asks for, and `x-envoy-` fields, which are taken out, set in place of both. */
export function timeoutsOf({ headers, envoyFields }: Exchange, action: ForwardTarget): Timeouts {
  const limit = action.grpcTimeout;
  const tellsGrpcTimeout = limit !== undefined && isGrpc(headers);
  const routeMs = limit !== undefined && tellsGrpcTimeout ? grpcRouteTimeout(headers, limit) : action.timeoutMs;
  const own = { timeoutMs: routeMs, retry: action.retry, hedges: action.hedges };
  const { timeoutMs, retry, hedges } = envoyFields ? takeOverrides(headers, own) : own;
  const perTryMs = retry?.perTryTimeoutMs ?? 0;
  return {
    timeoutMs,
    // One that the other comes before is none.
    perTryTimeoutMs: timeoutMs !== 0 && perTryMs >= timeoutMs ? 0 : perTryMs,
    perTryIdleMs: retry?.perTryIdleMs ?? 0,
    hedges,
    tellsGrpcTimeout,
    retry,
  };
}
