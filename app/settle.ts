import { type Settled, toApiError } from "../components/lib/api.ts";

/** Awaited on the server and streamed to a client component: errors cross with their words instead of as a digest. */
export const settle = <T>(promise: Promise<T>): Promise<Settled<T>> =>
  promise.then(
    (value) => ({ ok: true as const, value }),
    (cause: unknown) => ({ ok: false as const, error: toApiError(cause) }),
  );
