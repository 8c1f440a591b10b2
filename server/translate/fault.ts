import { create, type MessageInitShape } from "@bufbuild/protobuf";
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

/** Without a percentage no request is hit. https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection */
export function fault(spec: HTTPFaultInjection): HTTPFault | undefined {
  const delay = spec.delay?.fixedDelay && {
    percentage: fractionalPercent(spec.delay.percentage?.value ?? spec.delay.percent ?? 0),
    faultDelaySecifier: { case: "fixedDelay" as const, value: duration(spec.delay.fixedDelay) },
  };
  const errorType = spec.abort && abortType(spec.abort);
  const abort = errorType && { percentage: fractionalPercent(spec.abort?.percentage?.value ?? 0), errorType };
  if (!delay && !abort) return undefined;
  return create(HTTPFaultSchema, { ...(delay && { delay }), ...(abort && { abort }) });
}

type Abort = NonNullable<HTTPFaultInjection["abort"]>;

function abortType(abort: Abort): MessageInitShape<typeof FaultAbortSchema>["errorType"] | undefined {
  if (abort.httpStatus !== undefined) return { case: "httpStatus", value: abort.httpStatus };
  const code = grpcStatusNames.indexOf(abort.grpcStatus ?? "");
  return code < 0 ? undefined : { case: "grpcStatus", value: code };
}
