import type { JsonValue } from "@bufbuild/protobuf";
import { ConfigError, each, problemsOf, together } from "../config/problems.ts";
import type { RequestRecord } from "../record.ts";
import { limited, type Operator, textOf } from "./operators/operator.ts";
import { compileOperator } from "./operators/operators.ts";

/** A text with command operators, prepared: literals and operators in turn. */
export type Format = readonly (string | Operator)[];

/**
 * Compiles Envoy's `%COMMAND(args):length%` language, the one of header values, access logs and tags. Throws with the names of all operators that are not
 * supported, so that config is refused rather than half obeyed.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter
 */
export function compileFormat(text: string): Format {
  const parts: (string | Operator)[] = [];
  const problems: string[] = [];
  const push = (make: () => string | Operator): void => {
    try {
      parts.push(make());
    } catch (cause) {
      problems.push(...problemsOf(cause));
    }
  };
  let end = 0;
  for (const match of text.matchAll(/%%|%([A-Z0-9_]+)(?:\((.*?)\))?(?::(\d+))?%/gs)) {
    const before = text.slice(end, match.index);
    push(() => literal(before));
    end = match.index + match[0].length;
    const [, name, argument, length] = match;
    push(() => {
      if (name === undefined) return "%";
      const operator = compileOperator(name, argument);
      return length === undefined ? operator : limited(operator, Number(length));
    });
  }
  push(() => literal(text.slice(end)));
  if (problems.length > 0) throw new ConfigError(problems);
  return parts.filter((part) => part !== "");
}

/** @param missing stands for a value that is absent: Envoy writes `-` into logs and nothing into headers */
export function renderText(format: Format, record: RequestRecord, missing: string): string {
  let text = "";
  for (const part of format) text += typeof part === "string" ? part : (textOf(part, record) ?? missing);
  return text;
}

/** Reads JSON off a record. */
export type JsonRenderer = (record: RequestRecord) => JsonValue | undefined;

/**
 * A JSON value whose texts are formats, its fields sorted by name as Envoy writes them; a text that is a single operator keeps its type, and is null where there
 * is none.
 */
export function compileJson(value: JsonValue, omitEmpty: boolean): JsonRenderer {
  if (typeof value === "string") return jsonText(compileFormat(value), omitEmpty);
  if (value === null && omitEmpty) return () => undefined;
  if (value === null || typeof value !== "object") return () => value;
  if (Array.isArray(value)) {
    const items = each("", value, (item) => compileJson(item, omitEmpty));
    return (record) => {
      const made = items.map((item) => item(record));
      return omitEmpty ? made.filter((item) => item !== undefined) : made.map((item) => item ?? null);
    };
  }
  const fields = Object.entries(
    together<Record<string, JsonRenderer>>(
      Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, item]) => [key, () => named(key, () => compileJson(item, omitEmpty))]),
      ),
    ),
  );
  return (record) => {
    const object: Record<string, JsonValue> = {};
    for (const [key, read] of fields) {
      const field = read(record);
      if (field !== undefined) object[key] = field;
    }
    return object;
  };
}

function jsonText(format: Format, omitEmpty: boolean): JsonRenderer {
  const [only] = format;
  if (format.length === 1 && typeof only === "function")
    return (record) => only(record) ?? (omitEmpty ? undefined : null);
  return (record) => renderText(format, record, omitEmpty ? "" : "-");
}

function named<T>(key: string, compile: () => T): T {
  try {
    return compile();
  } catch (cause) {
    throw new ConfigError(problemsOf(cause).map((problem) => `${key}: ${problem}`));
  }
}

function literal(text: string): string {
  if (text.includes("%")) throw new Error(`${JSON.stringify(text)} has a % that begins no operator; %% stands for one`);
  return text;
}
