import type { JsonValue } from "@bufbuild/protobuf";
import type { RequestRecord } from "../../record.ts";

/** Reads one value off a record; undefined: it has none. In JSON it keeps its type, in a text an object is its JSON. */
export interface Operator {
  (record: RequestRecord): JsonValue | undefined;
  /** Where a text has another form than the JSON of it. */
  inText?: (record: RequestRecord) => string | undefined;
}

/** Prepares an operator for what stands in its parentheses; undefined: these are not what it takes. */
export type OperatorMaker = (argument: string | undefined) => Operator | undefined;

export type Operators = Readonly<Record<string, OperatorMaker | undefined>>;

/** An operator without parentheses. */
export const plain =
  (operator: Operator): OperatorMaker =>
  (argument) =>
    argument === undefined ? operator : undefined;

/** One that needs what stands in its parentheses. */
export const needs =
  (make: (argument: string) => Operator | undefined): OperatorMaker =>
  (argument) =>
    argument === undefined || argument === "" ? undefined : make(argument);

export const some = (text: string | undefined): string | undefined => (text === "" ? undefined : text);

/** JSON of a Struct, which has no order of keys: Envoy writes them sorted. */
export const sortedJson = (value: JsonValue): string => JSON.stringify(sorted(value));

export function sorted(value: JsonValue): JsonValue {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
