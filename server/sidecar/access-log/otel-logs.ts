import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import type { OpenTelemetryAccessLogConfig } from "../../gen/proto/envoy/extensions/access_loggers/open_telemetry/v3/logs_service_pb.js";
import {
  ExportLogsServiceRequestSchema,
  LogsService,
} from "../../gen/proto/opentelemetry/proto/collector/logs/v1/logs_service_pb.js";
import type {
  AnyValue,
  KeyValueList,
  KeyValueSchema,
} from "../../gen/proto/opentelemetry/proto/common/v1/common_pb.js";
import { type LogRecord, LogRecordSchema } from "../../gen/proto/opentelemetry/proto/logs/v1/logs_pb.js";
import type { Clock } from "../../lib/clock.ts";
import { fail, ok, type Result } from "../../lib/result.ts";
import { BatchExporter } from "../batch-exporter.ts";
import type { EnvoyGrpc } from "../grpc/grpc-channels.ts";
import type { GrpcSender } from "../grpc/grpc-sender.ts";
import type { RequestRecord } from "../record.ts";
import type { Stats } from "../stats.ts";
import { type Formatter, textFormatter } from "./formatters.ts";

type Make = (record: RequestRecord) => LogRecord;

/** What a record becomes; of bodies and attributes only texts are supported, others are an error that names them. */
export function logRecordOf({ body, attributes }: OpenTelemetryAccessLogConfig): Result<Make, string> {
  const text = body === undefined ? undefined : formatOf(body, "body");
  const pairs = (attributes?.values ?? []).map(
    ({ key, value }) => [key, formatOf(value, `attributes ${key}`)] as const,
  );
  const errors = [text, ...pairs.map(([, format]) => format)].flatMap((it) => (it && !it.ok ? it.errors : []));
  if (errors.length > 0) return fail(...errors);
  const formats = pairs.flatMap(([key, format]) => (format.ok ? [[key, format.value] as const] : []));
  return ok((record) => {
    const time = BigInt(Math.round(record.startMs * 1000)) * 1000n;
    return create(LogRecordSchema, {
      timeUnixNano: time,
      ...(text?.ok && { body: { value: { case: "stringValue", value: text.value(record) } } }),
      attributes: formats.map(([key, format]) => attribute(key, format(record))),
    });
  });
}

function formatOf(value: AnyValue | undefined, where: string): Result<Formatter, string> {
  if (value?.value.case !== "stringValue") return fail(`${where}: only string_value is supported`);
  const format = textFormatter(value.value.value);
  return format.ok ? format : fail(...format.errors.map((error) => `${where}: ${error}`));
}

const attribute = (key: string, value: string): MessageInitShape<typeof KeyValueSchema> => ({
  key,
  value: { value: { case: "stringValue", value } },
});

interface OtelLogsOptions {
  node: Node;
  config: OpenTelemetryAccessLogConfig;
  to: EnvoyGrpc;
  sender: GrpcSender;
  flushIntervalMs: number;
  stats: Stats;
  clock: Clock;
}

/** Sends log records over OTLP, under one resource. */
export function otelLogs(options: OtelLogsOptions): BatchExporter<LogRecord> {
  const { node, config, to, sender, stats, clock, flushIntervalMs } = options;
  const attributes = [...builtIn(node, config), ...listed(config.resourceAttributes)];
  return new BatchExporter({
    send: (logRecords) => {
      const request = create(ExportLogsServiceRequestSchema, {
        resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords: [...logRecords] }] }],
      });
      return sender.send(to, LogsService.method.export, request, clock.now());
    },
    sent: stats.counter("access_logs.open_telemetry_access_log.logs_written"),
    dropped: stats.counter("access_logs.open_telemetry_access_log.logs_dropped"),
    clock,
    flushIntervalMs,
  });
}

/** What Envoy says of itself unless it is told not to. */
function builtIn(node: Node, { disableBuiltinLabels, commonConfig }: OpenTelemetryAccessLogConfig) {
  if (disableBuiltinLabels) return [];
  return [
    attribute("log_name", commonConfig?.logName ?? ""),
    attribute("zone_name", node.locality?.zone ?? ""),
    attribute("cluster_name", node.cluster),
    attribute("node_name", node.id),
  ];
}

const listed = (list: KeyValueList | undefined) =>
  (list?.values ?? []).map(({ key, value }) => attribute(key, String(value?.value.value ?? "")));
