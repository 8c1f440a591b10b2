import type { parse } from "@bufbuild/cel";

export type Expr = ReturnType<typeof parse>["expr"];

/** All that Envoy has, which leaves out what could take long (comprehensions) or make texts (`string`). Operators have names with marks in them. */
const functions = new Set([
  ...["size", "contains", "startsWith", "endsWith", "matches", "type", "int", "uint", "double", "bytes", "bool", "dyn"],
  ...["timestamp", "duration", "getFullYear", "getMonth", "getDayOfYear", "getDayOfMonth", "getDate", "getDayOfWeek"],
  ...["getHours", "getMinutes", "getSeconds", "getMilliseconds"],
]);

/** What an expression goes by. */
export interface Uses {
  /** Attributes by their object, or all of an object's. */
  readonly of: ReadonlyMap<string, ReadonlySet<string> | "all">;
}

/** Throws an Error that names what Envoy has not, or this proxy. @param knows whether there is an object, or an attribute of it */
export function usesOf(expr: Expr, knows: (object: string, attribute?: string) => boolean): Uses["of"] {
  const of = new Map<string, Set<string> | "all">();
  const use = (object: string, attribute?: string) => {
    if (!knows(object)) throw new Error(`${object}: no attribute of that name`);
    if (attribute !== undefined && !knows(object, attribute)) throw new Error(`${object}.${attribute}: not supported`);
    const known = of.get(object);
    if (attribute === undefined || known === "all") of.set(object, "all");
    else of.set(object, new Set([...(known ?? []), attribute]));
  };
  const walk = (each: Expr | undefined): void => {
    const kind = each?.exprKind;
    switch (kind?.case) {
      case "identExpr":
        use(kind.value.name);
        return;
      case "selectExpr": {
        const { operand, field } = kind.value;
        if (operand?.exprKind.case === "identExpr") use(operand.exprKind.value.name, field);
        else walk(operand);
        return;
      }
      case "callExpr": {
        const { target, function: name, args } = kind.value;
        if (/^\w+$/.test(name) && !functions.has(name)) throw new Error(`${name}(): not supported`);
        walk(target);
        for (const argument of args) walk(argument);
        return;
      }
      case "listExpr":
        for (const element of kind.value.elements) walk(element);
        return;
      case "structExpr":
        if (kind.value.messageName !== "") throw new Error(`${kind.value.messageName}: messages are not supported`);
        for (const { keyKind, value } of kind.value.entries) {
          if (keyKind.case === "mapKey") walk(keyKind.value);
          walk(value);
        }
        return;
      case "comprehensionExpr":
        throw new Error("comprehensions are not supported");
      default:
    }
  };
  walk(expr);
  return of;
}
