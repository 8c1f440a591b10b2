/** The body of a failed call on every HTTP port of ours but those that speak somebody else's protocol: `ApiError` of the contract. */
export interface ErrorBody {
  code: ErrorCode;
  message: string;
}

export type ErrorCode =
  | "INVALID"
  | "NOT_FOUND"
  | "CONFLICT"
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "LIMITED"
  | "TOO_LARGE"
  | "UNSUPPORTED"
  | "BUSY"
  | "INTERNAL";

export const errorBody = (status: number, message: string): ErrorBody => ({ code: errorCodeOf(status), message });

/** The word for an HTTP status. */
export function errorCodeOf(status: number): ErrorCode {
  switch (status) {
    case 400:
    case 422:
    case 431:
      return "INVALID";
    case 401:
      return "UNAUTHENTICATED";
    case 403:
    case 421:
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
    case 429:
      return "LIMITED";
    case 408:
    case 503:
      return "BUSY";
    default:
      return "INTERNAL";
  }
}
