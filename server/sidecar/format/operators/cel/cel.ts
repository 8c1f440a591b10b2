import type { CelInput, CelValue } from "@bufbuild/cel";
import { createRegistry, type JsonValue } from "@bufbuild/protobuf";
import { LocalitySchema } from "../../../../gen/proto/envoy/config/core/v3/base_pb.js";
import { lazyRequire } from "../../../../lib/lazy-require.ts";
import type { RequestRecord } from "../../../record.ts";
import { type Operator, sorted } from "../operator.ts";
import { attributes, openObjects, type Read } from "./attributes.ts";
import { type Expr, usesOf } from "./check.ts";
import { print } from "./print.ts";
import { typed } from "./typed.ts";

type Cel = typeof import("@bufbuild/cel");

/** Envoy joins no texts and no lists: what would has no value. */
function withoutConcatenation({ CelScalar, celFunc, listType }: Cel) {
  const none = () => {
    throw new Error("nothing is joined here");
  };
  return [
    celFunc("_+_", [CelScalar.STRING, CelScalar.STRING], CelScalar.STRING, none),
    celFunc("_+_", [CelScalar.BYTES, CelScalar.BYTES], CelScalar.BYTES, none),
    celFunc("_+_", [listType(CelScalar.DYN), listType(CelScalar.DYN)], listType(CelScalar.DYN), none),
  ];
}

/** 22 MB that few proxies need: loaded by the first expression. */
const load = lazyRequire<Cel>("@bufbuild/cel");

type Compile = (command: string, param: string | undefined) => Operator;

/**
 * The text of an expression of the Common Expression Language over the request's attributes; one that fails has no value.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter
 * Throws an Error that says what is wrong with it.
 */
export function cel(expression: string, compile: Compile): Operator {
  const evaluate = compileExpression(expression, compile);
  return (record) => printed(evaluate(record));
}

/** The same, in JSON with the type of its value. Throws, too. */
export function typedCel(expression: string, compile: Compile): Operator {
  const evaluate = compileExpression(expression, compile);
  const read = (record: RequestRecord): JsonValue | undefined => {
    const value = evaluate(record);
    const json = value === undefined ? undefined : typed(value, load());
    return json === undefined ? undefined : sorted(json);
  };
  const inText = (record: RequestRecord) => printed(evaluate(record));
  // Whatever is a text in JSON is cut, and nothing else.
  const limit = (most: number): Operator => {
    const cut = (record: RequestRecord) => {
      const value = read(record);
      return typeof value === "string" ? value.slice(0, most) : value;
    };
    return Object.assign(cut, { inText: (record: RequestRecord) => inText(record)?.slice(0, most) });
  };
  return Object.assign(read, { inText, limit });
}

/** Whether an expression is `true` of a record; one that fails, or is something else, is not. Throws, too. */
export function celCondition(expression: string, compile: Compile): (record: RequestRecord) => boolean {
  const evaluate = compileExpression(expression, compile);
  return (record) => evaluate(record) === true;
}

const printed = (value: CelValue | undefined): string | undefined =>
  value === undefined ? undefined : print(value, load());

function compileExpression(expression: string, compile: Compile): (record: RequestRecord) => CelValue | undefined {
  const library = load();
  const parsed = library.parse(expression);
  const readers = objectsOf(parsed.expr, attributes(compile));
  const env = library.celEnv({ funcs: withoutConcatenation(library), registry: createRegistry(LocalitySchema) });
  const evaluate = library.plan(env, parsed);
  return (record) => {
    const value = evaluate(Object.fromEntries(valuesOf(readers, record)));
    return library.isCelError(value) ? undefined : value;
  };
}

/** The objects that an expression names, each with what is asked of it. */
function objectsOf(expr: Expr, known: ReturnType<typeof attributes>): [string, Read][] {
  const uses = usesOf(expr, (object, attribute) => {
    if (Object.hasOwn(openObjects, object)) return true;
    return attribute === undefined ? Object.hasOwn(known, object) : Object.hasOwn(known[object] ?? {}, attribute);
  });
  return [...uses].map(([object, names]) => {
    const open = openObjects[object];
    if (open !== undefined) return [object, open];
    const all = Object.entries(known[object] ?? {});
    const reads = names === "all" ? all : all.filter(([name]) => names.has(name));
    return [object, (record) => valuesOf(reads, record)];
  });
}

function valuesOf(reads: readonly (readonly [string, Read])[], record: RequestRecord): Map<string, CelInput> {
  const values = new Map<string, CelInput>();
  for (const [name, read] of reads) {
    const value = read(record);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}
