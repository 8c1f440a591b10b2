import { toJsonString } from "@bufbuild/protobuf";
import type { OutlierDetection } from "../../gen/proto/envoy/config/cluster/v3/outlier_detection_pb.js";
import {
  type MatchPredicate,
  MatchPredicateSchema,
} from "../../gen/proto/envoy/config/common/matcher/v3/matcher_pb.js";
import { at } from "../config/problems.ts";
import { durationMs } from "../duration.ts";
import { compileResponseMatcher, type ResponseTest } from "../match/response-matcher.ts";

/** Passive health checking, with Envoy's defaults. Percentages are 0–100. */
export interface OutlierConfig {
  readonly intervalMs: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  /** At most so much is added to an ejection, so that hosts do not come back together. */
  readonly ejectionJitterMs: number;
  readonly maxEjectionPercent: number;
  readonly alwaysEjectOne: boolean;
  /** Counts of 0 switch a detector off. */
  readonly consecutive5xx: number;
  readonly consecutiveGateway: number;
  /** Failures to reach a host count for themselves, and not as the 5xx that they become. */
  readonly splitLocalOrigin: boolean;
  readonly consecutiveLocal: number;
  readonly successRateMinimumHosts: number;
  readonly successRateRequestVolume: number;
  readonly successRateStdevFactor: number;
  readonly failurePercentageThreshold: number;
  readonly failurePercentageMinimumHosts: number;
  readonly failurePercentageRequestVolume: number;
  /** How often what was detected leads to an ejection, in percent. */
  readonly enforcing: Readonly<Record<Ejection, number>>;
  /** An active check that passes brings a host back before its time. */
  readonly checkUnejects: boolean;
  /** Which responses are errors; undefined: those of 500 and above. */
  readonly errors: ErrorMatcher | undefined;
}

export interface ErrorMatcher {
  /** Equal ones are equal. */
  readonly key: string;
  readonly test: ResponseTest;
}

/** What a host was ejected for, as Envoy's stats call it. */
export type Ejection =
  | "consecutive_5xx"
  | "consecutive_gateway_failure"
  | "consecutive_local_origin_failure"
  | "success_rate"
  | "local_origin_success_rate"
  | "failure_percentage"
  | "local_origin_failure_percentage";

/** Throws an Error naming the field. */
export function compileOutlier(
  config: OutlierDetection | undefined,
  errorMatcher?: MatchPredicate,
): OutlierConfig | undefined {
  const errors = errorMatcher && {
    key: toJsonString(MatchPredicateSchema, errorMatcher),
    test: at("error_matcher", () => compileResponseMatcher(errorMatcher)),
  };
  if (config === undefined) return undefined;
  const baseEjectionMs = durationMs(config.baseEjectionTime) ?? 30_000;
  const maxEjectionMs = durationMs(config.maxEjectionTime) ?? Math.max(baseEjectionMs, 300_000);
  if (maxEjectionMs < baseEjectionMs) {
    throw new Error("outlier_detection.max_ejection_time: must not be less than base_ejection_time");
  }
  return {
    intervalMs: durationMs(config.interval) ?? 10_000,
    baseEjectionMs,
    maxEjectionMs,
    ejectionJitterMs: durationMs(config.maxEjectionTimeJitter) ?? 0,
    maxEjectionPercent: config.maxEjectionPercent ?? 10,
    alwaysEjectOne: config.alwaysEjectOneHost ?? false,
    consecutive5xx: config.consecutive5xx ?? 5,
    consecutiveGateway: config.consecutiveGatewayFailure ?? 5,
    splitLocalOrigin: config.splitExternalLocalOriginErrors,
    consecutiveLocal: config.consecutiveLocalOriginFailure ?? 5,
    successRateMinimumHosts: config.successRateMinimumHosts ?? 5,
    successRateRequestVolume: config.successRateRequestVolume ?? 100,
    successRateStdevFactor: (config.successRateStdevFactor ?? 1900) / 1000,
    failurePercentageThreshold: config.failurePercentageThreshold ?? 85,
    failurePercentageMinimumHosts: config.failurePercentageMinimumHosts ?? 5,
    failurePercentageRequestVolume: config.failurePercentageRequestVolume ?? 50,
    enforcing: {
      consecutive_5xx: config.enforcingConsecutive5xx ?? 100,
      consecutive_gateway_failure: config.enforcingConsecutiveGatewayFailure ?? 0,
      consecutive_local_origin_failure: config.enforcingConsecutiveLocalOriginFailure ?? 100,
      success_rate: config.enforcingSuccessRate ?? 100,
      local_origin_success_rate: config.enforcingLocalOriginSuccessRate ?? 100,
      failure_percentage: config.enforcingFailurePercentage ?? 0,
      local_origin_failure_percentage: config.enforcingFailurePercentageLocalOrigin ?? 0,
    },
    checkUnejects: config.successfulActiveHealthCheckUnejectHost ?? true,
    errors,
  };
}
