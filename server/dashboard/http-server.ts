import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { type ApiError, DashboardError, told } from "../contract/index.ts";
import { errorBody } from "../lib/error-body.ts";
import { answerWhole } from "../lib/http-answer.ts";
import { mediaType, readBody } from "../lib/http-body.ts";
import { createHttpListener } from "../lib/http-listener.ts";
import type { Router } from "../lib/http-router.ts";
import { type ApiHandler, Download } from "./api.ts";
import { EventStream, sendEvents } from "./event-stream.ts";
import { refuse } from "./guard.ts";
import { jsonAnswer } from "./json-answer.ts";
import type { PageAddress } from "./page-address.ts";
import { invalid } from "./parse.ts";
import { contentSecurityPolicy, fixedHeaders } from "./security-headers.ts";

export interface DashboardServerOptions {
  api: Router<ApiHandler>;
  /** What a page's address leads to, beside the page itself; asked before it is served. Never rejects. */
  addresses(path: string): Promise<PageAddress>;
  /** Next: everything that is not under `/api`. Finds the nonce of its scripts in the request's headers. */
  pages: RequestListener;
  /** Host names, without port, that are served beside the loopback ones. */
  allowedHosts: readonly string[];
  /** Of an error that nobody foresaw. */
  onError(error: unknown, path: string): void;
}

/** The largest body a write may have, bytes: of one that has a whole mesh in it, and of any other. */
const maxBodyBytes = (path: string): number => (path.startsWith("/api/mesh/") ? 8 : 1) * 1_048_576;

const statusOf: Record<ApiError["code"], number> = {
  INVALID: 400,
  NOT_FOUND: 404,
  CONFLICT: 409,
  FORBIDDEN: 403,
  TOO_LARGE: 413,
  UNSUPPORTED: 422,
  BUSY: 503,
  LIMITED: 429,
  UNAUTHENTICATED: 401,
  CONTROL_PLANE_UNREACHABLE: 503,
  TELEMETRY_UNREACHABLE: 503,
  INTERNAL: 500,
};

/**
 * The dashboard's one listener: guards, answers `/api` by itself and leaves the rest to Next. Why not route handlers of Next:
 * docs/decisions/0007-api-before-next.md.
 */
export function createDashboardServer(options: DashboardServerOptions): Server {
  return createHttpListener(
    (request, response, { path }) => {
      for (const [name, value] of Object.entries(fixedHeaders)) response.setHeader(name, value);
      const refusal = refuse(request.method ?? "GET", request.headers, options.allowedHosts);
      if (refusal) sendError(response, refusal.error, refusal.status);
      else if (path === "/api/healthz") send(response, 200, "text/plain", "ok\n");
      else if (path === "/api" || path.startsWith("/api/")) return answer(options, request, response, path);
      else return servePage(options, request, response, path);
    },
    {
      limits: { maxHeaderBytes: 32 * 1024 },
      onError: (error, { url = "/" }) => options.onError(error, url),
      errorBody: (status, message) => errorBody(status, status === 500 ? unforeseen.message : message),
    },
  );
}

async function answer(
  { api, onError }: DashboardServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  try {
    const method = request.method === "HEAD" ? "GET" : (request.method ?? "GET");
    const match = api.match(method, path);
    if (match.target === undefined) {
      sendUnknown(response, path, match.allowed);
      return;
    }
    const body = method === "GET" ? undefined : await readJson(request, maxBodyBytes(path));
    const value = await match.target({ params: match.params, query: queryOf(request), body });
    if (value instanceof EventStream) {
      await sendEvents(request, response, value);
      return;
    }
    const file = value instanceof Download ? value : undefined;
    if (file) response.setHeader("content-disposition", `attachment; filename="${file.fileName}"`);
    if (file?.type !== undefined) {
      send(response, 200, file.type, Buffer.isBuffer(file.value) ? file.value : String(file.value));
      return;
    }
    const answered = await jsonAnswer(file ? file.value : value, String(request.headers["accept-encoding"] ?? ""));
    response.setHeader("vary", "accept-encoding");
    if (answered.encoding) response.setHeader("content-encoding", answered.encoding);
    send(response, 200, "application/json", answered.body);
  } catch (cause) {
    if (response.destroyed) return; // the client has gone, and nothing failed here
    const error = cause instanceof DashboardError ? cause : undefined;
    if (error === undefined) onError(cause, path);
    if (!response.headersSent) sendError(response, error ?? unforeseen);
  }
}

const unforeseen = new DashboardError({ code: "INTERNAL", ...told("dashboard-failed", {}) });

function sendUnknown(response: ServerResponse, path: string, allowed: readonly string[]): void {
  const place = path.slice(0, 200);
  if (allowed.length === 0) {
    sendError(response, new DashboardError({ code: "NOT_FOUND", message: `There is no ${place} here.` }));
    return;
  }
  response.setHeader("allow", allowed.join(", "));
  const message = `${place} takes ${allowed.join(", ")} only.`;
  sendError(response, new DashboardError({ code: "UNSUPPORTED", message }), 405);
}

/** The JSON body of a write. Only JSON is taken: a form of a foreign page can't send it without a preflight. */
async function readJson(request: IncomingMessage, limit: number): Promise<unknown> {
  if (mediaType(request.headers["content-type"]) !== "application/json") {
    throw invalid("The body must be application/json.");
  }
  const tooLarge = () => new DashboardError({ code: "TOO_LARGE", ...told("body-too-large", { limit }) });
  const text = (await readBody(request, limit, tooLarge)).toString("utf8");
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    throw invalid("The body is not JSON.");
  }
}

/** Next streams a page before it knows what stands on it: whether there is such a thing must be said in the head. */
async function servePage(
  { addresses, pages }: DashboardServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const address = path.startsWith("/_next/") ? undefined : await addresses(path);
  if (address?.kind === "moved") {
    const { url = "" } = request;
    const query = url.indexOf("?");
    response.writeHead(307, {
      location: address.to + (query < 0 ? "" : url.slice(query)),
      "cache-control": "no-store",
    });
    response.end();
    return;
  }
  if (address?.kind === "missing") response.statusCode = 404;
  passOn(pages, request, response, path);
}

/** A page, with a policy of its own: Next reads the nonce for its scripts from the request. */
function passOn(pages: RequestListener, request: IncomingMessage, response: ServerResponse, path: string): void {
  delete request.headers["x-nonce"];
  delete request.headers["content-security-policy"];
  if (!path.startsWith("/_next/")) {
    const nonce = btoa(crypto.randomUUID());
    const policy = contentSecurityPolicy(nonce);
    request.headers["x-nonce"] = nonce;
    request.headers["content-security-policy"] = policy;
    response.setHeader("content-security-policy", policy);
  }
  pages(request, response);
}

function sendError(
  response: ServerResponse,
  { code, message, reason, params, errors }: DashboardError,
  status = statusOf[code],
): void {
  const body: ApiError = {
    code,
    message,
    ...(reason && { reason }),
    ...(params && { params }),
    ...(errors && { errors }),
  };
  sendJson(response, status, body);
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, "application/json", JSON.stringify(value));
}

const send = (response: ServerResponse, status: number, type: string, body: string | Buffer): void =>
  answerWhole(response, status, { "content-type": type, "cache-control": "no-store" }, body);

/** Of a name that is given twice the last counts. */
const queryOf = ({ url = "" }: IncomingMessage): Record<string, string> => {
  const at = url.indexOf("?");
  return at < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(at + 1)));
};
