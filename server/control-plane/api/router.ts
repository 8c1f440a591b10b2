import type { IncomingMessage, ServerResponse } from "node:http";
import type { Caller } from "../../access/caller.ts";
import { createRouter } from "../../lib/http-router.ts";
import { methodNotAllowed, noSuchResource } from "./status-error.ts";

/** One call, as handlers see it. */
export interface ApiRequest {
  method: string;
  /** Percent-decoded values of the pattern's `:name` segments. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  /** The media type without its parameters, in lower case; empty without a body. */
  contentType: string;
  /** The whole body, read and bounded before the handler runs. */
  body: Buffer;
  /** Aborted when the client goes away or the server closes. */
  signal: AbortSignal;
  /** Undefined: a program on this machine that said nothing of itself, and may do everything. */
  caller?: Caller | undefined;
}

export type ApiResponse =
  | { status: number; body: unknown; headers?: Record<string, string> }
  /** The handler writes by itself, for as long as it likes. */
  | { stream(response: ServerResponse): Promise<void> };

export type Handler = (request: ApiRequest) => Promise<ApiResponse>;

/** What a request may have unless its route takes more: as much as Kubernetes' API server takes. */
const defaultMaxBodyBytes = 3 * 1024 * 1024;

export interface ApiRouter {
  /** `pattern` as in `Router.add`. */
  add(method: string, pattern: string, handler: Handler, maxBodyBytes?: number): void;
  /** Throws a StatusError of 404, or of 405 when only the method is wrong. */
  match(method: string, path: string): { handler: Handler; params: Record<string, string>; maxBodyBytes: number };
}

export function createApiRouter(): ApiRouter {
  const router = createRouter<{ handler: Handler; maxBodyBytes: number }>();
  return {
    add: (method, pattern, handler, maxBodyBytes = defaultMaxBodyBytes) =>
      router.add(method, pattern, { handler, maxBodyBytes }),
    match(method, path) {
      const match = router.match(method, path);
      if (match.target) return { ...match.target, params: match.params };
      throw match.allowed.length > 0 ? methodNotAllowed(match.allowed) : noSuchResource();
    },
  };
}
