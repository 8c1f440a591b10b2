import { at, each } from "../../config/problems.ts";
import { limited, type Operator, textOf } from "./operator.ts";

type Compile = (command: string, param: string | undefined) => Operator;

/**
 * The first of several operators that has a value, an empty one too. They come as JSON: `{"operators": ["COMMAND", {"command": …, "param": …, "max_length": …}]}`.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter
 * Throws an Error naming the field.
 */
export function coalesce(json: string, compile: Compile, most?: number): Operator {
  const { operators } = asObject(parsed(json));
  if (!Array.isArray(operators) || operators.length === 0) throw new Error("operators: must be a list, and not empty");
  const all = each("operators", operators, (entry) => compileEntry(entry, compile));
  const first = <T>(read: (operator: Operator) => T | undefined): T | undefined => {
    for (const operator of all) {
      const value = read(operator);
      if (value !== undefined && value !== null) return value;
    }
    return undefined;
  };
  const read: Operator = (record) => {
    const value = first((operator) => operator(record));
    return typeof value === "string" ? value.slice(0, most) : value;
  };
  return Object.assign<Operator, Pick<Operator, "inText" | "limit">>(read, {
    inText: (record) => {
      const value = first((operator) => textOf(operator, record));
      return value === undefined ? undefined : String(value).slice(0, most);
    },
    limit: (length) => coalesce(json, compile, length),
  });
}

function compileEntry(entry: unknown, compile: Compile): Operator {
  if (typeof entry === "string") return compile(entry, undefined);
  const { command, param, max_length: most } = asObject(entry);
  if (typeof command !== "string") throw new Error("command: required, a text");
  if (param !== undefined && typeof param !== "string") throw new Error("param: must be a text");
  if (most !== undefined && !(Number.isInteger(most) && Number(most) > 0)) {
    throw new Error("max_length: must be a whole number above 0");
  }
  const operator = at("command", () => compile(command, param === "" ? undefined : param));
  return most === undefined ? operator : limited(operator, Number(most));
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new Error(`is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("must be an object");
  return { ...value };
}
