import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isAllowedHost } from "../lib/allowed-host.ts";
import { limitConnections } from "../lib/connection-limit.ts";
import { readBody } from "../lib/http-body.ts";
import { exportTraces, HttpError, type TraceSink } from "./otlp-http.ts";

export interface CollectorHttp {
  sink: TraceSink;
  metrics(): string;
  /** Of a body as sent, and once more of it unpacked. */
  maxBodyBytes: number;
}

/** The collector's HTTP side: `POST /v1/traces` (OTLP), `GET /metrics` and `GET /healthz`. Errors are `{message}`. */
export function createCollectorHttp(options: CollectorHttp): Server {
  const server = createServer({ requestTimeout: 15_000, headersTimeout: 5_000 }, (request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      const status = error instanceof HttpError ? error.status : 500;
      const message = error instanceof HttpError ? error.message : "internal error";
      response.setHeader("connection", "close"); // the rest of a refused body is not read
      send(response, status, "application/json", JSON.stringify({ message }));
    });
  });
  limitConnections(server, 512);
  return server;
}

async function answer(request: IncomingMessage, response: ServerResponse, options: CollectorHttp): Promise<void> {
  if (isForeign(request)) throw new HttpError(403, "only programs on this machine may ask");
  const path = request.url?.split("?")[0];
  if (path === "/v1/traces") {
    if (request.method !== "POST") throw new HttpError(405, "traces are sent with POST");
    const tooLarge = () => new HttpError(413, `the body is over ${options.maxBodyBytes} bytes`);
    const body = await readBody(request, options.maxBodyBytes, tooLarge);
    const result = await exportTraces(body, request.headers, options.sink, options.maxBodyBytes * 4);
    return send(response, 200, result.type, result.body);
  }
  if (request.method !== "GET" && request.method !== "HEAD") throw new HttpError(405, "only GET here");
  if (path === "/metrics") return send(response, 200, "text/plain; version=0.0.4; charset=utf-8", options.metrics());
  if (path === "/healthz") return send(response, 200, "text/plain", "ok\n");
  throw new HttpError(404, "there is /v1/traces, /metrics and /healthz");
}

/** A web page must not reach what listens on loopback, neither by its own name pointed there (DNS rebinding) nor across sites. */
function isForeign({ headers, socket }: IncomingMessage): boolean {
  const bound = socket.localAddress ?? "";
  if (!bound.startsWith("127.") && bound !== "::1") return false;
  return headers.origin !== undefined || !isAllowedHost(headers.host ?? "localhost", []);
}

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) }).end(body);
}
