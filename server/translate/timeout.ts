import type { Duration } from "@bufbuild/protobuf/wkt";
import { duration, zero } from "./duration.ts";

/**
 * Unset is none in Istio, where Envoy's own default is 15 s; a gRPC client's own `grpc-timeout` counts up to the same.
 * https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRoute-timeout
 */
export function routeTimeout(spec: string | undefined): { timeout: Duration; maxGrpcTimeout: Duration } {
  const timeout = spec ? duration(spec) : zero;
  return { timeout, maxGrpcTimeout: timeout };
}
