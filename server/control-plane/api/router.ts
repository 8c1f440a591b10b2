import type { IncomingMessage, ServerResponse } from "node:http";
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
}

export type ApiResponse =
  | { status: number; body: unknown; headers?: Record<string, string> }
  /** The handler writes by itself, for as long as it likes. */
  | { stream(response: ServerResponse): Promise<void> };

export type Handler = (request: ApiRequest) => Promise<ApiResponse>;

interface Route {
  method: string;
  segments: string[];
  handler: Handler;
  maxBodyBytes: number;
}

/** What a request may have unless its route takes more. */
const defaultMaxBodyBytes = 1024 * 1024;

export interface Router {
  /** `pattern` is a path whose segments are literal or `:name`. Routes are tried in the order in which they were added. */
  add(method: string, pattern: string, handler: Handler, maxBodyBytes?: number): void;
  /** Throws a StatusError of 404, or of 405 when only the method is wrong. */
  match(method: string, path: string): { handler: Handler; params: Record<string, string>; maxBodyBytes: number };
}

export function createRouter(): Router {
  const routes: Route[] = [];
  return {
    add(method, pattern, handler, maxBodyBytes = defaultMaxBodyBytes) {
      routes.push({ method, segments: split(pattern), handler, maxBodyBytes });
    },
    match(method, path) {
      const segments = split(path);
      const allowed = new Set<string>();
      for (const route of routes) {
        const params = matchSegments(route.segments, segments);
        if (params === undefined) continue;
        if (route.method === method) return { handler: route.handler, params, maxBodyBytes: route.maxBodyBytes };
        allowed.add(route.method);
        if (route.method === "GET") allowed.add("HEAD");
      }
      throw allowed.size > 0 ? methodNotAllowed([...allowed]) : noSuchResource();
    },
  };
}

const split = (path: string): string[] => path.split("/").filter((segment) => segment !== "");

function matchSegments(pattern: string[], segments: string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const actual = decode(segments[index] ?? "");
    if (actual === undefined) return undefined;
    if (expected.startsWith(":")) params[expected.slice(1)] = actual;
    else if (expected !== actual) return undefined;
  }
  return params;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
