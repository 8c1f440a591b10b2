import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { isFromWebPage } from "../lib/allowed-host.ts";
import { errorBody } from "../lib/error-body.ts";
import { readBody } from "../lib/http-body.ts";
import { createHttpListener } from "../lib/http-listener.ts";
import { HttpError } from "./http-error.ts";
import { otlpError } from "./otlp-error.ts";

/** What one path answers, by method. `body` is there for a POST. */
export interface Endpoint {
  GET?: () => HttpAnswer | Promise<HttpAnswer>;
  POST?: (posted: { body: Buffer; headers: IncomingMessage["headers"]; maxBytes: number }) => Promise<HttpAnswer>;
}

export interface HttpAnswer {
  /** Default: 200. */
  status?: number;
  type: string;
  body: string | Uint8Array;
}

export interface TelemetryHttpOptions {
  endpoints: Readonly<Record<string, Endpoint>>;
  /** Of a body as sent; four times as much of it unpacked. */
  maxBodyBytes: number;
  /** Told of what a handler threw that is no answer. */
  onError(error: unknown, path: string): void;
}

/** One of the collector's HTTP listeners. A path that is not there is answered with those that are. */
export function createTelemetryHttp(options: TelemetryHttpOptions): Server {
  return createHttpListener(
    async (request, response, { path }) => {
      try {
        send(response, await answer(request, path, options));
      } catch (error) {
        if (response.destroyed) return; // the client has gone
        if (!(error instanceof HttpError)) options.onError(error, path);
        const told = error instanceof HttpError ? error : new HttpError(500, "the collector failed; its log says why");
        response.setHeader("connection", "close"); // the rest of a refused body is not read
        send(response, { status: told.status, ...errorAnswer(request, path, told) });
      }
    },
    {
      limits: { requestTimeoutMs: 15_000, headersTimeoutMs: 5_000 },
      onError: (error, request) => options.onError(error, request.url ?? ""),
    },
  );
}

async function answer(request: IncomingMessage, path: string, options: TelemetryHttpOptions): Promise<HttpAnswer> {
  const method = request.method === "HEAD" ? "GET" : (request.method ?? "");
  const endpoint = Object.hasOwn(options.endpoints, path) ? options.endpoints[path] : undefined;
  if (isForeign(request, endpoint?.POST !== undefined && method === "POST")) {
    throw new HttpError(403, "only programs may ask, and only for what this machine is called");
  }
  if (endpoint === undefined) {
    const known = Object.entries(options.endpoints).map(([each, { POST }]) => `${POST ? "POST" : "GET"} ${each}`);
    throw new HttpError(404, `there is no ${path} here; there is ${known.join(", ")}`);
  }
  if (method === "GET" && endpoint.GET) return endpoint.GET();
  if (method !== "POST" || !endpoint.POST) {
    throw new HttpError(405, `${path} is asked with ${Object.keys(endpoint).join(" or ")}`);
  }
  const { maxBodyBytes } = options;
  const tooLarge = () => new HttpError(413, `the body is over ${maxBodyBytes} bytes`);
  const body = await readBody(request, maxBodyBytes, tooLarge);
  return endpoint.POST({ body, headers: request.headers, maxBytes: maxBodyBytes * 4 });
}

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

const otlpPaths: ReadonlySet<string> = new Set(["/v1/traces", "/v1/logs", "/v1/metrics"]);

/** Whoever posts OTLP is told of a failure as OTLP has it. */
function errorAnswer({ headers }: IncomingMessage, path: string, { status, message }: HttpError): HttpAnswer {
  if (otlpPaths.has(path)) return otlpError(headers["content-type"], status, message);
  return { type: "application/json", body: JSON.stringify(errorBody(status, message)) };
}

function send(response: ServerResponse, { status = 200, type, body }: HttpAnswer): void {
  const length = Buffer.byteLength(body);
  response.writeHead(status, { "content-type": type, "content-length": length });
  response.end(status === 204 || response.req.method === "HEAD" ? undefined : body);
}
