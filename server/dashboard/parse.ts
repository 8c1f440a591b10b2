import type { z } from "zod";
import { DashboardError } from "../contract/index.ts";

/** A query or a body by its schema. Throws INVALID, which names every wrong field. */
export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message }));
  throw invalid(errors.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; "), errors);
}

export const invalid = (message: string, errors?: DashboardError["errors"]): DashboardError =>
  new DashboardError({ code: "INVALID", message, ...(errors && { errors }) });
