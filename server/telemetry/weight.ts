import type { Attributes, AttributeValue } from "./attributes.ts";
import type { LogRecord } from "./log-record.ts";
import type { SpanRecord } from "./span.ts";

/** A record, and each thing in it, without its texts. */
const object = 64;

/**
 * About how many bytes of memory a record holds, so that what waits can be bounded: senders choose how long their texts are. What it shares with the
 * one before it is counted there.
 */
export function weightOfSpan(span: SpanRecord, before?: SpanRecord): number {
  let bytes = 4 * object + span.name.length + span.statusMessage.length + weightOf(span.attributes);
  for (const { name, attributes } of span.events) bytes += object + name.length + weightOf(attributes);
  for (const { attributes } of span.links) bytes += 2 * object + weightOf(attributes);
  // What it came as is there, too, where it is to be passed on.
  if (span.origin !== undefined) bytes *= 3;
  return span.resource === before?.resource ? bytes : bytes + weightOf(span.resource);
}

export function weightOfLog(log: LogRecord, before?: LogRecord): number {
  const bytes = 4 * object + log.body.length + log.eventName.length + weightOf(log.attributes);
  return log.resource === before?.resource ? bytes : bytes + weightOf(log.resource) + weightOf(log.scopeAttributes);
}

function weightOf(attributes: Attributes): number {
  let bytes = 0;
  for (const key in attributes) bytes += object + key.length + lengthOf(attributes[key]);
  return bytes;
}

function lengthOf(value: AttributeValue | undefined): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object") return 8;
  return value.reduce<number>((sum, item) => sum + (typeof item === "string" ? object + item.length : 8), 0);
}
