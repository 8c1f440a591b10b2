import { z } from "zod";
import { type FieldError, fail, ok, type Result } from "../../lib/result.ts";
import { suggest } from "../../lib/suggest.ts";
import { formatPath } from "../../wire/field-path.ts";

/** What a rule over several fields calls for each thing that is wrong; `path` is relative to the value it looks at. */
export type Report = (path: PropertyKey[], message: string) => void;

/** A field that Istio or Kubernetes has and Limpid doesn't act on yet: refused by name, so that it is never stored and ignored. */
export const notYet = (what: string) =>
  z.never({ error: `not supported yet by Limpid${what ? `; ${what}` : ""}` }).optional();

/**
 * May be left out, or null, as Istio's CRDs have it for wrappers of scalars. Null is for storing only: `withoutZeroValues` takes it out
 * before anybody reads, so the type hasn't got it.
 */
export const orNull = <S extends z.ZodType>(schema: S): z.ZodOptional<S> =>
  schema.nullish() as unknown as z.ZodOptional<S>;

/**
 * Adds a rule over several fields. It runs also when some field is wrong by itself, so that all errors come at once; where the
 * wrong shape of a field trips it up, that field's own error is what the caller gets.
 */
export function rule<S extends z.ZodType>(schema: S, check: (value: z.output<S>, report: Report) => void): S {
  const always = { when: () => true };
  return schema.superRefine((value, context) => {
    const shapeIsWrong = context.issues.length > 0;
    try {
      check(value as z.output<S>, (path, message) => context.addIssue({ code: "custom", path, message }));
    } catch (error) {
      if (!shapeIsWrong) throw error;
    }
  }, always) as S;
}

/** A string with a format: `check` returns what would be right, or undefined when it is; `expected` is said of what is no string at all. */
export const text = (check: (value: string) => string | undefined, expected?: string) =>
  z
    .string({ error: (issue) => (expected === undefined || issue.input === undefined ? undefined : expected) })
    .superRefine((value, context) => {
      const message = check(value);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    });

/** Runs a strict schema over a plain value and returns every error with its path below `root`. */
export function check<S extends z.ZodType>(schema: S, input: unknown, root: string): Result<z.output<S>, FieldError> {
  const result = schema.safeParse(input, { error: (issue) => explain(issue) });
  if (result.success) return ok(result.data);
  const errors = result.error.issues.flatMap((issue): FieldError[] => {
    const path = formatPath(issue.path, root);
    if (issue.code === "unrecognized_keys") {
      const known = knownKeys(schema, issue.path);
      return unknownFields(issue.keys, known, path);
    }
    if (issue.code === "invalid_key" || issue.code === "invalid_element") {
      return issue.issues.map((inner) => ({ path, message: inner.message }));
    }
    return [{ path, message: issue.message }];
  });
  return fail(...errors);
}

export const isUnknownField = ({ message }: FieldError): boolean => message.startsWith("unknown field");

/** Looking for what was meant takes time: whoever has more than this wrong has not mistyped. */
const maxSuggestions = 20;

export const unknownFields = (keys: readonly string[], known: readonly string[], root: string): FieldError[] =>
  keys.map((key, index) => ({
    path: formatPath([key], root),
    message: index < maxSuggestions ? unknownField(key, known) : "unknown field",
  }));

function unknownField(key: string, known: readonly string[]): string {
  const near = suggest(key, known);
  if (near !== undefined) return `unknown field; did you mean ${near}?`;
  return known.length > 0 && known.length <= 12
    ? `unknown field; the fields here are ${known.join(", ")}`
    : "unknown field";
}

function explain(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type": {
      if (issue.input === undefined) return "is required";
      const quote =
        issue.expected === "string" && isScalar(issue.input)
          ? `; quote it: ${JSON.stringify(String(issue.input))}`
          : "";
      return `must be ${typeName(String(issue.expected))}, not ${describe(issue.input)}${quote}`;
    }
    case "invalid_value": {
      const values = issue.values.map(String);
      const near = typeof issue.input === "string" ? suggest(issue.input, values) : undefined;
      return `must be one of ${values.join(", ")}${near === undefined ? "" : `; did you mean ${near}?`}`;
    }
    case "too_small":
      if (issue.origin === "array")
        return `needs at least ${issue.minimum} ${issue.minimum === 1 ? "entry" : "entries"}`;
      if (issue.origin === "string")
        return issue.minimum === 1 ? "must not be empty" : `must have at least ${issue.minimum} characters`;
      return `must be at least ${issue.minimum}, not ${describe(issue.input)}`;
    case "too_big":
      if (issue.origin === "array") return `must have at most ${issue.maximum} entries`;
      if (issue.origin === "string") return `must have at most ${issue.maximum} characters`;
      return `must be at most ${issue.maximum}, not ${describe(issue.input)}`;
    default:
      return undefined;
  }
}

const isScalar = (value: unknown) => typeof value === "number" || typeof value === "boolean";

function typeName(expected: string): string {
  const names: Record<string, string> = {
    string: "a string",
    number: "a number",
    int: "a whole number",
    boolean: "true or false",
    array: "a list",
    object: "an object",
    record: "an object",
  };
  return names[expected] ?? expected;
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return value.length > 40 ? "a string" : `the string ${JSON.stringify(value)}`;
  return isScalar(value) ? String(value) : "an object";
}

/** The keys of the object schema at a path below `schema`. */
function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let at: z.core.$ZodType | undefined = schema;
  for (const key of path) {
    at = unwrap(at);
    if (at instanceof z.ZodObject) at = at.shape[String(key)];
    else if (at instanceof z.ZodArray) at = at.element;
    else if (at instanceof z.ZodRecord) at = at.valueType;
    else return [];
  }
  at = unwrap(at);
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function unwrap(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let at = schema;
  while (at instanceof z.ZodOptional) at = at.unwrap();
  return at;
}
