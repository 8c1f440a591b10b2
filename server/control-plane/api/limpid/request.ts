import type { z } from "zod";
import type { FieldError } from "../../../lib/result.ts";
import { type Actor, actorOf } from "../actor.ts";
import { decodeBody } from "../body.ts";
import type { ApiRequest } from "../router.ts";
import { badRequest, maxCauses, StatusError } from "../status-error.ts";

/** The body, checked. Throws 400 on a syntax error, 422 with every wrong field. */
export async function readBodyAs<S extends z.ZodType>(schema: S, request: ApiRequest): Promise<z.output<S>> {
  const result = schema.safeParse(await decodeBody(request.body, request.contentType));
  if (result.success) return result.data;
  throw invalidFields(result.error.issues.map((issue) => ({ path: formatPath(issue.path), message: issue.message })));
}

/** Several wrong fields of no particular resource. */
export function invalidFields(errors: readonly FieldError[]): StatusError {
  const shown = errors.slice(0, maxCauses);
  const texts = shown.map((error) => (error.path ? `${error.path}: ${error.message}` : error.message));
  if (errors.length > shown.length) texts.push(`and ${errors.length - shown.length} more`);
  const causes = shown.map(({ path, message }) => ({ reason: "FieldValueInvalid", field: path, message }));
  return new StatusError(422, "Invalid", texts.join("; "), { causes }, {}, { fields: shown });
}

function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

export const isDryRunQuery = (request: ApiRequest): boolean => request.query.get("dryRun") === "true";

/** A whole number of the query within bounds. Throws 400. */
export function integerQuery(request: ApiRequest, name: string, fallback: number, max: number): number {
  const text = request.query.get(name);
  if (text === null || text === "") return fallback;
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || value > max) throw badRequest(`${name} must be a whole number up to ${max}`);
  return value;
}

/** Calls of Limpid's own API that name no field manager write as `limpid`. */
export function limpidActor(request: ApiRequest): Actor {
  const actor = actorOf(request);
  return request.query.has("fieldManager") ? actor : { ...actor, manager: "limpid" };
}
