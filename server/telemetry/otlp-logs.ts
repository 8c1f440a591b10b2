import type { AnyValue } from "../gen/proto/opentelemetry/proto/common/v1/common_pb.js";
import type { LogRecord as OtlpLogRecord, ResourceLogs } from "../gen/proto/opentelemetry/proto/logs/v1/logs_pb.js";
import { clean } from "../wire/peer.ts";
import { cleanLines, noAttributes, plainAttributes, plainValue, stringAttribute } from "./attributes.ts";
import type { LogRecord } from "./log-record.ts";
import { hex, microseconds } from "./span.ts";

const maxBodyChars = 16_384;
const scopeLimits = { maxCount: 16, maxChars: 4096 };

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
      const by = {
        ...of,
        scope: clean(scope.scope?.name ?? ""),
        scopeAttributes: plainAttributes(scope.scope?.attributes ?? [], scopeLimits),
      };
      for (const record of scope.logRecords) records.push({ ...logRecord(record, nowMs), ...by });
    }
  }
  return records;
}

function logRecord(
  record: OtlpLogRecord,
  nowMs: number,
): Omit<LogRecord, "service" | "resource" | "scope" | "scopeAttributes"> {
  const { traceId, spanId } = record;
  return {
    atUs: microseconds(record.timeUnixNano || record.observedTimeUnixNano || BigInt(Math.floor(nowMs)) * 1_000_000n),
    severity: Math.min(24, Math.max(0, record.severityNumber)),
    severityText: clean(record.severityText, 64),
    body: bodyOf(record.body),
    eventName: clean(record.eventName),
    traceId: traceId.length === 16 ? hex(traceId) : "",
    spanId: spanId.length === 8 ? hex(spanId) : "",
    attributes: plainAttributes(record.attributes),
  };
}

/** A text as it is, structured data as JSON. */
function bodyOf(body: AnyValue | undefined): string {
  const held = body?.value;
  if (held?.case === "stringValue") return cleanLines(held.value, maxBodyChars);
  const value = plainValue(body);
  return cleanLines(typeof value === "object" ? JSON.stringify(value) : String(value ?? ""), maxBodyChars);
}
