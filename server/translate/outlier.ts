import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Cluster_CommonLbConfigSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type {
  OutlierDetection as EnvoyOutlierDetection,
  OutlierDetectionSchema,
} from "../gen/proto/envoy/config/cluster/v3/outlier_detection_pb.js";
import type { MatchPredicateSchema } from "../gen/proto/envoy/config/common/matcher/v3/matcher_pb.js";
import type { OutlierDetection } from "../model/specs.ts";
import { duration } from "./duration.ts";

type LbConfigInit = Extract<MessageInitShape<typeof Cluster_CommonLbConfigSchema>, { $typeName?: never }>;
type PredicateInit = Extract<MessageInitShape<typeof MatchPredicateSchema>, { $typeName?: never }>;
type OutlierInit = MessageInitShape<typeof OutlierDetectionSchema>;

/** Only errors in a row count, never success rates. https://istio.io/latest/docs/reference/config/networking/destination-rule/#OutlierDetection */
export function outlierDetection(spec: OutlierDetection | undefined): OutlierInit | undefined {
  if (!spec) return undefined;
  const gatewayErrors = spec.consecutiveGatewayErrors;
  return {
    enforcingSuccessRate: 0,
    ...(spec.consecutive5xxErrors !== undefined && {
      consecutive5xx: spec.consecutive5xxErrors,
      enforcingConsecutive5xx: enforcing(spec.consecutive5xxErrors),
    }),
    ...(gatewayErrors !== undefined && {
      consecutiveGatewayFailure: gatewayErrors,
      enforcingConsecutiveGatewayFailure: enforcing(gatewayErrors),
    }),
    ...(spec.interval && { interval: duration(spec.interval) }),
    ...(spec.baseEjectionTime && { baseEjectionTime: duration(spec.baseEjectionTime) }),
    ...(spec.maxEjectionPercent && { maxEjectionPercent: spec.maxEjectionPercent }),
    ...(spec.splitExternalLocalOriginErrors && localOrigin(spec)),
  };
}

/**
 * For gRPC's own clients, which know shares of failures alone, and no errors in a row: where as many calls of one interval as were to fail in a row have
 * all failed, the endpoint is ejected. (A share must be exceeded, hence 99.) https://github.com/grpc/proposal/blob/master/A50-xds-outlier-detection.md
 */
export function outlierDetectionByShare(detection: EnvoyOutlierDetection | undefined): OutlierInit | undefined {
  if (!detection) return undefined;
  const { interval, baseEjectionTime, maxEjectionPercent, ...rows } = detection;
  const counts = [
    ...(rows.enforcingConsecutive5xx === 0 ? [] : [rows.consecutive5xx ?? envoyErrorsInARow]),
    ...(rows.enforcingConsecutiveGatewayFailure ? [rows.consecutiveGatewayFailure ?? envoyErrorsInARow] : []),
  ];
  return {
    interval,
    baseEjectionTime,
    maxEjectionPercent,
    enforcingSuccessRate: 0,
    ...(counts.length > 0 && {
      enforcingFailurePercentage: 100,
      failurePercentageThreshold: 99,
      failurePercentageMinimumHosts: 1,
      failurePercentageRequestVolume: Math.min(...counts),
    }),
  };
}

const envoyErrorsInARow = 5;

/** Which responses count as errors, in place of 500 and above; undefined: those. An `or_match` of Envoy's has two members at the least. */
export function outlierErrors(spec: OutlierDetection | undefined): PredicateInit | undefined {
  const rules = (spec?.outlierDetectionHttpErrorCodes ?? []).map(hasStatus);
  return rules.length > 1 ? { rule: { case: "orMatch", value: { rules } } } : rules[0];
}

const hasStatus = (status: number): PredicateInit => ({
  rule: {
    case: "httpResponseHeadersMatch",
    value: {
      headers: [
        {
          name: ":status",
          headerMatchSpecifier: {
            case: "stringMatch",
            value: { matchPattern: { case: "exact", value: String(status) } },
          },
        },
      ],
    },
  },
});

/** With outlier detection Istio turns Envoy's panic threshold off, or sets it to `minHealthPercent`. */
export const commonLbConfig = (spec: OutlierDetection | undefined, weighsLocalities: boolean): LbConfigInit => ({
  ...(spec && { healthyPanicThreshold: { value: spec.minHealthPercent ?? 0 } }),
  ...(weighsLocalities && byLocality),
});

const byLocality: Pick<LbConfigInit, "localityConfigSpecifier"> = {
  localityConfigSpecifier: { case: "localityWeightedLbConfig", value: {} },
};

/** 0 switches a criterion off. */
const enforcing = (count: number): number => (count > 0 ? 100 : 0);

const localOrigin = (spec: OutlierDetection) => ({
  splitExternalLocalOriginErrors: true,
  enforcingLocalOriginSuccessRate: 0,
  ...(spec.consecutiveLocalOriginFailures && {
    consecutiveLocalOriginFailure: spec.consecutiveLocalOriginFailures,
    enforcingConsecutiveLocalOriginFailure: 100,
  }),
});
