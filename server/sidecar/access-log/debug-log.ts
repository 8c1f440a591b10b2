import type { Logger } from "../../lib/logger.ts";
import type { AccessLogger, RequestRecord } from "../record.ts";
import { shortFlags } from "../response-flags.ts";

/**
 * What became of each request and connection, in the proxy's own log while its level is `debug` or `trace`; at others it costs a comparison.
 * Neither queries nor headers: they may hold what nobody is to read in a log.
 */
export function debugLog(logger: Pick<Logger, "isLevelEnabled" | "debug">): AccessLogger {
  return {
    log(record) {
      if (!logger.isLevelEnabled("debug")) return;
      logger.debug({ ...asked(record), ...went(record) }, record.protocol === "" ? "connection" : "request");
    },
  };
}

function asked(record: RequestRecord): Record<string, unknown> {
  const { protocol, method, authority, path, requestId, downstreamRemoteAddress, downstreamRemotePort } = record;
  const from = `${downstreamRemoteAddress}:${downstreamRemotePort}`;
  if (protocol === "") return { from };
  const [withoutQuery = ""] = path.split("?", 1);
  return { method, authority, path: withoutQuery, from, ...(requestId !== "" && { requestId }) };
}

function went(record: RequestRecord): Record<string, unknown> {
  const { responseCode, responseFlags, responseCodeDetails, routeName, routedCluster, upstreamCluster } = record;
  const { upstreamRemoteAddress, upstreamRemotePort, upstreamAttempts, upstreamTransportFailureReason } = record;
  return {
    ...(record.protocol !== "" && { status: responseCode }),
    flags: shortFlags(responseFlags),
    ...(responseCodeDetails !== "" && { details: responseCodeDetails }),
    ...(routeName !== "" && { route: routeName }),
    cluster: upstreamCluster || routedCluster,
    ...(upstreamRemoteAddress !== "" && { upstream: `${upstreamRemoteAddress}:${upstreamRemotePort}` }),
    ...(upstreamAttempts > 1 && { attempts: upstreamAttempts }),
    ...(upstreamTransportFailureReason !== "" && { failure: upstreamTransportFailureReason }),
    durationMs: Math.round(record.durationMs * 10) / 10,
  };
}
