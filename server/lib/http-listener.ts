import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { ServerOptions as TlsServerOptions } from "node:https";
import type { Duplex } from "node:stream";
import { limitConnections } from "./connection-limit.ts";
import { errorBody } from "./error-body.ts";
import { answerWhole } from "./http-answer.ts";
import { lazyRequire } from "./lazy-require.ts";

export interface HttpListenerLimits {
  maxConnections: number;
  headersTimeoutMs: number;
  /** For the whole request, its body included. */
  requestTimeoutMs: number;
  keepAliveTimeoutMs: number;
  maxHeaderBytes: number;
}

const defaultLimits: HttpListenerLimits = {
  maxConnections: 512,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 5_000,
  maxHeaderBytes: 16 * 1024,
};

/** What a request asks for, by RFC 9112 §3.2. */
export interface RequestTarget {
  /** Begins with a slash, as sent: not decoded, not normalised. */
  path: string;
  /** What follows the question mark; empty when there is none. */
  query: string;
}

export type HttpListenerHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  target: RequestTarget,
) => void | Promise<void>;

const https = lazyRequire<typeof import("node:https")>("node:https");

/** PEM each. */
export interface HttpListenerTls {
  key: string;
  cert: string;
  /** Asks for a client certificate of these authorities; who shows none, or another, is let in and is nobody. */
  clientRoots?: string | undefined;
  /** Takes what calls back with other roots than those, for connections that begin from then on. */
  onRoots?: ((renew: (clientRoots: string) => void) => void) | undefined;
}

export interface HttpListenerOptions {
  /** Serves HTTPS, by TLS 1.2 or later. */
  tls?: HttpListenerTls;
  limits?: Partial<HttpListenerLimits>;
  /** The body, as JSON, of what the listener answers by itself: 400, 408, 431 and 500. Default: `errorBody`. */
  errorBody?(status: number, message: string): unknown;
  /** Told of what a handler threw. */
  onError?(error: unknown, request: IncomingMessage): void;
}

/**
 * The HTTP server of everything that listens here but the data path. It has limits, and whatever a handler throws, at once or later, ends
 * in a 500 (or, when the answer has begun, in a closed connection) and never in the end of the process. A target that is no path is
 * answered 400 before a handler sees it. Upgrades are answered as ordinary requests.
 */
export function createHttpListener(handler: HttpListenerHandler, options: HttpListenerOptions = {}): Server {
  const limits = { ...defaultLimits, ...options.limits };
  const bodyOf = (status: number, message: string): string =>
    JSON.stringify((options.errorBody ?? errorBody)(status, message));
  const answer = (response: ServerResponse, status: number, message: string): void =>
    answerJson(response, status, bodyOf(status, message));
  const fail = (error: unknown, request: IncomingMessage, response: ServerResponse): void => {
    if (response.destroyed) return; // the client has gone, within its body as a rule: nothing failed here
    try {
      options.onError?.(error, request);
      if (response.headersSent) response.destroy();
      else answer(response, 500, "internal error");
    } catch {
      response.destroy();
    }
  };
  const settings = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
    shouldUpgradeCallback: () => false,
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    try {
      const target = readTarget(request.url);
      if (target === undefined) {
        answer(response, 400, "the request target must be a path in UTF-8, percent-encoded");
        return;
      }
      const answered = handler(request, response, target);
      if (answered instanceof Promise) answered.catch((error: unknown) => fail(error, request, response));
    } catch (error) {
      fail(error, request, response);
    }
  };
  const { tls } = options;
  const secureServer = (given: HttpListenerTls): Server => {
    const all = { ...settings, ...tlsSettings(given), handshakeTimeout: limits.headersTimeoutMs };
    const secure = https().createServer(all, onRequest);
    given.onRoots?.((clientRoots) => secure.setSecureContext(tlsSettings({ ...given, clientRoots })));
    return secure;
  };
  const server = tls ? secureServer(tls) : createServer(settings, onRequest);
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => refuseBytes(error, socket, bodyOf));
  limitConnections(server, limits.maxConnections);
  // An accept that fails (too many open files) must not end the process. Whoever calls listen() listens for its own errors.
  server.on("error", () => {});
  return server;
}

const tlsSettings = ({ key, cert, clientRoots }: HttpListenerTls): TlsServerOptions => ({
  key,
  cert,
  minVersion: "TLSv1.2",
  ...(clientRoots !== undefined && { ca: clientRoots, requestCert: true, rejectUnauthorized: false }),
});

/**
 * Taken apart by hand: `new URL` throws for some targets (`//[`), and takes `//name/x` for a host. A target in absolute form is for proxies, and would
 * bring a second host past the guard of the first. Undefined: neither a path nor decodable.
 */
export function readTarget(target = "/"): RequestTarget | undefined {
  if (!target.startsWith("/")) return undefined;
  const at = target.indexOf("?");
  const path = at < 0 ? target : target.slice(0, at);
  if (path.startsWith("//") || !isDecodable(path)) return undefined;
  return { path, query: at < 0 ? "" : target.slice(at + 1) };
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

const answerJson = (response: ServerResponse, status: number, body: string): void =>
  answerWhole(response, status, { "content-type": "application/json", connection: "close" }, body);

/** What came is no request: Node has no response for it, and would answer without a body. */
function refuseBytes(
  { code }: NodeJS.ErrnoException,
  socket: Duplex,
  bodyOf: (status: number, message: string) => string,
): void {
  if (code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = refusals[code ?? ""] ?? [400, "this is no request of HTTP/1.1"];
  const body = bodyOf(status, message);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

/** By Node's codes. https://nodejs.org/api/http.html#event-clienterror */
const refusals: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, "the head of the request is too large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "the request did not come in time"],
};
