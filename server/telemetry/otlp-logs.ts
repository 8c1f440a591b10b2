import type { LogRecord as OtlpLogRecord, ResourceLogs } from "../gen/proto/opentelemetry/proto/logs/v1/logs_pb.js";
import { clean } from "../wire/peer.ts";
import { noAttributes, plainAttributes, plainValue, stringAttribute } from "./attributes.ts";
import type { LogRecord } from "./log-record.ts";
import { hex, microseconds } from "./span.ts";

const maxBodyChars = 16_384;

/** Every record of an OTLP export. https://opentelemetry.io/docs/specs/otel/logs/data-model/ */
export function logRecords(resources: readonly ResourceLogs[], nowMs: number): LogRecord[] {
  const records: LogRecord[] = [];
  for (const { resource, scopeLogs } of resources) {
    const pairs = resource?.attributes ?? [];
    const of = {
      service: clean(stringAttribute(pairs, "service.name") || "unknown"),
      resource: pairs.length === 0 ? noAttributes : plainAttributes(pairs),
    };
    for (const scope of scopeLogs) {
      const by = { ...of, scope: clean(scope.scope?.name ?? "") };
      for (const record of scope.logRecords) records.push({ ...logRecord(record, nowMs), ...by });
    }
  }
  return records;
}

function logRecord(record: OtlpLogRecord, nowMs: number): Omit<LogRecord, "service" | "resource" | "scope"> {
  const { traceId, spanId } = record;
  const body = plainValue(record.body);
  return {
    atUs: microseconds(record.timeUnixNano || record.observedTimeUnixNano || BigInt(Math.floor(nowMs)) * 1_000_000n),
    severity: Math.min(24, Math.max(0, record.severityNumber)),
    severityText: clean(record.severityText, 64),
    body: bodyText(typeof body === "object" ? JSON.stringify(body) : String(body ?? "")),
    eventName: clean(record.eventName),
    traceId: traceId.length === 16 ? hex(traceId) : "",
    spanId: spanId.length === 8 ? hex(spanId) : "",
    attributes: plainAttributes(record.attributes),
  };
}

/** A log's text may have lines and tabs; other control characters are left out. */
const bodyText = (text: string): string => text.slice(0, maxBodyChars).replace(/[^\P{Cc}\n\t]/gu, "");
