import type { LogRecord } from "../../../telemetry/log-record.ts";
import { type Columns, hex, int4, int8, text } from "./column.ts";

export interface LogEntry {
  log: LogRecord;
  /** The number of its resource. */
  resource: number;
}

/** Of applications' logs. */
export const logColumns: Columns<LogEntry> = [
  int8("at_us", ({ log }) => log.atUs),
  text("service", ({ log }) => log.service),
  int4("severity", ({ log }) => log.severity),
  text("severity_text", ({ log }) => log.severityText),
  text("body", ({ log }) => log.body),
  text("event_name", ({ log }) => log.eventName),
  hex("trace_id", ({ log }) => log.traceId),
  hex("span_id", ({ log }) => log.spanId),
  text("scope", ({ log }) => log.scope),
  text("scope_attributes", ({ log }) => scopeAttributesOf(log)),
  text("attributes", ({ log }) => JSON.stringify(log.attributes)),
  int4("resource", ({ resource }) => resource),
];

/** As JSON; empty: none. */
const scopeAttributesOf = ({ scopeAttributes }: LogRecord): string =>
  Object.keys(scopeAttributes).length === 0 ? "" : JSON.stringify(scopeAttributes);
