import type { CelInput, CelValue } from "@bufbuild/cel";
import { lazyRequire } from "../../../../lib/lazy-require.ts";
import type { RequestRecord } from "../../../record.ts";
import type { Operator } from "../operator.ts";
import { attributes } from "./attributes.ts";
import { usesOf } from "./check.ts";
import { print } from "./print.ts";

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
 * An expression of the Common Expression Language over the request's attributes; one that fails has no value.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter
 * Throws an Error that says what is wrong with it.
 */
export function cel(expression: string, compile: Compile): Operator {
  const library = load();
  const value = evaluated(expression, compile, library);
  return (record) => {
    const found = value(record);
    return found === undefined ? undefined : print(found, library);
  };
}

/** Whether an expression is `true` of a record; one that fails, or is something else, is not. Throws as `cel`. */
export function celCondition(expression: string, compile: Compile): (record: RequestRecord) => boolean {
  const value = evaluated(expression, compile, load());
  return (record) => value(record) === true;
}

function evaluated(
  expression: string,
  compile: Compile,
  library: Cel,
): (record: RequestRecord) => CelValue | undefined {
  const parsed = library.parse(expression);
  const known = attributes(compile);
  const uses = usesOf(parsed.expr, (object, attribute) =>
    attribute === undefined ? Object.hasOwn(known, object) : Object.hasOwn(known[object] ?? {}, attribute),
  );
  const readers = [...uses].map(([object, names]) => {
    const all = Object.entries(known[object] ?? {});
    return { object, reads: names === "all" ? all : all.filter(([name]) => names.has(name)) };
  });
  const evaluate = library.plan(library.celEnv({ funcs: withoutConcatenation(library) }), parsed);
  const bindings = (record: RequestRecord): Record<string, CelInput> =>
    Object.fromEntries(
      readers.map(({ object, reads }) => {
        const values = new Map<string, CelInput>();
        for (const [name, read] of reads) {
          const value = read(record);
          if (value !== undefined) values.set(name, value);
        }
        return [object, values];
      }),
    );
  return (record) => {
    const value = evaluate(bindings(record));
    return library.isCelError(value) ? undefined : value;
  };
}
