import type { ClientBase } from "pg";
import type { LogRecord } from "../../../telemetry/log-record.ts";
import type { TrafficRecord } from "../../../telemetry/record.ts";
import { isError } from "../../../telemetry/samples.ts";
import { scopeAttributesOf } from "../log-writer.ts";
import { sampleColumns } from "../sample-columns.ts";
import { copyIn } from "./copy-in.ts";
import { CopyRows } from "./copy-rows.ts";

/** `edgeOf`: the number of each sample's edge. */
export function copySamples(
  client: ClientBase,
  samples: readonly TrafficRecord[],
  edgeOf: (index: number) => number,
): Promise<void> {
  const rows = new CopyRows(sampleColumns.length);
  for (const [i, sample] of samples.entries()) {
    rows.row();
    rows.int8(Math.floor(sample.timeMs));
    rows.int4(edgeOf(i));
    rows.int4(sample.code);
    rows.int8(sample.flags);
    rows.int4(sample.grpcStatus);
    rows.int8(Math.round(sample.durationMs * 1000));
    rows.int8(sample.requestBytes);
    rows.int8(sample.responseBytes);
    rows.text(sample.method);
    rows.text(sample.path);
    rows.text(sample.authority);
    rows.text(sample.requestId);
    rows.text(sample.traceId);
    rows.text(sample.upstreamCluster);
    rows.text(sample.upstreamHost);
    rows.text(sample.details);
    rows.text(sample.config);
    rows.text(sample.proxy);
    rows.int2(isError(sample) ? 1 : 0);
  }
  return copyIn(client, "access_log_rows", sampleColumns, rows);
}

const logColumns = [
  "at_us",
  "service",
  "severity",
  "severity_text",
  "body",
  "event_name",
  "trace_id",
  "span_id",
  "scope",
  "scope_attributes",
  "attributes",
  "resource",
];

/** Applications' logs. */
export function copyLogs(
  client: ClientBase,
  logs: readonly LogRecord[],
  resourceOf: (resource: LogRecord["resource"]) => number,
): Promise<void> {
  const rows = new CopyRows(logColumns.length);
  for (const log of logs) {
    rows.row();
    rows.int8(log.atUs);
    rows.text(log.service);
    rows.int4(log.severity);
    rows.text(log.severityText);
    rows.text(log.body);
    rows.text(log.eventName);
    rows.hex(log.traceId);
    rows.hex(log.spanId);
    rows.text(log.scope);
    rows.text(scopeAttributesOf(log));
    rows.text(JSON.stringify(log.attributes));
    rows.int4(resourceOf(log.resource));
  }
  return copyIn(client, "log_rows", logColumns, rows);
}
