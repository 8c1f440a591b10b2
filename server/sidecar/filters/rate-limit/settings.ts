import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type RateLimit,
  RateLimitSchema,
} from "../../../gen/proto/envoy/extensions/filters/http/ratelimit/v3/rate_limit_pb.js";
import { at, each, together } from "../../config/problems.ts";
import { durationMs } from "../../duration.ts";
import type { FilterIo } from "../../request/filter.ts";
import { compileAdd, type HeaderOp } from "../../route/header-ops.ts";
import { compileFilterRateLimits, type RateLimitRule } from "../../route/rate-limits.ts";
import { compileGrpcService, type GrpcTarget } from "../../upstream/grpc-service.ts";

export interface Settings {
  readonly config: RateLimit;
  readonly target: GrpcTarget;
  readonly rules: readonly RateLimitRule[];
  readonly limitedStatus: number;
  readonly statusOnError: number;
  readonly toResponse: readonly HeaderOp[];
  /** Between 0 and 1. */
  readonly enabled: () => number;
  readonly enforcing: () => number;
}

/** Throws an Error naming the fields. */
export function compileSettings(any: Any, { runtime }: FilterIo): Settings {
  const config = anyUnpack(any, RateLimitSchema);
  if (config === undefined || config.domain === "") throw new Error("domain: required");
  const parts = together<Pick<Settings, "target" | "rules" | "toResponse">>({
    target: () =>
      at("rate_limit_service.grpc_service", () => compileGrpcService(config.rateLimitService?.grpcService, 0)),
    rules: () => compileFilterRateLimits(config.rateLimits),
    toResponse: () => each("response_headers_to_add", config.responseHeadersToAdd, compileAdd),
  });
  const limited = config.rateLimitedStatus?.code ?? 0;
  return {
    config,
    ...parts,
    target: { ...parts.target, timeoutMs: durationMs(config.timeout) ?? 20 },
    limitedStatus: limited < 400 ? 429 : limited,
    statusOnError: config.statusOnError?.code || 500,
    enabled: runtime.keyed("ratelimit.http_filter_enabled", "share", 1),
    enforcing: runtime.keyed("ratelimit.http_filter_enforcing", "share", 1),
  };
}
