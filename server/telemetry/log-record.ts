import type { Attributes } from "./attributes.ts";

/** One line of an application's log, from any dialect. */
export interface LogRecord {
  /** When it happened, or else when it was seen; Unix microseconds. */
  atUs: number;
  service: string;
  /** OTLP's SeverityNumber: 1 to 24, by fours trace, debug, info, warn, error, fatal; 0: unknown. */
  severity: number;
  /** As the source calls it; may be empty. */
  severityText: string;
  /** A text, or structured data as JSON. */
  body: string;
  eventName: string;
  /** Lower-case hex; empty: of no trace. */
  traceId: string;
  spanId: string;
  /** The logger. */
  scope: string;
  /** What the logger says of itself. */
  scopeAttributes: Attributes;
  attributes: Attributes;
  resource: Attributes;
}
