import { create, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { AccessLogSchema } from "../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import { ApiVersion } from "../gen/proto/envoy/config/core/v3/config_source_pb.js";
import type { SubstitutionFormatStringSchema } from "../gen/proto/envoy/config/core/v3/substitution_format_string_pb.js";
import { FileAccessLogSchema } from "../gen/proto/envoy/extensions/access_loggers/file/v3/file_pb.js";
import {
  type CommonGrpcAccessLogConfigSchema,
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
} from "../gen/proto/envoy/extensions/access_loggers/grpc/v3/als_pb.js";
import type { CustomTagSchema } from "../gen/proto/envoy/type/tracing/v3/custom_tag_pb.js";
import type { AccessLogFile } from "../model/mesh-settings.ts";
import { type Direction, logNameOf, logTags } from "../wire/access-log-names.ts";
import { peerHeader } from "../wire/peer.ts";
import { seconds } from "./duration.ts";
import type { TranslateOptions } from "./options.ts";

const grpcStatus = "grpc-status";

type CustomTagInit = MessageInitShape<typeof CustomTagSchema>;

export type LogDirection = Direction;

/** Every request goes to the collector: who called (the destination's side knows it by header), whom, and by which rule. */
export const accessLog = (
  direction: LogDirection,
  collectorCluster: string,
): MessageInitShape<typeof AccessLogSchema> => ({
  name: "envoy.access_loggers.http_grpc",
  configType: {
    case: "typedConfig",
    value: anyPack(
      HttpGrpcAccessLogConfigSchema,
      create(HttpGrpcAccessLogConfigSchema, {
        commonConfig: commonConfig(direction, collectorCluster, [
          metadataTag(logTags.config, "route", "config"),
          metadataTag(logTags.rule, "route", "rule"),
        ]),
        additionalRequestHeadersToLog: [peerHeader, "traceparent", "content-type"],
        // gRPC answers a failure with 200: its own status follows in the trailers, or, where there is no body, stands among the headers.
        // https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
        additionalResponseHeadersToLog: [grpcStatus],
        additionalResponseTrailersToLog: [grpcStatus],
      }),
    ),
  },
});

/** Every connection, when it is over. It has no route to tell the rule, so the chain's own is written into the log. */
export const tcpAccessLog = (
  direction: LogDirection,
  origin: { config: string; rule: string } | undefined,
  collectorCluster: string,
): MessageInitShape<typeof AccessLogSchema> => ({
  name: "envoy.access_loggers.tcp_grpc",
  configType: {
    case: "typedConfig",
    value: anyPack(
      TcpGrpcAccessLogConfigSchema,
      create(TcpGrpcAccessLogConfigSchema, {
        commonConfig: commonConfig(
          direction,
          collectorCluster,
          origin ? [literalTag(logTags.config, origin.config), literalTag(logTags.rule, origin.rule)] : [],
        ),
      }),
    ),
  },
});

/** What the installation wants in files of the proxies' own; one log or none. */
export const fileAccessLog = ({ accessLogFile }: TranslateOptions): MessageInitShape<typeof AccessLogSchema>[] =>
  accessLogFile === undefined
    ? []
    : [
        {
          name: "envoy.access_loggers.file",
          configType: {
            case: "typedConfig",
            value: anyPack(
              FileAccessLogSchema,
              create(FileAccessLogSchema, {
                path: accessLogFile.path,
                accessLogFormat: { case: "logFormat", value: { format: logFormat(accessLogFile) } },
              }),
            ),
          },
        },
      ];

function logFormat({
  encoding,
  format,
}: AccessLogFile): MessageInitShape<typeof SubstitutionFormatStringSchema>["format"] {
  if (encoding === "JSON") {
    return { case: "jsonFormat", value: format === "" ? jsonFormat : (JSON.parse(format) as JsonObject) };
  }
  // Istio adds the end of a line that is missing.
  const text = format === "" ? textFormat : format.endsWith("\n") ? format : `${format}\n`;
  return { case: "textFormatSource", value: { specifier: { case: "inlineString", value: text } } };
}

// https://istio.io/latest/docs/tasks/observability/logs/access-log/#default-access-log-format
const textFormat =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% ' +
  '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ' +
  '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% ' +
  "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";

const jsonFormat: JsonObject = {
  start_time: "%START_TIME%",
  route_name: "%ROUTE_NAME%",
  method: "%REQ(:METHOD)%",
  path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
  protocol: "%PROTOCOL%",
  response_code: "%RESPONSE_CODE%",
  response_flags: "%RESPONSE_FLAGS%",
  response_code_details: "%RESPONSE_CODE_DETAILS%",
  connection_termination_details: "%CONNECTION_TERMINATION_DETAILS%",
  bytes_received: "%BYTES_RECEIVED%",
  bytes_sent: "%BYTES_SENT%",
  duration: "%DURATION%",
  upstream_service_time: "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
  x_forwarded_for: "%REQ(X-FORWARDED-FOR)%",
  user_agent: "%REQ(USER-AGENT)%",
  request_id: "%REQ(X-REQUEST-ID)%",
  authority: "%REQ(:AUTHORITY)%",
  upstream_host: "%UPSTREAM_HOST%",
  upstream_cluster: "%UPSTREAM_CLUSTER_RAW%",
  upstream_local_address: "%UPSTREAM_LOCAL_ADDRESS%",
  downstream_local_address: "%DOWNSTREAM_LOCAL_ADDRESS%",
  downstream_remote_address: "%DOWNSTREAM_REMOTE_ADDRESS%",
  requested_server_name: "%REQUESTED_SERVER_NAME%",
  upstream_transport_failure_reason: "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
};

const commonConfig = (
  direction: LogDirection,
  clusterName: string,
  originTags: readonly CustomTagInit[],
): MessageInitShape<typeof CommonGrpcAccessLogConfigSchema> => ({
  logName: logNameOf(direction),
  grpcService: { targetSpecifier: { case: "envoyGrpc", value: { clusterName } } },
  transportApiVersion: ApiVersion.V3,
  bufferFlushInterval: seconds(0.5),
  customTags: [
    metadataTag(logTags.destination, "host", "workload"),
    ...originTags,
    // The entry's own upstream_cluster is empty when no host was chosen, as for an injected abort.
    { tag: logTags.cluster, type: { case: "value", value: "%UPSTREAM_CLUSTER_RAW%" } },
  ],
});

const literalTag = (tag: string, value: string): CustomTagInit => ({
  tag,
  type: { case: "literal", value: { value } },
});

/** A field of the `istio` metadata of the endpoint or the route that took the request. */
const metadataTag = (tag: string, kind: "host" | "route", field: string): CustomTagInit => ({
  tag,
  type: {
    case: "metadata",
    value: {
      kind: { kind: { case: kind, value: {} } },
      metadataKey: { key: "istio", path: [{ segment: { case: "key", value: field } }] },
    },
  },
});
