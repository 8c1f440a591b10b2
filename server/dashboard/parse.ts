import type { z } from "zod";
import { check } from "../config/kinds/schema.ts";
import { DashboardError, type Told, told, toldInEnglish } from "../contract/index.ts";

/** A query or a body by its schema. Throws INVALID, which names every wrong field, in the same words as fields of the mesh's objects have. */
export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  if (value === undefined) throw invalid(told("this-object", {}));
  const parsed = check(schema, value, "");
  if (parsed.ok) return parsed.value;
  const errors = parsed.errors.map((error) =>
    error.reason === undefined ? { ...error, ...toldAs(error.message) } : error,
  );
  const message = errors.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; ");
  throw invalid(message, errors);
}

export const invalid = (said: Told | string, errors?: DashboardError["errors"]): DashboardError =>
  new DashboardError({
    code: "INVALID",
    ...(typeof said === "string" ? { message: said } : said),
    ...(errors && { errors }),
  });

const bySentence = new Map<string, string>(
  Object.entries(toldInEnglish).map(([reason, sentence]) => [sentence, reason]),
);

/** What is said by a sentence that has no parts, with its word where it has one. */
export function toldAs(message: string): Told {
  const reason = bySentence.get(message);
  return { message, ...(reason !== undefined && { reason }) };
}
