import type { JsonValue } from "@bufbuild/protobuf";

/**
 * OTLP's JSON as proto JSON has it. OTLP writes ids as hex, where proto JSON writes bytes as base64; and some senders write integers of 64 bits
 * as numbers, which JSON.parse would round: those are taken as they were written, within what 64 bits hold. Throws SyntaxError.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export const parseOtlpJson = (text: string): JsonValue => JSON.parse(text, revive as Reviver) as JsonValue;

type Reviver = (this: unknown, key: string, value: unknown) => unknown;

/** `source` is the number as it was written. https://github.com/tc39/proposal-json-parse-with-source */
function revive(key: string, value: unknown, context?: { source?: string }): unknown {
  if (key === "traceId" || key === "spanId" || key === "parentSpanId") return base64OfHex(value);
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  if (!/^-?\d+$/.test(source)) return value;
  const exact = BigInt(source);
  return String(exact > maxInt64 ? maxInt64 : exact < minInt64 ? minInt64 : exact);
}

const maxInt64 = 2n ** 63n - 1n;
const minInt64 = -(2n ** 63n);

function base64OfHex(value: unknown): string {
  if (typeof value !== "string" || !/^[0-9a-fA-F]*$/.test(value)) return "";
  return Buffer.from(value, "hex").toString("base64");
}
