import type { AnyValue, KeyValue } from "../gen/proto/opentelemetry/proto/common/v1/common_pb.js";
import { clean } from "../wire/peer.ts";

export type AttributeValue = string | number | boolean | readonly (string | number | boolean)[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface AttributeLimits {
  maxCount: number;
  /** Characters of all keys and values; what does not fit is left out. */
  maxChars: number;
}

export const attributeLimits: AttributeLimits = { maxCount: 64, maxChars: 8192 };
const maxValueChars = 4096;
const maxItems = 64;

export const noAttributes: Attributes = Object.freeze({});

/** OTLP's attributes as plain values, bounded. Arrays stay arrays; maps, and what arrays hold of them, become JSON. */
export function plainAttributes(pairs: readonly KeyValue[], limits = attributeLimits): Attributes {
  if (pairs.length === 0) return noAttributes;
  const attributes: Record<string, AttributeValue> = {};
  let room = limits.maxChars;
  for (const pair of pairs.slice(0, limits.maxCount)) {
    const value = plainValue(pair.value);
    if (value === undefined) continue;
    const key = clean(pair.key, 128);
    room -= key.length + String(value).length;
    if (room >= 0) attributes[key] = value;
  }
  return attributes;
}

export function plainValue(value: AnyValue | undefined): AttributeValue | undefined {
  switch (value?.value.case) {
    case "arrayValue":
      return value.value.value.values.slice(0, maxItems).flatMap((item) => scalar(item) ?? []);
    default:
      return scalar(value);
  }
}

function scalar(value: AnyValue | undefined): string | number | boolean | undefined {
  const held = value?.value;
  switch (held?.case) {
    case "stringValue":
      return cleanLines(held.value, maxValueChars);
    case "boolValue":
      return held.value;
    case "doubleValue":
      return Number.isFinite(held.value) ? held.value : String(held.value);
    case "intValue":
      // What a double can't hold exactly stays exact as a text.
      return Number.isSafeInteger(Number(held.value)) ? Number(held.value) : String(held.value);
    case "bytesValue":
      return Buffer.from(held.value).toString("base64").slice(0, maxValueChars);
    case "arrayValue":
    case "kvlistValue":
      return clean(JSON.stringify(jsonOf(value, 0)), maxValueChars);
    default:
      return undefined;
  }
}

/** A text of several lines, such as a stack trace: control characters out but for line ends and tabs, length bounded. */
export function cleanLines(text: string, maxLength: number): string {
  const short = text.length > maxLength ? text.slice(0, maxLength) : text;
  return unclean.test(short) ? short.replace(controls, "").toWellFormed() : short;
}

const unclean = /[^\P{Cc}\n\t]|\p{Cs}/u;
const controls = /[^\P{Cc}\n\t]/gu;

const maxDepth = 8;

/** Nested values, for JSON; past a depth they are left out. */
export function jsonOf(value: AnyValue | undefined, depth: number): unknown {
  if (depth > maxDepth) return null;
  const held = value?.value;
  if (held?.case === "arrayValue") return held.value.values.slice(0, maxItems).map((item) => jsonOf(item, depth + 1));
  if (held?.case === "kvlistValue") {
    const pairs = held.value.values.slice(0, maxItems);
    return Object.fromEntries(pairs.map((pair) => [clean(pair.key, 128), jsonOf(pair.value, depth + 1)]));
  }
  return scalar(value) ?? null;
}

export function stringAttribute(attributes: readonly KeyValue[], key: string): string {
  const value = attributes.find((pair) => pair.key === key)?.value?.value;
  return value?.case === "stringValue" ? value.value : "";
}
