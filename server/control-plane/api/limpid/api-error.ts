import type { ApiError } from "../../../contract/index.ts";
import type { StatusError } from "../status-error.ts";

/** The same failure in the words of Limpid's own API. */
export function toApiError(error: StatusError): ApiError {
  const causes = error.reason === "Invalid" ? error.details?.causes : undefined;
  return {
    code: codeOf(error.code),
    message: error.message,
    ...(causes ? { errors: causes.map(({ field = "", message }) => ({ path: field, message })) } : {}),
  };
}

function codeOf(status: number): ApiError["code"] {
  switch (status) {
    case 400:
    case 422:
      return "INVALID";
    case 403:
      return "FORBIDDEN";
    case 404:
    case 410:
      return "NOT_FOUND";
    case 409:
      return "CONFLICT";
    case 413:
      return "TOO_LARGE";
    case 405:
    case 415:
      return "UNSUPPORTED";
    default:
      return "INTERNAL";
  }
}
