import type { ApiError } from "../../../contract/index.ts";
import { errorCodeOf } from "../../../lib/error-body.ts";
import type { FieldError } from "../../../lib/result.ts";
import type { StatusError } from "../status-error.ts";

/** The same failure in the words of Limpid's own API. */
export function toApiError(error: StatusError): ApiError {
  const causes = error.reason === "Invalid" ? error.details?.causes : undefined;
  const fields = error.fields ?? causes?.map(({ field = "", message }) => ({ path: field, message }));
  return {
    code: errorCodeOf(error.code),
    message: error.message,
    ...error.told,
    ...(fields && { errors: fields.map(withReason) }),
  };
}

/** Kinds say in English what is wrong with a field; the most frequent of it has a word that pages know. */
function withReason(error: FieldError): NonNullable<ApiError["errors"]>[number] {
  const { path, message, reason, params } = error;
  if (reason !== undefined) return { path, message, reason, ...(params && { params: { ...params } }) };
  if (message === "is required") return { path, message, reason: "field-required" };
  const unknown = /^unknown field(?:; did you mean (.+)\?)?$/.exec(message);
  if (unknown === null) return { path, message };
  const [, near] = unknown;
  return near === undefined
    ? { path, message, reason: "field-unknown" }
    : { path, message, reason: "field-unknown-near", params: { near } };
}
