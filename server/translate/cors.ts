import { create } from "@bufbuild/protobuf";
import {
  CorsPolicySchema,
  type CorsPolicy as EnvoyCorsPolicy,
} from "../gen/proto/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import type { CorsPolicy } from "../model/specs.ts";
import { duration } from "./duration.ts";
import { stringMatch } from "./match.ts";
import { fractionalPercent } from "./percent.ts";

export const corsFilter = "envoy.filters.http.cors";

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/#CorsPolicy */
export function cors(policy: CorsPolicy): EnvoyCorsPolicy {
  const origins = policy.allowOrigins ?? (policy.allowOrigin ?? []).map((exact) => ({ exact }));
  return create(CorsPolicySchema, {
    allowOriginStringMatch: origins.flatMap((origin) => stringMatch(origin) ?? []),
    filterEnabled: { defaultValue: fractionalPercent(100) },
    allowMethods: (policy.allowMethods ?? []).join(","),
    allowHeaders: (policy.allowHeaders ?? []).join(","),
    exposeHeaders: (policy.exposeHeaders ?? []).join(","),
    ...(policy.maxAge && { maxAge: String(duration(policy.maxAge).seconds) }),
    ...(policy.allowCredentials !== undefined && { allowCredentials: policy.allowCredentials }),
    forwardNotMatchingPreflights: policy.unmatchedPreflights !== "IGNORE",
  });
}
