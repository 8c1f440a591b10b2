import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { finished } from "node:stream/promises";
import type { Deed } from "../../access/audit.ts";
import { ReadOnlyStoreError, StorageError } from "../../config/store.ts";
import { answerWhole } from "../../lib/http-answer.ts";
import { mediaType, readBody } from "../../lib/http-body.ts";
import { createHttpListener, type HttpListenerTls, type RequestTarget } from "../../lib/http-listener.ts";
import type { Logger } from "../../lib/logger.ts";
import { type ApiCallers, type Connection, connectionOf, requireRole } from "../access/api-callers.ts";
import { deedsOfCall } from "../access/audit-calls.ts";
import { type CallScope, inScope } from "../access/caller-scope.ts";
import { actorOf } from "./actor.ts";
import { checkCaller, checkContentType, type GuardOptions } from "./guard.ts";
import { inKubernetesForm } from "./kubernetes/forbidden.ts";
import type { ApiRequest, ApiResponse, ApiRouter } from "./router.ts";
import { StatusError, saidError, tooLarge } from "./status-error.ts";

export interface HttpLimits {
  maxConnections: number;
  headersTimeoutMs: number;
  requestTimeoutMs: number;
  keepAliveTimeoutMs: number;
  maxHeaderBytes: number;
  /** How long open responses get when the server closes. */
  closeGraceMs: number;
  /** How long the end of a stream waits for a client that does not read. */
  streamEndMs: number;
}

export const defaultHttpLimits: HttpLimits = {
  maxConnections: 512,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 75_000,
  maxHeaderBytes: 32 * 1024,
  closeGraceMs: 2_000,
  streamEndMs: 5_000,
};

export interface HttpServerOptions {
  router: ApiRouter;
  callers: ApiCallers;
  /** Writes down what a call did, before it is answered. Never rejects. */
  note(deed: Deed): Promise<void>;
  guard: GuardOptions;
  limits: HttpLimits;
  logger: Logger;
  /** The body of a failed call: the two APIs write errors differently. */
  errorBody(path: string, error: StatusError): unknown;
}

export interface HttpServer {
  /** Rejects with the system's error, such as EADDRINUSE. */
  listen(host: string, port: number): Promise<{ port: number }>;
  /** Besides, over TLS, for callers who say who they are. */
  listenGuarded(host: string, port: number, tls: HttpListenerTls): Promise<{ port: number }>;
  /** Lets running calls end, within the grace. Long-lived streams must have been told to end before. */
  close(): Promise<void>;
}

/** Guards, reads, dispatches and answers; knows no resources. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { limits, logger } = options;
  const calls = createCallCount();
  const servers: Server[] = [];
  const open = (tls?: HttpListenerTls): Server =>
    createHttpListener(
      (request, response, target) => {
        calls.begin();
        response.once("close", calls.end);
        return handle(options, request, response, target, connectionOf(request, tls !== undefined));
      },
      {
        limits,
        ...(tls && { tls }),
        onError: (error, { url }) =>
          logger.error({ err: error, path: url }, "a config API call failed while it was answered"),
        errorBody: (status, message) => {
          const reason = status === 408 ? "Timeout" : status < 500 ? "BadRequest" : "InternalError";
          return options.errorBody("/", new StatusError(status, reason, message));
        },
      },
    );
  const serve = (host: string, port: number, tls?: HttpListenerTls): Promise<{ port: number }> => {
    const server = open(tls);
    servers.push(server);
    return listen(server, host, port);
  };
  return {
    listen: (host, port) => serve(host, port),
    listenGuarded: serve,
    close: async () => void (await Promise.all(servers.map((server) => close(server, calls, limits.closeGraceMs)))),
  };
}

async function handle(
  options: HttpServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  target: RequestTarget,
  connection: Connection,
): Promise<void> {
  const scope: CallScope = { caller: undefined, commits: [] };
  const told: Told = { ...connection, author: "", dryRun: false, isForeign: false };
  const noted = async (error?: StatusError) => {
    const { method = "GET" } = request;
    const call = { ...told, method: method === "HEAD" ? "GET" : method, path: target.path, scope, error };
    for (const deed of deedsOfCall(call)) await options.note(deed);
  };
  /** What was done stays so, also when it can't be answered. */
  let isNoted = false;
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort(); // else nobody is left who would care, and making the error costs
  });
  try {
    const answer = await inScope(scope, () => dispatch(options, request, target, gone.signal, { scope, told }));
    await noted();
    isNoted = true;
    if ("stream" in answer) {
      await answer.stream(response);
      await endStream(response, options.limits.streamEndMs);
    } else send(response, answer.status, answer.body, answer.headers);
  } catch (error) {
    // A client that goes in the middle of its request is no failure of ours.
    if (response.destroyed && !request.complete && !(error instanceof StatusError)) return;
    const failure = inKubernetesForm(toStatusError(error, options.logger, target.path), request.method, {
      path: target.path,
      caller: scope.caller,
    });
    if (!isNoted && (request.complete || failure.code === 401 || failure.code === 403)) await noted(failure);
    if (response.destroyed) return; // the client has gone
    if (response.headersSent) {
      response.destroy();
      return;
    }
    send(response, failure.code, options.errorBody(target.path, failure), failure.headers);
  }
}

async function dispatch(
  options: HttpServerOptions,
  request: IncomingMessage,
  target: RequestTarget,
  signal: AbortSignal,
  { scope, told }: { scope: CallScope; told: Told },
): Promise<ApiResponse> {
  told.isForeign = true;
  checkCaller(request.headers, options.guard);
  told.isForeign = false;
  const method = request.method === "HEAD" ? "GET" : (request.method ?? "GET");
  const query = new URLSearchParams(target.query);
  told.dryRun = ["true", "All"].includes(query.get("dryRun") ?? "");
  const known = await options.callers.identify(request.headers, told);
  scope.caller = known.caller;
  told.address = known.address;
  const { handler, pattern, params, maxBodyBytes } = options.router.match(method, target.path);
  told.pattern = pattern;
  requireRole(known.caller, method, pattern);
  const contentType = mediaType(request.headers["content-type"]);
  const hasBody = request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"]) > 0;
  checkContentType(method, contentType, hasBody);
  const body = await readBody(request, maxBodyBytes, () => tooLarge(maxBodyBytes));
  const call: ApiRequest = {
    method,
    params,
    query,
    headers: request.headers,
    contentType,
    body,
    signal,
    caller: known.caller,
  };
  told.author = method === "GET" ? "" : actorOf(call).author;
  return handler(call);
}

/** What is found out of a call while it is answered. */
type Told = Connection & { author: string; dryRun: boolean; isForeign: boolean; pattern?: string | undefined };

function toStatusError(error: unknown, logger: Logger, path: string): StatusError {
  if (error instanceof StatusError) return error;
  if (error instanceof ReadOnlyStoreError) return saidError(403, "Forbidden", error.told);
  logger.error({ err: error, path }, "a config API call failed");
  if (error instanceof StorageError) return new StatusError(500, "InternalError", error.message);
  return new StatusError(500, "InternalError", "an error on the server has prevented the request from succeeding");
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const payload = Buffer.isBuffer(body) ? body : `${JSON.stringify(body)}\n`;
  answerWhole(response, status, { ...fixedHeaders, ...headers }, payload);
}

const fixedHeaders = {
  "content-type": "application/json",
  "cache-control": "no-cache, private",
  "x-content-type-options": "nosniff",
};

/** A client that doesn't read what is left within this time loses the rest. */
async function endStream(response: ServerResponse, patienceMs: number): Promise<void> {
  response.end();
  const timer = setTimeout(() => response.destroy(), patienceMs);
  await finished(response).catch(() => undefined);
  clearTimeout(timer);
}

function listen(server: Server, host: string, port: number): Promise<{ port: number }> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve({ port: (server.address() as AddressInfo).port });
    });
  });
}

async function close(server: Server, calls: CallCount, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await calls.none(graceMs);
  server.closeAllConnections(); // also those that never sent a request, which Node doesn't count as idle
  await closed;
}

interface CallCount {
  begin(): void;
  end(): void;
  /** Resolves when no call runs any more, or after the grace. */
  none(graceMs: number): Promise<void>;
}

function createCallCount(): CallCount {
  let running = 0;
  let wake = (): void => undefined;
  return {
    begin() {
      running++;
    },
    end() {
      running--;
      if (running === 0) wake();
    },
    none: (graceMs) =>
      new Promise((resolve) => {
        if (running === 0) return resolve();
        const timer = setTimeout(resolve, graceMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
}
