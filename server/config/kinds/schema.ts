import { z } from "zod";
import { type Told, told } from "../../contract/told.ts";
import { type FieldError, fail, ok, type Result } from "../../lib/result.ts";
import { suggest } from "../../lib/suggest.ts";
import { formatPath } from "../../wire/field-path.ts";

/** What a rule over several fields calls for each thing that is wrong; `path` is relative to the value it looks at. */
export type Report = (path: PropertyKey[], told: Told) => void;

/** By its English: zod carries texts alone. */
const saidBySchemas = new Map<string, Told>();

/** For where zod wants a text: `z.array(…).min(1, says(told("needs-destination", {})))`. */
export function says(what: Told): string {
  saidBySchemas.set(what.message, what);
  return what.message;
}

/** A field that Istio or Kubernetes has and Limpid doesn't act on yet: refused by name, so that it is never stored and ignored. */
export const notYet = (what: Told = told("not-yet", {})) => z.never({ error: says(what) }).optional();

/** As `notYet`, where there is another field for it. */
export const notYetUse = (instead: string) => notYet(told("not-yet-use", { instead }));

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
      check(value as z.output<S>, (path, what) => context.addIssue({ ...issueOf(what), path }));
    } catch (error) {
      if (!shapeIsWrong) throw error;
    }
  }, always) as S;
}

const issueOf = ({ message, reason, params }: Told) => ({
  code: "custom" as const,
  message,
  params: { reason, params },
});

/**
 * A string with a format: `check` returns what would be right (one thing or several), or undefined when it is; `expected` is said of what is no
 * string at all.
 */
export const text = (check: (value: string) => Told | readonly Told[] | undefined, expected?: Told) => {
  const other = expected && says(expected);
  return z
    .string({ error: (issue) => (issue.input === undefined ? undefined : other) })
    .superRefine((value, context) => {
      for (const what of [check(value) ?? []].flat()) context.addIssue(issueOf(what));
    });
};

/** Runs a strict schema over a plain value and returns every error with its path below `root`. */
export function check<S extends z.ZodType>(schema: S, input: unknown, root: string): Result<z.output<S>, FieldError> {
  const said = new Map<string, Told>();
  const explained = (issue: z.core.$ZodRawIssue): string | undefined => {
    const what = explain(issue);
    if (what !== undefined) said.set(what.message, what);
    return what?.message;
  };
  const result = schema.safeParse(input, { error: explained });
  if (result.success) return ok(result.data);
  const tell = (issue: z.core.$ZodIssue): Told =>
    issue.code === "custom"
      ? { message: issue.message, ...issue.params }
      : (said.get(issue.message) ?? saidBySchemas.get(issue.message) ?? { message: issue.message });
  const errors = result.error.issues.flatMap((issue): FieldError[] => {
    const path = formatPath(issue.path, root);
    if (issue.code === "unrecognized_keys") return unknownFields(issue.keys, knownKeys(schema, issue.path), path);
    if (issue.code === "invalid_key" || issue.code === "invalid_element") {
      return issue.issues.map((inner) => ({ path, ...tell(inner) }));
    }
    return [{ path, ...tell(issue) }];
  });
  return fail(...errors);
}

export const isUnknownField = ({ reason }: FieldError): boolean => reason?.startsWith("field-unknown") === true;

/** Looking for what was meant takes time: whoever has more than this wrong has not mistyped. */
const maxSuggestions = 20;

export const unknownFields = (keys: readonly string[], known: readonly string[], root: string): FieldError[] =>
  keys.map((key, index) => ({
    path: formatPath([key], root),
    ...(index < maxSuggestions ? unknownField(key, known) : told("field-unknown", {})),
  }));

function unknownField(key: string, known: readonly string[]): Told {
  const near = suggest(key, known);
  if (near !== undefined) return told("field-unknown-near", { near });
  return known.length > 0 && known.length <= 12
    ? told("field-unknown-known", { known: known.join(", ") })
    : told("field-unknown", {});
}

function explain(issue: z.core.$ZodRawIssue): Told | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? told("field-required", {}) : ofType(String(issue.expected), issue.input);
    case "invalid_value": {
      const known = issue.values.map(String);
      const near = typeof issue.input === "string" ? suggest(issue.input, known) : undefined;
      const values = known.join(", ");
      return near === undefined ? told("one-of", { values }) : told("one-of-near", { values, near });
    }
    case "too_small": {
      const minimum = Number(issue.minimum);
      if (issue.origin === "array")
        return minimum === 1 ? told("needs-entry", {}) : told("needs-entries", { count: minimum });
      if (issue.origin === "string")
        return minimum === 1 ? told("not-empty", {}) : told("min-characters", { count: minimum });
      if (issue.inclusive === false) return told("above", { minimum, value: shown(issue.input) });
      return told("at-least", { minimum, value: shown(issue.input) });
    }
    case "too_big": {
      const maximum = Number(issue.maximum);
      if (issue.origin === "array") return told("max-entries", { count: maximum });
      if (issue.origin === "string") return told("max-characters", { count: maximum });
      return told("at-most", { maximum, value: shown(issue.input) });
    }
    default:
      return undefined;
  }
}

const isScalar = (value: unknown) => typeof value === "number" || typeof value === "boolean";

const typeReasons = {
  string: "must-be-text",
  number: "must-be-number",
  int: "must-be-integer",
  boolean: "must-be-boolean",
  array: "must-be-list",
  object: "must-be-object",
  record: "must-be-object",
} as const;

/** A value of another type, and how it would be right. */
function ofType(expected: string, input: unknown): Told | undefined {
  const value = shown(input);
  if (expected === "string" && isScalar(input)) {
    return told("must-be-text-quoted", { value, quoted: JSON.stringify(String(input)) });
  }
  return Object.hasOwn(typeReasons, expected)
    ? told(typeReasons[expected as keyof typeof typeReasons], { value })
    : undefined;
}

/** As JSON has it, which is the same in every language, but for what is long: nobody looks for that, and it may be a secret. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "[]" : "[…]";
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0 ? "{}" : "{…}";
  return typeof value === "string" ? JSON.stringify(value.length > 40 ? "…" : value) : String(value);
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
