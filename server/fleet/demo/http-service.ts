import { Agent, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from "node:http";
import { readBody } from "../../lib/http-body.ts";
import { createHttpListener, type RequestTarget } from "../../lib/http-listener.ts";
import { traceHeaders } from "../../wire/trace-headers.ts";
import type { RatingsClient } from "./ratings-grpc.ts";

/** One demo service: its routes, and the sidecar its own calls go through. */
export interface ServiceContext {
  name: string;
  version: string;
  /** Where its sidecar takes outbound HTTP; calls are addressed by Host, as an application behind `http_proxy` would. */
  proxy: { host: string; port: number };
  /** How reviews ask for ratings; undefined: over HTTP. */
  grpcRatings?: RatingsClient;
}

export interface Reply {
  status: number;
  headers?: Record<string, string>;
  /** A string is sent as it is, anything else as JSON. */
  body: unknown;
}

export type Handler = (call: Call) => Promise<Reply> | Reply;

export interface Call {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: string;
}

const maxBodyBytes = 64 * 1024;

/** The headers an application must pass on for traces, identities and canaries to follow a request through the mesh. */
export const passedOn = [
  ...traceHeaders,
  "end-user",
  "user-agent",
  "authorization",
  "x-user-group",
  "x-preview",
] as const;

export function serveHttp(
  handler: Handler,
  host: string,
  port: number,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createHttpListener((req, res, target) => respond(handler, req, res, target), {
    limits: { keepAliveTimeoutMs: 75_000, maxHeaderBytes: 64 * 1024, maxConnections: 4096 },
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      const address = server.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : port,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeIdleConnections();
          }),
      });
    });
  });
}

export async function respond(
  handler: Handler,
  req: IncomingMessage,
  res: ServerResponse,
  target: RequestTarget,
): Promise<void> {
  try {
    const body = req.method === "GET" ? "" : await readText(req);
    const url = new URL(`http://service${target.path}?${target.query}`);
    const reply =
      url.pathname === "/health"
        ? { status: 200, body: { status: "healthy" } }
        : await handler({ method: req.method ?? "GET", url, headers: req.headers, body });
    const text = typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body);
    res.writeHead(reply.status, {
      "content-type": typeof reply.body === "string" ? "text/plain; charset=utf-8" : "application/json",
      "content-length": Buffer.byteLength(text),
      ...reply.headers,
    });
    res.end(req.method === "HEAD" ? undefined : text);
  } catch (error) {
    if (res.headersSent) {
      res.destroy();
      return;
    }
    // Whatever is left of a refused body is not read: the connection can't serve another request.
    const headers = { "content-type": "application/json", ...(req.complete ? {} : { connection: "close" }) };
    res.writeHead(500, headers).end(JSON.stringify({ error: String(error) }));
  }
}

const readText = async (message: IncomingMessage): Promise<string> =>
  (await readBody(message, maxBodyBytes, () => new Error(`body over ${maxBodyBytes} bytes`))).toString("utf8");

const agent = new Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 32 });

/** GETs JSON from a service by its mesh address, such as `reviews:9080`, through the sidecar. Status 0: no answer within the time. */
export function callService(
  context: ServiceContext,
  authority: string,
  path: string,
  incoming: IncomingHttpHeaders,
  timeoutMs: number,
): Promise<{ status: number; body: unknown }> {
  const headers: Record<string, string> = { host: authority };
  for (const name of passedOn) {
    const value = incoming[name];
    if (typeof value === "string") headers[name] = value;
  }
  return new Promise((resolve) => {
    const req = request({ ...context.proxy, path, headers, agent }, (res) => {
      readText(res).then(
        (text) => resolve({ status: res.statusCode ?? 0, body: parseJson(text) }),
        () => resolve({ status: 0, body: undefined }),
      );
    });
    const deadline = setTimeout(() => req.destroy(new Error("deadline")), timeoutMs);
    req.on("error", () => resolve({ status: 0, body: undefined }));
    req.on("close", () => clearTimeout(deadline));
    req.end();
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
