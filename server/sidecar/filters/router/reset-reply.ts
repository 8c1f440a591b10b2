import { ResponseFlag } from "../../record.ts";
import type { ResetReason } from "../../route/retry-policy.ts";
import { isTlsError } from "../../tls/tls-failure.ts";

export interface ResetOutcome {
  status: number;
  body: string;
  details: string;
  detailsAfterStart: string;
  flag: number;
  transportFailure: string;
}

/** What Envoy answers, logs and flags when an upstream stream ends without a response. */
export function resetReply(reason: ResetReason, detail: string, retried: boolean): ResetOutcome {
  if (reason === "per_try_timeout" || reason === "per_try_idle_timeout") {
    return {
      status: 504,
      body: "upstream request timeout",
      details: `upstream_${reason}`,
      detailsAfterStart: `upstream_${reason}`,
      flag: ResponseFlag.upstreamRequestTimeout,
      transportFailure: "",
    };
  }
  const { name, flag, status } = outcomes[reason];
  const transportFailure = detail === "" || isTlsError(detail) ? detail : `delayed connect error: ${detail}`;
  // A connection that was made and then broke keeps its reason out of the details, as in Envoy.
  const code = detail === "" || reason === "connection_termination" ? name : `${name}|${transportFailure}`;
  return {
    status,
    body: `upstream connect error or disconnect/reset before headers. ${retried ? "retried and the latest reset reason" : "reset reason"}: ${name}`,
    details: underscored(`upstream_reset_before_response_started{${code}}`),
    detailsAfterStart: underscored(`upstream_reset_after_response_started{${code}}`),
    flag,
    transportFailure,
  };
}

const underscored = (text: string): string => text.replaceAll(" ", "_");

const outcomes: Record<
  Exclude<ResetReason, "per_try_timeout" | "per_try_idle_timeout">,
  { name: string; flag: number; status: number }
> = {
  overflow: { name: "overflow", flag: ResponseFlag.upstreamOverflow, status: 503 },
  connection_failure: { name: "remote connection failure", flag: ResponseFlag.upstreamConnectionFailure, status: 503 },
  connection_timeout: { name: "connection timeout", flag: ResponseFlag.upstreamConnectionFailure, status: 503 },
  connection_termination: {
    name: "connection termination",
    flag: ResponseFlag.upstreamConnectionTermination,
    status: 503,
  },
  remote_reset: { name: "remote reset", flag: ResponseFlag.upstreamRemoteReset, status: 503 },
  refused_stream: { name: "remote refused stream reset", flag: ResponseFlag.upstreamRemoteReset, status: 503 },
  protocol_error: { name: "protocol error", flag: ResponseFlag.upstreamProtocolError, status: 502 },
  local_reset: { name: "local reset", flag: ResponseFlag.localReset, status: 503 },
};
