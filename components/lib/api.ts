import { z } from "zod";
import { ApiError } from "../../server/contract/index.ts";

// What a page says by itself has its words here: the English of all that servers tell would be loaded with every page.

// zod would try `new Function`, which the content security policy refuses.
z.config({ jitless: true });

/** A call of the dashboard's API that failed: the contract's error with the HTTP status (0: no answer at all). */
export class ApiFailure extends Error {
  readonly status: number;
  readonly error: ApiError;
  constructor(status: number, error: ApiError) {
    super(error.message);
    this.name = "ApiFailure";
    this.status = status;
    this.error = error;
  }
}

/** GET, parsed by the contract's schema. Throws `ApiFailure`. */
export const getJson = <T>(schema: z.ZodType<T>, path: string, signal?: AbortSignal): Promise<T> =>
  call(schema, path, signal ? { signal } : {});

/** A write with a JSON body. Throws `ApiFailure`. */
export const sendJson = <T>(
  schema: z.ZodType<T>,
  method: "POST" | "PUT" | "DELETE",
  path: string,
  body: unknown = {},
  signal?: AbortSignal,
): Promise<T> =>
  call(schema, path, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });

/** A session that has ended leads to the sign-in page, and from there back to here. */
function goSignIn(): void {
  const { pathname, search } = window.location;
  if (pathname === "/sign-in") return;
  window.location.assign(`/sign-in?${new URLSearchParams({ next: pathname + search })}`);
}

async function call<T>(schema: z.ZodType<T>, path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, cache: "no-store" });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ApiFailure(0, {
      code: "INTERNAL",
      reason: "dashboard-silent",
      message: "The dashboard does not answer.",
    });
  }
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    if (response.status === 401) goSignIn();
    const error = ApiError.safeParse(body);
    throw new ApiFailure(response.status, error.data ?? { code: "INTERNAL", message: `HTTP ${response.status}` });
  }
  const parsed = schema.safeParse(body);
  if (!parsed.success)
    throw new ApiFailure(response.status, {
      code: "INTERNAL",
      reason: "answer-unread",
      params: { why: z.prettifyError(parsed.error) },
      message: "The dashboard's answer can't be read.",
    });
  return parsed.data;
}

/** A promise's outcome as data, so that it can cross from the server into a client component with its error's words. */
export type Settled<T> = { ok: true; value: T } | { ok: false; error: ApiError };

export const toApiError = (cause: unknown): ApiError => {
  if (cause instanceof ApiFailure) return cause.error;
  const parsed = ApiError.safeParse(cause instanceof Error ? { ...cause, message: cause.message } : cause);
  return parsed.data ?? { code: "INTERNAL", message: cause instanceof Error ? cause.message : "Unknown error." };
};
