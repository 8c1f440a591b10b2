import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CircuitBreakersSchema } from "../gen/proto/envoy/config/cluster/v3/circuit_breaker_pb.js";
import type { UpstreamConnectionOptionsSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type {
  HttpProtocolOptionsSchema as CommonSchema,
  Http2ProtocolOptionsSchema,
} from "../gen/proto/envoy/config/core/v3/protocol_pb.js";
import type { HttpProtocolOptionsSchema } from "../gen/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { isHttp2, isHttpOrAuto, type Protocol } from "../model/protocol.ts";
import type { ConnectionPoolSettings, PolicySettings } from "../model/specs.ts";
import { duration } from "./duration.ts";
import { outlierErrors } from "./outlier.ts";

const unlimited = 0xff_ff_ff_ff;

/** No limits unless told otherwise, where Envoy's own are 1024 and 3 retries. https://istio.io/latest/docs/reference/config/networking/destination-rule/#ConnectionPoolSettings */
export const circuitBreakers = ({
  connectionPool: pool,
  retryBudget: budget,
}: PolicySettings): MessageInitShape<typeof CircuitBreakersSchema> => ({
  thresholds: [
    {
      maxConnections: pool?.tcp?.maxConnections || unlimited,
      maxPendingRequests: pool?.http?.http1MaxPendingRequests || unlimited,
      maxRequests: pool?.http?.http2MaxRequests || unlimited,
      maxRetries: pool?.http?.maxRetries || unlimited,
      trackRemaining: true,
      ...(budget && {
        retryBudget: {
          budgetPercent: { value: budget.percent ?? 20 },
          minRetryConcurrency: budget.minRetryConcurrency || 3,
        },
      }),
    },
  ],
});

export function upstreamConnection(
  pool: ConnectionPoolSettings | undefined,
): MessageInitShape<typeof UpstreamConnectionOptionsSchema> | undefined {
  const keepalive = pool?.tcp?.tcpKeepalive;
  if (!keepalive) return undefined;
  return {
    tcpKeepalive: {
      ...(keepalive.probes && { keepaliveProbes: keepalive.probes }),
      ...(keepalive.time && { keepaliveTime: Number(duration(keepalive.time).seconds) }),
      ...(keepalive.interval && { keepaliveInterval: Number(duration(keepalive.interval).seconds) }),
    },
  };
}

/** Undefined: HTTP/1.1 with Envoy's defaults needs no options. */
export function httpProtocolOptions(
  protocol: Protocol,
  { connectionPool: pool, outlierDetection: outlier }: Pick<PolicySettings, "connectionPool" | "outlierDetection">,
  hostIsSni: boolean,
): MessageInitShape<typeof HttpProtocolOptionsSchema> | undefined {
  const common = commonOptions(pool);
  const upstream = upstreamProtocol(protocol, pool?.http);
  const errorMatcher = isHttpOrAuto(protocol) ? outlierErrors(outlier) : undefined;
  if (!common && !upstream && !hostIsSni && !errorMatcher) return undefined;
  return {
    upstreamProtocolOptions: upstream ?? http1,
    ...(hostIsSni && { upstreamHttpProtocolOptions: { autoSni: true, autoSanValidation: true } }),
    ...(common && { commonHttpProtocolOptions: common }),
    ...(errorMatcher && { outlierDetection: { errorMatcher } }),
  };
}

type Upstream = MessageInitShape<typeof HttpProtocolOptionsSchema>["upstreamProtocolOptions"];

const http1: Upstream = {
  case: "explicitHttpConfig",
  value: { protocolConfig: { case: "httpProtocolOptions", value: {} } },
};

/** An undeclared port speaks whatever the client does, and so does one whose rule says so. */
function upstreamProtocol(protocol: Protocol, pool: ConnectionPoolSettings["http"]): Upstream {
  if (pool?.useClientProtocol) return asTheClient(pool);
  if (isHttp2(protocol) || pool?.h2UpgradePolicy === "UPGRADE") {
    const value = http2Options(pool);
    return { case: "explicitHttpConfig", value: { protocolConfig: { case: "http2ProtocolOptions", value } } };
  }
  return protocol === "auto" ? asTheClient(pool) : undefined;
}

const asTheClient = (pool: ConnectionPoolSettings["http"]): Upstream => ({
  case: "useDownstreamProtocolConfig",
  value: { httpProtocolOptions: {}, http2ProtocolOptions: http2Options(pool) },
});

const http2Options = (pool: ConnectionPoolSettings["http"]): MessageInitShape<typeof Http2ProtocolOptionsSchema> => ({
  ...(pool?.maxConcurrentStreams && { maxConcurrentStreams: pool.maxConcurrentStreams }),
  ...(pool?.http2KeepAlive && {
    connectionKeepalive: {
      ...(pool.http2KeepAlive.interval && { interval: duration(pool.http2KeepAlive.interval) }),
      ...(pool.http2KeepAlive.timeout && { timeout: duration(pool.http2KeepAlive.timeout) }),
    },
  }),
});

function commonOptions(pool: ConnectionPoolSettings | undefined): MessageInitShape<typeof CommonSchema> | undefined {
  const idleTimeout = pool?.http?.idleTimeout ?? pool?.tcp?.idleTimeout;
  const maxRequests = pool?.http?.maxRequestsPerConnection;
  const maxDuration = pool?.tcp?.maxConnectionDuration;
  if (!idleTimeout && !maxRequests && !maxDuration) return undefined;
  return {
    ...(idleTimeout && { idleTimeout: duration(idleTimeout) }),
    ...(maxRequests && { maxRequestsPerConnection: maxRequests }),
    ...(maxDuration && { maxConnectionDuration: duration(maxDuration) }),
  };
}
