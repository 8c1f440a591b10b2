import type { ApiError } from "../../../contract/index.ts";
import { errorCodeOf } from "../../../lib/error-body.ts";
import type { StatusError } from "../status-error.ts";

/** The same failure in the words of Limpid's own API. */
export function toApiError(error: StatusError): ApiError {
  const causes = error.reason === "Invalid" ? error.details?.causes : undefined;
  return {
    code: errorCodeOf(error.code),
    message: error.message,
    ...(causes ? { errors: causes.map(({ field = "", message }) => ({ path: field, message })) } : {}),
  };
}
