import type { LogEntry, LogPeer } from "../../server/contract/index.ts";

/** Envoy's response code details that have words of ours. https://github.com/envoyproxy/envoy/blob/main/envoy/stream_info/stream_info.h */
const knownDetails = [
  "via_upstream",
  "direct_response",
  "route_not_found",
  "cluster_not_found",
  "no_healthy_upstream",
  "upstream_reset_before_response_started",
  "upstream_reset_after_response_started",
  "upstream_response_timeout",
  "upstream_per_try_timeout",
  "downstream_remote_disconnect",
  "downstream_local_disconnect",
  "stream_idle_timeout",
  "max_duration_timeout",
  "request_overall_timeout",
  "fault_filter_abort",
  "rbac_access_denied",
  "request_rate_limited",
  "local_rate_limited",
  "overload",
  "missing_host_header",
  "internal_redirect",
] as const;

export type KnownDetails = (typeof knownDetails)[number];

/** They may go on in braces or brackets, with what happened: `upstream_reset_before_response_started{connection_timeout}`. */
export const detailsWord = (details: string): KnownDetails | undefined =>
  knownDetails.find((known) => details === known || new RegExp(`^${known}[^a-z]`).test(details));

export type CodeTone = "ok" | "warn" | "bad";

/** How a request went, by its status and, of gRPC, by that. A connection has none: it went wrong when a flag says so. */
export function toneOf({ protocol, code, grpcStatus, flags }: LogEntry): CodeTone {
  if (protocol === "tcp") return flags.length > 0 ? "bad" : "ok";
  if (code === 0 || code >= 500 || (grpcStatus !== null && grpcStatus > 0)) return "bad";
  return code >= 400 ? "warn" : "ok";
}

export const peerName = ({ app, workload }: LogPeer): string => app || workload;

/** As the filters `source` and `destination` have it. */
export const peerFilter = ({ namespace, app, version }: LogPeer): string | undefined =>
  namespace && app ? [namespace, app, version].filter(Boolean).join("/") : undefined;
