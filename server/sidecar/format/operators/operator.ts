import type { JsonValue } from "@bufbuild/protobuf";
import type { RequestRecord } from "../../record.ts";

/** Reads one value off a record; undefined: it has none. In JSON it keeps its type, in a text an object is its JSON. */
export interface Operator {
  (record: RequestRecord): JsonValue | undefined;
  /** Where a text has another form than the JSON of it. */
  inText?: (record: RequestRecord) => string | undefined;
  /** Where a length is not simply how much of the text is left. */
  limit?: (most: number) => Operator;
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

/** What an operator is in a text; undefined: it has no value. */
export function textOf(operator: Operator, record: RequestRecord): string | number | undefined {
  if (operator.inText !== undefined) return operator.inText(record);
  const value = operator(record);
  if (value === undefined || typeof value === "string" || typeof value === "number") return value;
  return typeof value === "object" ? sortedJson(value) : String(value);
}

/** No more characters of it than that, as a text and in JSON. */
export function limited(operator: Operator, most: number): Operator {
  if (operator.limit !== undefined) return operator.limit(most);
  return (record) => {
    const value = operator.inText?.(record) ?? operator(record);
    if (typeof value === "string") return value.slice(0, most);
    return value !== null && typeof value === "object" ? sortedJson(value).slice(0, most) : value;
  };
}

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
