import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { finished } from "node:stream/promises";
import { ReadOnlyStoreError, StorageError } from "../../config/store.ts";
import { answerWhole } from "../../lib/http-answer.ts";
import { mediaType, readBody } from "../../lib/http-body.ts";
import { createHttpListener, type RequestTarget } from "../../lib/http-listener.ts";
import type { Logger } from "../../lib/logger.ts";
import { checkCaller, checkContentType, type GuardOptions } from "./guard.ts";
import type { ApiResponse, ApiRouter } from "./router.ts";
import { StatusError, tooLarge } from "./status-error.ts";

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
  guard: GuardOptions;
  limits: HttpLimits;
  logger: Logger;
  /** The body of a failed call: the two APIs write errors differently. */
  errorBody(path: string, error: StatusError): unknown;
}

export interface HttpServer {
  /** Rejects with the system's error, such as EADDRINUSE. */
  listen(host: string, port: number): Promise<{ port: number }>;
  /** Lets running calls end, within the grace. Long-lived streams must have been told to end before. */
  close(): Promise<void>;
}

/** Guards, reads, dispatches and answers; knows no resources. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { limits, logger } = options;
  const calls = createCallCount();
  const server = createHttpListener(
    (request, response, target) => {
      calls.begin();
      response.once("close", calls.end);
      return handle(options, request, response, target);
    },
    {
      limits,
      onError: (error, { url }) =>
        logger.error({ err: error, path: url }, "a config API call failed while it was answered"),
      errorBody: (status, message) => {
        const reason = status === 408 ? "Timeout" : status < 500 ? "BadRequest" : "InternalError";
        return options.errorBody("/", new StatusError(status, reason, message));
      },
    },
  );
  return { listen: (host, port) => listen(server, host, port), close: () => close(server, calls, limits.closeGraceMs) };
}

async function handle(
  options: HttpServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  target: RequestTarget,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort(); // else nobody is left who would care, and making the error costs
  });
  try {
    const answer = await dispatch(options, request, target, gone.signal);
    if ("stream" in answer) {
      await answer.stream(response);
      await endStream(response, options.limits.streamEndMs);
    } else send(response, answer.status, answer.body, answer.headers);
  } catch (error) {
    if (response.destroyed) return; // the client has gone
    const failure = toStatusError(error, options.logger, target.path);
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
): Promise<ApiResponse> {
  checkCaller(request.headers, options.guard);
  const method = request.method === "HEAD" ? "GET" : (request.method ?? "GET");
  const { handler, params, maxBodyBytes } = options.router.match(method, target.path);
  const contentType = mediaType(request.headers["content-type"]);
  const hasBody = request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"]) > 0;
  checkContentType(method, contentType, hasBody);
  const body = await readBody(request, maxBodyBytes, () => tooLarge(maxBodyBytes));
  return handler({
    method,
    params,
    query: new URLSearchParams(target.query),
    headers: request.headers,
    contentType,
    body,
    signal,
  });
}

function toStatusError(error: unknown, logger: Logger, path: string): StatusError {
  if (error instanceof StatusError) return error;
  if (error instanceof ReadOnlyStoreError) return new StatusError(403, "Forbidden", error.message);
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
