import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { isFromWebPage } from "../lib/allowed-host.ts";
import { errorBody } from "../lib/error-body.ts";
import { answerWhole } from "../lib/http-answer.ts";
import { readBody } from "../lib/http-body.ts";
import { createHttpListener, type HttpListenerTls } from "../lib/http-listener.ts";
import { createRouter, type Router } from "../lib/http-router.ts";
import { HttpError } from "./http-error.ts";
import { refusalOf } from "./remote-callers.ts";

/** What one path answers, by method. `body` is there for a POST. */
export interface Endpoint {
  GET?: (asked: AskedFor) => HttpAnswer | Promise<HttpAnswer>;
  POST?: (posted: { body: Buffer; headers: IncomingMessage["headers"]; maxBytes: number }) => Promise<HttpAnswer>;
  /** A failure as those have it who ask here; default: the body that all of Limpid's listeners have. */
  failure?: (status: number, message: string, headers: IncomingMessage["headers"]) => Omit<HttpAnswer, "status">;
}

/** By path; a segment may be `:name`. */
export type Endpoints = Readonly<Record<string, Endpoint>>;

/** Of a path with `:name` in it, and behind its question mark. */
export interface AskedFor {
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
}

export interface HttpAnswer {
  /** Default: 200. */
  status?: number;
  type: string;
  body: string | Uint8Array;
}

export interface TelemetryHttpOptions {
  endpoints: Endpoints;
  /** Of a body as sent; four times as much of it unpacked. */
  maxBodyBytes: number;
  /** Serves HTTPS. */
  tls?: HttpListenerTls;
  /** Told of what a handler threw that is no answer. */
  onError(error: unknown, path: string): void;
}

/** One of the collector's HTTP listeners. A path that is not there is answered with those that are. */
export function createTelemetryHttp(options: TelemetryHttpOptions): Server {
  const router = createRouter<Endpoint>();
  for (const [path, endpoint] of Object.entries(options.endpoints)) router.add(anyMethod, path, endpoint);
  return createHttpListener(
    async (request, response, { path, query }) => {
      const call = callOf(request, { path, query }, router);
      try {
        send(response, await answer(call, options));
      } catch (error) {
        if (response.destroyed) return; // the client has gone
        if (!(error instanceof HttpError)) options.onError(error, path);
        const told = error instanceof HttpError ? error : new HttpError(500, "the collector failed; its log says why");
        send(response, { status: told.status, ...failureOf(call, told) });
      }
    },
    {
      limits: { requestTimeoutMs: 15_000, headersTimeoutMs: 5_000 },
      ...(options.tls && { tls: options.tls }),
      onError: (error, request) => options.onError(error, request.url ?? ""),
    },
  );
}

/** Which methods a path has is its endpoint's to say. */
const anyMethod = "*";

interface Call {
  request: IncomingMessage;
  path: string;
  endpoint: Endpoint | undefined;
  asked: AskedFor;
}

function callOf(request: IncomingMessage, target: { path: string; query: string }, router: Router<Endpoint>): Call {
  const found = router.match(anyMethod, target.path);
  const params = found.target === undefined ? {} : found.params;
  return {
    request,
    path: target.path,
    endpoint: found.target,
    asked: { params, query: new URLSearchParams(target.query) },
  };
}

async function answer({ request, path, endpoint, asked }: Call, options: TelemetryHttpOptions): Promise<HttpAnswer> {
  const refusal = refusalOf(request);
  if (refusal !== undefined) throw new HttpError(401, refusal);
  const method = request.method === "HEAD" ? "GET" : (request.method ?? "");
  if (isForeign(request, endpoint?.POST !== undefined && method === "POST")) {
    throw new HttpError(403, "only programs may ask, and only for what this machine is called");
  }
  if (endpoint === undefined) {
    const known = Object.entries(options.endpoints).map(([each, its]) => `${methodsOf(its).join("|")} ${each}`);
    throw new HttpError(404, `there is no ${path} here; there is ${known.join(", ")}`);
  }
  if (method === "GET" && endpoint.GET) return endpoint.GET(asked);
  if (method !== "POST" || !endpoint.POST) {
    throw new HttpError(405, `${path} is asked with ${methodsOf(endpoint).join(" or ")}`);
  }
  const { maxBodyBytes } = options;
  const tooLarge = () => new HttpError(413, `the body is over ${maxBodyBytes} bytes`);
  const body = await readBody(request, maxBodyBytes, tooLarge);
  return endpoint.POST({ body, headers: request.headers, maxBytes: maxBodyBytes * 4 });
}

const methodsOf = (endpoint: Endpoint): string[] => (["GET", "POST"] as const).filter((method) => endpoint[method]);

/**
 * A web page must not reach what listens on loopback, neither across sites nor by its own name pointed there (DNS rebinding). Browsers tell
 * the origin of every POST (https://fetch.spec.whatwg.org/#append-a-request-origin-header), so that one without comes from a program, and its
 * Host may be the name of a proxy's cluster. What is asked with GET answers by the names of this machine only.
 */
function isForeign({ headers, socket }: IncomingMessage, posts: boolean): boolean {
  const bound = socket.localAddress ?? "";
  if (!bound.startsWith("127.") && bound !== "::1") return false;
  return posts ? headers.origin !== undefined : isFromWebPage(headers);
}

function failureOf({ request, endpoint }: Call, { status, message }: HttpError): HttpAnswer {
  if (endpoint?.failure) return endpoint.failure(status, message, request.headers);
  return { type: "application/json", body: JSON.stringify(errorBody(status, message)) };
}

const send = (response: ServerResponse, { status = 200, type, body }: HttpAnswer): void =>
  answerWhole(response, status, { "content-type": type }, body);
