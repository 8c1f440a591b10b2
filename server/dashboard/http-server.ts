import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Caller } from "../access/caller.ts";
import { failure } from "../access/failure.ts";
import { type ApiError, allows, DashboardError, type Session, told } from "../contract/index.ts";
import { errorBody } from "../lib/error-body.ts";
import { answerWhole } from "../lib/http-answer.ts";
import { mediaType, readBody } from "../lib/http-body.ts";
import { createHttpListener, type HttpListenerTls } from "../lib/http-listener.ts";
import { type ApiCall, type ApiRoute, type ApiRoutes, Download, Reply, requireNeed } from "./api-call.ts";
import { addressOf, type Callers } from "./callers.ts";
import { type CookiePlace, readCookies } from "./cookie.ts";
import { EventStream, sendEvents } from "./event-stream.ts";
import { isWrite, refuse, tellsItsOrigin } from "./guard.ts";
import { jsonAnswer } from "./json-answer.ts";
import type { PageAddress } from "./page-address.ts";
import { needOfPage, signInAddress } from "./page-needs.ts";
import { invalid } from "./parse.ts";
import { contentSecurityPolicy, fixedHeaders, strictTransport } from "./security-headers.ts";

export interface DashboardServerOptions {
  api: ApiRoutes;
  callers: Callers;
  place: CookiePlace;
  /** Served over TLS. */
  tls?: HttpListenerTls | undefined;
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
    async (request, response, { path }) => {
      for (const [name, value] of Object.entries(fixedHeaders)) response.setHeader(name, value);
      if (options.tls) response.setHeader(...strictTransport);
      const refusal = refuse(request.method ?? "GET", request.headers, options.allowedHosts, {
        overTls: options.tls !== undefined,
      });
      if (refusal) {
        await noteForeign(options, request, path, refusal.error);
        sendError(response, refusal.error, refusal.status);
      } else if (path === "/api/healthz") send(response, 200, "text/plain", "ok\n");
      else if (path === "/api" || path.startsWith("/api/")) return answer(options, request, response, path);
      else return servePage(options, request, response, path);
    },
    {
      limits: { maxHeaderBytes: 32 * 1024 },
      ...(options.tls && { tls: options.tls }),
      onError: (error, { url = "/" }) => options.onError(error, url),
      errorBody: (status, message) => errorBody(status, status === 500 ? unforeseen.message : message),
    },
  );
}

async function answer(
  options: DashboardServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const { api, callers, onError } = options;
  const address = addressOf(request);
  let asked: { route: ApiRoute; call: ApiCall } | undefined;
  let isDone = false;
  try {
    const method = request.method === "HEAD" ? "GET" : (request.method ?? "GET");
    const match = api.match(method, path);
    const caller = await callers.identify(request);
    if (match.target === undefined) {
      sendUnknown(response, path, match.allowed);
      return;
    }
    const call: ApiCall = {
      params: match.params,
      query: queryOf(request),
      body: undefined,
      caller,
      address,
      cookies: readCookies(request.headers.cookie),
      place: options.place,
      about: {},
    };
    asked = { route: match.target, call };
    if (caller?.sessionHash !== undefined && isWrite(method) && !tellsItsOrigin(request.headers))
      throw failure("FORBIDDEN", told("foreign-write", {}));
    // Before the body is read: nobody makes work who may not do it.
    requireNeed(match.target.need, call);
    call.body = method === "GET" ? undefined : await readJson(request, maxBodyBytes(path));
    const value = await match.target.handler(call);
    if (match.target.deed !== undefined) await callers.note({ ...deedOf(match.target, call), result: "done" });
    isDone = true;
    await sendValue(options, request, response, value, caller);
  } catch (cause) {
    if (response.destroyed) return; // the client has gone, and nothing failed here
    const error = cause instanceof DashboardError ? cause : undefined;
    if (error === undefined) onError(cause, path);
    // What was done stays so, also when it can't be answered.
    if (!isDone) await noteFailure(callers, error, asked, { path, address });
    if (!response.headersSent) sendError(response, error ?? unforeseen);
  }
}

/** What was refused, to somebody or to nobody that is known, and what failed of what the audit knows by name. The ways in write down their own failures. */
async function noteFailure(
  callers: Callers,
  error: DashboardError | undefined,
  asked: { route: ApiRoute; call: ApiCall } | undefined,
  { path, address }: { path: string; address: string },
): Promise<void> {
  const reason = error?.message ?? "failed";
  if (asked === undefined) {
    if (error?.code === "UNAUTHENTICATED")
      await callers.note({ actor: "", way: "token", address, action: "sign-in", result: "refused", reason });
    return;
  }
  const { route, call } = asked;
  const deed = { ...deedOf(route, call), reason };
  // What only reads is asked for again and again by a page whose session has ended.
  const isStranger = call.caller === undefined && route.need !== "everybody" && isWrite(route.method);
  if (isStranger || (error?.code === "FORBIDDEN" && call.caller))
    await callers.note({ ...deed, target: deed.target || path, result: "refused" });
  else if (route.deed !== undefined && call.caller) await callers.note({ ...deed, result: "failed" });
}

/** A page of another site that has a browser come here, as nobody: its cookies are not looked at. Which host or origin that was is in the reason or the target. */
async function noteForeign(
  { callers }: DashboardServerOptions,
  request: IncomingMessage,
  path: string,
  { message: reason }: DashboardError,
): Promise<void> {
  const { method = "GET", headers } = request;
  const action = `${method} ${path}`;
  const target = headers.origin ?? "";
  await callers.note({ actor: "", way: "", address: addressOf(request), action, target, result: "refused", reason });
}

const deedOf = ({ method, pattern, deed }: ApiRoute, { caller, address, params, about }: ApiCall) => ({
  actor: caller?.name ?? "",
  way: caller?.way ?? "",
  address,
  action: deed ?? `${method} ${pattern}`,
  target: about.target ?? params.name ?? params.id ?? "",
});

async function sendValue(
  { callers }: DashboardServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  value: unknown,
  caller: Caller | undefined,
): Promise<void> {
  if (value instanceof EventStream) {
    await sendEvents(request, response, value, async () => caller === undefined || callers.isStillIn(caller));
    return;
  }
  const status = value instanceof Reply ? value.status : 200;
  if (value instanceof Reply) for (const [name, text] of Object.entries(value.headers)) response.setHeader(name, text);
  if (value instanceof Download) response.setHeader("content-disposition", `attachment; filename="${value.fileName}"`);
  if (value instanceof Download && value.type !== undefined) {
    send(
      response,
      status,
      value.type,
      value.value instanceof Uint8Array ? Buffer.from(value.value) : String(value.value),
    );
    return;
  }
  const body = value instanceof Download || value instanceof Reply ? value.value : value;
  const answered = await jsonAnswer(body, String(request.headers["accept-encoding"] ?? ""));
  response.setHeader("vary", "accept-encoding");
  if (answered.encoding) response.setHeader("content-encoding", answered.encoding);
  send(response, status, "application/json", answered.body);
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

/** Next streams a page before it knows what stands on it: whether there is such a thing, and who may see it, must be said in the head. */
async function servePage(
  options: DashboardServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const { callers, addresses } = options;
  delete request.headers["x-limpid-caller"];
  const need = needOfPage(path);
  const caller = await callers.identify(request).catch(() => undefined);
  if (need !== "everybody" && caller === undefined) {
    redirect(response, signInAddress(request.url ?? "/"));
    return;
  }
  if (caller && need !== "everybody") {
    const { name, displayName, way, grants, hasPassword } = caller;
    request.headers["x-limpid-caller"] = encodeURIComponent(
      JSON.stringify({ name, displayName, way, grants: [...grants], hasPassword } satisfies Session),
    );
  }
  if (need !== "everybody" && caller && !allows(caller.grants, need)) response.statusCode = 403;
  else {
    const address = path.startsWith("/_next/") ? undefined : await addresses(path);
    if (address?.kind === "moved") {
      const { url = "" } = request;
      const query = url.indexOf("?");
      redirect(response, address.to + (query < 0 ? "" : url.slice(query)));
      return;
    }
    if (address?.kind === "missing") response.statusCode = 404;
  }
  passOn(options.pages, request, response, path);
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(307, { location, "cache-control": "no-store" });
  response.end();
}

/** A page, with a policy of its own: Next reads the nonce for its scripts from the request. */
function passOn(pages: RequestListener, request: IncomingMessage, response: ServerResponse, path: string): void {
  delete request.headers["x-nonce"];
  delete request.headers["content-security-policy"];
  // Next needs neither, and what it doesn't have it can't show.
  delete request.headers.authorization;
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
