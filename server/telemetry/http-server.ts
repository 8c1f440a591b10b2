import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { isFromWebPage } from "../lib/allowed-host.ts";
import { readBody } from "../lib/http-body.ts";
import { createHttpListener } from "../lib/http-listener.ts";
import { HttpError } from "./http-error.ts";

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

/** One of the collector's HTTP listeners. Errors are `{message}`; a path that is not there is answered with those that are. */
export function createTelemetryHttp(options: TelemetryHttpOptions): Server {
  return createHttpListener(
    async (request, response, { path }) => {
      try {
        send(response, await answer(request, path, options));
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        response.setHeader("connection", "close"); // the rest of a refused body is not read
        const body = JSON.stringify({ message: error.message });
        send(response, { status: error.status, type: "application/json", body });
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

function send(response: ServerResponse, { status = 200, type, body }: HttpAnswer): void {
  const length = Buffer.byteLength(body);
  response.writeHead(status, { "content-type": type, "content-length": length });
  response.end(status === 204 || response.req.method === "HEAD" ? undefined : body);
}
