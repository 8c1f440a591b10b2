import type { ApiError } from "../../../contract/index.ts";
import { errorCodeOf } from "../../../lib/error-body.ts";
import type { StatusError } from "../status-error.ts";

/** The same failure in the words of Limpid's own API. */
export const toApiError = ({ code, message, told, fields }: StatusError): ApiError => ({
  code: errorCodeOf(code),
  message,
  ...told,
  ...(fields && {
    errors: fields.map(({ path, message, reason, params }) => ({
      path,
      message,
      ...(reason && { reason }),
      ...(params && { params: { ...params } }),
    })),
  }),
});
