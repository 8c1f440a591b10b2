import { create, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type FaultAbortSchema,
  type HTTPFault,
  HTTPFaultSchema,
} from "../gen/proto/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import type { HTTPFaultInjection } from "../model/specs.ts";
import { grpcStatusNames } from "../wire/grpc-status.ts";
import { duration } from "./duration.ts";
import { fractionalPercent } from "./percent.ts";

export const faultFilter = "envoy.filters.http.fault";

/**
 * Without a percentage no request is hit. https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection
 * `lease`: the share stands in the runtime under this name, and without it nothing is hit.
 */
export function fault(spec: HTTPFaultInjection, lease?: string): HTTPFault | undefined {
  const share = (percent: number) => fractionalPercent(lease === undefined ? percent : 0);
  const delay = spec.delay?.fixedDelay && {
    percentage: share(delayPercent(spec)),
    faultDelaySecifier: { case: "fixedDelay" as const, value: duration(spec.delay.fixedDelay) },
  };
  const errorType = spec.abort && abortType(spec.abort);
  const abort = errorType && { percentage: share(abortPercent(spec)), errorType };
  if (!delay && !abort) return undefined;
  return create(HTTPFaultSchema, {
    ...(delay && { delay, ...(lease && { delayPercentRuntime: delayKey(lease) }) }),
    ...(abort && { abort, ...(lease && { abortPercentRuntime: abortKey(lease) }) }),
  });
}

export const delayKey = (lease: string): string => `${lease}.delay`;
export const abortKey = (lease: string): string => `${lease}.abort`;

/** As a runtime layer says them. */
export function faultShares(spec: HTTPFaultInjection): { delay?: JsonObject; abort?: JsonObject } {
  const share = (percent: number): JsonObject => ({
    numerator: fractionalPercent(percent).numerator ?? 0,
    denominator: "MILLION",
  });
  return {
    ...(spec.delay && { delay: share(delayPercent(spec)) }),
    ...(spec.abort && { abort: share(abortPercent(spec)) }),
  };
}

const delayPercent = ({ delay }: HTTPFaultInjection): number => delay?.percentage?.value ?? delay?.percent ?? 0;
const abortPercent = ({ abort }: HTTPFaultInjection): number => abort?.percentage?.value ?? 0;

type Abort = NonNullable<HTTPFaultInjection["abort"]>;

function abortType(abort: Abort): MessageInitShape<typeof FaultAbortSchema>["errorType"] | undefined {
  if (abort.httpStatus !== undefined) return { case: "httpStatus", value: abort.httpStatus };
  const code = grpcStatusNames.indexOf(abort.grpcStatus ?? "");
  return code < 0 ? undefined : { case: "grpcStatus", value: code };
}
