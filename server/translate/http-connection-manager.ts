import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { FilterSchema } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { CorsSchema } from "../gen/proto/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { HTTPFaultSchema } from "../gen/proto/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { FilterConfigSchema as GrpcStatsSchema } from "../gen/proto/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js";
import { GrpcWebSchema } from "../gen/proto/envoy/extensions/filters/http/grpc_web/v3/grpc_web_pb.js";
import { RouterSchema } from "../gen/proto/envoy/extensions/filters/http/router/v3/router_pb.js";
import {
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
  HttpConnectionManager_CodecType,
  HttpConnectionManager_ForwardClientCertDetails,
  HttpConnectionManagerSchema,
  type HttpFilterSchema,
} from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { MeshProxy } from "../model/proxy.ts";
import { accessLog } from "./access-log.ts";
import type { Authorization } from "./authorization.ts";
import { configWay } from "./config-source.ts";
import { corsFilter } from "./cors.ts";
import { seconds, zero } from "./duration.ts";
import { faultFilter } from "./fault.ts";
import { moreAccessLogs } from "./more-access-logs.ts";
import type { TranslateOptions } from "./options.ts";
import { peerFilter } from "./peer.ts";
import { tracing } from "./tracing.ts";

type ManagerInit = MessageInitShape<typeof HttpConnectionManagerSchema>;
type HttpFilterInit = MessageInitShape<typeof HttpFilterSchema>;

export interface ConnectionManager {
  direction: "outbound" | "inbound" | "gateway";
  statPrefix: string;
  /** The name to ask RDS for, or the routes themselves. */
  routes: string | Extract<ManagerInit["routeSpecifier"], { case: "routeConfig" }>["value"];
  /** The application learns from `x-forwarded-client-cert` whose certificate the client showed. */
  tellsPeer?: boolean;
  /** The port is of gRPC-Web: calls of browsers become gRPC here, for whoever serves it. */
  grpcWeb?: boolean;
  /** The port is of gRPC: the messages of each call are counted. */
  grpc?: boolean;
  /** Who may come in is asked before all else. */
  guards?: Authorization["http"];
}

export const httpConnectionManager = (
  manager: ConnectionManager,
  proxy: MeshProxy,
  options: TranslateOptions,
): MessageInitShape<typeof FilterSchema> => ({
  name: "envoy.filters.network.http_connection_manager",
  configType: {
    case: "typedConfig",
    value: anyPack(HttpConnectionManagerSchema, create(HttpConnectionManagerSchema, settings(manager, proxy, options))),
  },
});

function settings(
  { direction, statPrefix, routes, tellsPeer, grpcWeb, grpc, guards = [] }: ConnectionManager,
  proxy: MeshProxy,
  options: TranslateOptions,
): ManagerInit {
  const isGateway = direction === "gateway";
  const web = grpcWeb ? [grpcWebFilter] : [];
  const messages = grpc ? [grpcStatsFilter] : [];
  return {
    statPrefix,
    codecType: HttpConnectionManager_CodecType.AUTO,
    serverName: "limpid",
    // The client of a gateway is whoever connects; inside the mesh it is whom the gateway found.
    useRemoteAddress: isGateway,
    preserveExternalRequestId: !isGateway,
    generateRequestId: true,
    ...pathNormalization(options.pathNormalization),
    // Else `example.com.` comes past what is denied to `example.com`. What an application calls is its own affair.
    ...(direction !== "outbound" && { stripTrailingHostDot: true }),
    // At the edge a client that only stands there must go; inside, whoever waits long means to.
    ...(isGateway
      ? { requestHeadersTimeout: seconds(10), streamIdleTimeout: seconds(300) }
      : { streamIdleTimeout: zero }),
    upgradeConfigs: [{ upgradeType: "websocket" }],
    // Else whatever the client says of itself in that header is removed.
    ...(tellsPeer && {
      forwardClientCertDetails: HttpConnectionManager_ForwardClientCertDetails.SANITIZE_SET,
      setCurrentClientCertDetails: { subject: true, uri: true },
    }),
    // Requests in proxy form name the whole URL.
    ...(direction === "outbound" && { httpProtocolOptions: { allowAbsoluteUrl: true } }),
    routeSpecifier:
      typeof routes === "string"
        ? { case: "rds", value: { configSource: configWay(proxy).source, routeConfigName: routes } }
        : { case: "routeConfig", value: routes },
    accessLog: [accessLog(direction, options, grpc), ...moreAccessLogs(direction, "http", options)],
    ...tracing(direction, proxy, options),
    httpFilters:
      direction === "inbound"
        ? [...guards, ...web, ...messages, router]
        : [...guards, peerFilter(proxy, options.clusterId), ...web, faults, corsHeaders, router],
  };
}

/** https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-ProxyPathNormalization-NormalizationType */
function pathNormalization(kind: TranslateOptions["pathNormalization"]) {
  if (kind === "NONE") return { normalizePath: false };
  return {
    normalizePath: true,
    ...((kind === "MERGE_SLASHES" || kind === "DECODE_AND_MERGE_SLASHES") && { mergeSlashes: true }),
    ...(kind === "DECODE_AND_MERGE_SLASHES" && {
      pathWithEscapedSlashesAction: EscapedSlashes.UNESCAPE_AND_FORWARD,
    }),
  };
}

/** They do nothing until a route configures them. */
const faults: HttpFilterInit = {
  name: faultFilter,
  configType: { case: "typedConfig", value: anyPack(HTTPFaultSchema, create(HTTPFaultSchema)) },
};

/** As in Istio, the port's protocol asks for it. https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/ */
const grpcWebFilter: HttpFilterInit = {
  name: "envoy.filters.http.grpc_web",
  configType: { case: "typedConfig", value: anyPack(GrpcWebSchema, create(GrpcWebSchema)) },
};

/** As in Istio, its counts are for the log; who counts must see bodies, so that it stands nowhere else. */
const grpcStatsFilter: HttpFilterInit = {
  name: "envoy.filters.http.grpc_stats",
  configType: {
    case: "typedConfig",
    value: anyPack(
      GrpcStatsSchema,
      create(GrpcStatsSchema, {
        emitFilterState: true,
        perMethodStatSpecifier: { case: "statsForAllMethods", value: { value: false } },
      }),
    ),
  },
};

const corsHeaders: HttpFilterInit = {
  name: corsFilter,
  configType: { case: "typedConfig", value: anyPack(CorsSchema, create(CorsSchema)) },
};

const router: HttpFilterInit = {
  name: "envoy.filters.http.router",
  configType: { case: "typedConfig", value: anyPack(RouterSchema, create(RouterSchema)) },
};
