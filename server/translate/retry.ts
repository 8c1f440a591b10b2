import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { RetryPolicySchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { PreviousHostsPredicateSchema } from "../gen/proto/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import { PreviousPrioritiesConfigSchema } from "../gen/proto/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
import type { HTTPRetry } from "../model/specs.ts";
import { duration } from "./duration.ts";

type RetryPolicyInit = MessageInitShape<typeof RetryPolicySchema>;

const defaultRetryOn = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";

const previousHosts = {
  name: "envoy.retry_host_predicates.previous_hosts",
  configType: {
    case: "typedConfig" as const,
    value: anyPack(PreviousHostsPredicateSchema, create(PreviousHostsPredicateSchema)),
  },
};

/** A second try goes to priorities that were not tried, which is where other localities are; thought over every two tries, as by Istio. */
const previousPriorities = {
  name: "envoy.retry_priorities.previous_priorities",
  configType: {
    case: "typedConfig" as const,
    value: anyPack(PreviousPrioritiesConfigSchema, create(PreviousPrioritiesConfigSchema, { updateFrequency: 2 })),
  },
};

/**
 * Two retries unless told otherwise, none with `attempts: 0`; each on another host where there is one.
 * https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRetry
 */
export function retryPolicy(retry: HTTPRetry | undefined): RetryPolicyInit | undefined {
  if (retry && !(retry.attempts && retry.attempts > 0)) return undefined;
  const elsewhere = retry?.retryIgnorePreviousHosts ?? true;
  return {
    numRetries: retry?.attempts ?? 2,
    ...retryOn(retry?.retryOn),
    hostSelectionRetryMaxAttempts: 5n,
    retryHostPredicate: elsewhere ? [previousHosts] : [],
    ...(retry?.retryRemoteLocalities && { retryPriority: previousPriorities }),
    ...(retry?.perTryTimeout && { perTryTimeout: duration(retry.perTryTimeout) }),
    ...(retry?.backoff && { retryBackOff: { baseInterval: duration(retry.backoff) } }),
  };
}

/** Istio lets status codes stand among Envoy's conditions: `5xx,409`. */
function retryOn(text: string | undefined): Pick<RetryPolicyInit, "retryOn" | "retriableStatusCodes"> {
  if (!text) return { retryOn: defaultRetryOn };
  const parts = text.split(",").map((part) => part.trim());
  const codes = parts.filter((part) => /^\d+$/.test(part)).map(Number);
  const conditions = parts.filter((part) => part !== "" && !/^\d+$/.test(part));
  if (codes.length > 0 && !conditions.includes("retriable-status-codes")) conditions.push("retriable-status-codes");
  return { retryOn: conditions.join(","), retriableStatusCodes: codes };
}
