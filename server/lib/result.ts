/** Success with a value, or every error found: callers show them all at once instead of one by one. */
export type Result<T, E = FieldError> = { ok: true; value: T } | { ok: false; errors: E[] };

/** What is wrong with one field: a path such as `spec.http[0].route[1].weight`, and what would be right. */
export interface FieldError {
  path: string;
  message: string;
  /** The message by a word of its own, with what it is about: for pages in other languages. */
  reason?: string | undefined;
  params?: Readonly<Record<string, string | number>> | undefined;
}

export const ok = <T>(value: T): { ok: true; value: T } => ({ ok: true, value });
export const fail = <E>(...errors: E[]): { ok: false; errors: E[] } => ({ ok: false, errors });

export const formatFieldErrors = (errors: readonly FieldError[]): string =>
  errors.map((error) => (error.path ? `${error.path}: ${error.message}` : error.message)).join("; ");

/** The value, or an Error that says all that was found. */
export function unwrap<T>(result: Result<T, string>): T {
  if (!result.ok) throw new Error(result.errors.join("; "));
  return result.value;
}
