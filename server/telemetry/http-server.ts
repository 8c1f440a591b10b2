import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { isFromWebPage } from "../lib/allowed-host.ts";
import { readBody } from "../lib/http-body.ts";
import { createHttpListener } from "../lib/http-listener.ts";
import { exportTraces, HttpError, type TraceSink } from "./otlp-http.ts";

export interface CollectorHttp {
  sink: TraceSink;
  metrics(): string;
  /** Of a body as sent, and once more of it unpacked. */
  maxBodyBytes: number;
}

/** The collector's HTTP side: `POST /v1/traces` (OTLP), `GET /metrics` and `GET /healthz`. Errors are `{message}`. */
export function createCollectorHttp(options: CollectorHttp): Server {
  return createHttpListener(
    async (request, response, { path }) => {
      await answer(request, response, path, options).catch((error: unknown) => {
        if (!(error instanceof HttpError)) throw error;
        response.setHeader("connection", "close"); // the rest of a refused body is not read
        send(response, error.status, "application/json", JSON.stringify({ message: error.message }));
      });
    },
    { limits: { requestTimeoutMs: 15_000, headersTimeoutMs: 5_000 } },
  );
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  options: CollectorHttp,
): Promise<void> {
  if (isForeign(request)) throw new HttpError(403, "only programs on this machine may ask");
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
  return isFromWebPage(headers);
}

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) }).end(body);
}
