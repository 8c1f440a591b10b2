import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import type { AccessLogFilterSchema, AccessLogSchema } from "../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import { ApiVersion } from "../gen/proto/envoy/config/core/v3/config_source_pb.js";
import type { SubstitutionFormatStringSchema } from "../gen/proto/envoy/config/core/v3/substitution_format_string_pb.js";
import { FileAccessLogSchema } from "../gen/proto/envoy/extensions/access_loggers/file/v3/file_pb.js";
import { ExpressionFilterSchema } from "../gen/proto/envoy/extensions/access_loggers/filters/cel/v3/cel_pb.js";
import {
  type CommonGrpcAccessLogConfigSchema,
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
} from "../gen/proto/envoy/extensions/access_loggers/grpc/v3/als_pb.js";
import { OpenTelemetryAccessLogConfigSchema } from "../gen/proto/envoy/extensions/access_loggers/open_telemetry/v3/logs_service_pb.js";
import type { ExtensionProvider } from "../model/specs.ts";
import type { LogDirection } from "./access-log.ts";
import { fileFormat, meshFormat, textFormat } from "./log-formats.ts";
import type { TranslateOptions } from "./options.ts";
import type { ProviderCluster } from "./provider-clusters.ts";
import { type LogSink, modeOf } from "./telemetry.ts";

type AccessLogInit = MessageInitShape<typeof AccessLogSchema>;
/** One without a filter yet. */
interface Log {
  name: string;
  configType: { case: "typedConfig"; value: Any };
}
type FilterInit = MessageInitShape<typeof AccessLogFilterSchema>;

/**
 * What is logged beside the mesh's own log: to the providers that Telemetry names, or, where it names none, to the file that the installation
 * has. Istio's names for them. https://github.com/istio/istio/blob/master/pilot/pkg/model/telemetry_logging.go
 */
export function moreAccessLogs(
  direction: LogDirection,
  protocol: "http" | "tcp",
  options: TranslateOptions,
): AccessLogInit[] {
  const { accessLogFile } = options;
  const logs = modeOf(options, direction)?.logs;
  if (logs !== undefined) return logs.flatMap((sink) => logTo(sink, protocol, options));
  return accessLogFile === undefined ? [] : [fileLog(accessLogFile.path, meshFormat(accessLogFile))];
}

function logTo(
  { provider, to, filter }: LogSink,
  protocol: "http" | "tcp",
  options: TranslateOptions,
): AccessLogInit[] {
  const log = provider.envoyFileAccessLog
    ? providerFile(provider, provider.envoyFileAccessLog, options)
    : to && streamTo(provider, to, protocol);
  return log ? [{ ...log, ...(filter !== undefined && { filter: expression(filter) }) }] : [];
}

function providerFile(
  { name }: ExtensionProvider,
  log: NonNullable<ExtensionProvider["envoyFileAccessLog"]>,
  { accessLogFile }: TranslateOptions,
): Log {
  // Of Istio's own the MeshConfig has the format, as long as it has none itself.
  const isMeshs = name.toLowerCase() === "envoy" && log.logFormat === undefined && accessLogFile !== undefined;
  return isMeshs
    ? fileLog(accessLogFile.path, meshFormat(accessLogFile))
    : fileLog(log.path || "/dev/stdout", fileFormat(log));
}

const fileLog = (path: string, format: MessageInitShape<typeof SubstitutionFormatStringSchema>): Log =>
  accessLogOf("envoy.access_loggers.file", FileAccessLogSchema, {
    path,
    accessLogFormat: { case: "logFormat", value: format },
  });

function streamTo(provider: ExtensionProvider, to: ProviderCluster, protocol: "http" | "tcp"): Log | undefined {
  const { envoyHttpAls: http, envoyTcpAls: tcp, envoyOtelAls: otel } = provider;
  if (otel) return openTelemetryLog(otel, to);
  if (http && protocol === "http") {
    return accessLogOf("envoy.access_loggers.http_grpc", HttpGrpcAccessLogConfigSchema, {
      commonConfig: stream(http.logName ?? "http_envoy_accesslog", to, http.filterStateObjectsToLog),
      additionalRequestHeadersToLog: http.additionalRequestHeadersToLog ?? [],
      additionalResponseHeadersToLog: http.additionalResponseHeadersToLog ?? [],
      additionalResponseTrailersToLog: http.additionalResponseTrailersToLog ?? [],
    });
  }
  if (tcp && protocol === "tcp") {
    return accessLogOf("envoy.access_loggers.tcp_grpc", TcpGrpcAccessLogConfigSchema, {
      commonConfig: stream(tcp.logName ?? "tcp_envoy_accesslog", to, tcp.filterStateObjectsToLog),
    });
  }
  return undefined;
}

function openTelemetryLog(
  { logName = "otel_envoy_accesslog", logFormat = {} }: NonNullable<ExtensionProvider["envoyOtelAls"]>,
  to: ProviderCluster,
): Log {
  const text = (value: string) => ({ value: { case: "stringValue" as const, value } });
  const labels = Object.entries(logFormat.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return accessLogOf("envoy.access_loggers.open_telemetry", OpenTelemetryAccessLogConfigSchema, {
    commonConfig: stream(logName, to),
    disableBuiltinLabels: true,
    body: text(logFormat.text || textFormat),
    ...(labels.length > 0 && { attributes: { values: labels.map(([key, value]) => ({ key, value: text(value) })) } }),
  });
}

const stream = (
  logName: string,
  { cluster: clusterName, hostname: authority }: ProviderCluster,
  filterStateObjectsToLog: readonly string[] = [],
): MessageInitShape<typeof CommonGrpcAccessLogConfigSchema> => ({
  logName,
  grpcService: { targetSpecifier: { case: "envoyGrpc", value: { clusterName, authority } } },
  transportApiVersion: ApiVersion.V3,
  filterStateObjectsToLog: [...filterStateObjectsToLog],
});

const expression = (text: string): FilterInit => ({
  filterSpecifier: {
    case: "extensionFilter",
    value: {
      name: "envoy.access_loggers.extension_filters.cel",
      configType: {
        case: "typedConfig",
        value: anyPack(ExpressionFilterSchema, create(ExpressionFilterSchema, { expression: text })),
      },
    },
  },
});

const accessLogOf = <S extends DescMessage>(name: string, schema: S, init: MessageInitShape<S>): Log => ({
  name,
  configType: { case: "typedConfig", value: anyPack(schema, create(schema, init) as MessageShape<S>) },
});
