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

export interface Matched {
  handler: Handler;
  /** Of the route, and not of the call: by it is told what a call needs, however its path was written. */
  pattern: string;
  params: Record<string, string>;
  maxBodyBytes: number;
}

export interface ApiRouter {
  /** `pattern` as in `Router.add`. */
  add(method: string, pattern: string, handler: Handler, maxBodyBytes?: number): void;
  /** Throws a StatusError of 404, or of 405 when only the method is wrong. */
  match(method: string, path: string): Matched;
  /** Every route, in the order in which they are tried. */
  readonly list: readonly { method: string; pattern: string }[];
}

export function createApiRouter(): ApiRouter {
  const router = createRouter<Omit<Matched, "params">>();
  const list: { method: string; pattern: string }[] = [];
  return {
    list,
    add(method, pattern, handler, maxBodyBytes = defaultMaxBodyBytes) {
      list.push({ method, pattern });
      router.add(method, pattern, { handler, pattern, maxBodyBytes });
    },
    match(method, path) {
      const match = router.match(method, path);
      if (match.target) return { ...match.target, params: match.params };
      throw match.allowed.length > 0 ? methodNotAllowed(match.allowed) : noSuchResource();
    },
  };
}
