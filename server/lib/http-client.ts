import { Agent, type IncomingMessage, request } from "node:http";
import { readBody } from "./http-body.ts";

export interface HttpAnswer {
  status: number;
  text: string;
}

export interface HttpCall {
  headers?: Record<string, string>;
  body?: string;
}

export interface HttpClient {
  /** Rejects with Node's error (`ECONNREFUSED` and so on), or a `TimeoutError` when the whole answer is not there in time. */
  call(method: string, path: string, call?: HttpCall): Promise<HttpAnswer>;
}

export class TimeoutError extends Error {}

const maxAnswerBytes = 64 * 1024 * 1024;

/**
 * Calls one HTTP server over connections that stay open. On `node:http`, because a call by `fetch` costs a millisecond of processor time
 * more, and its first one 15 MB.
 */
export function createHttpClient(baseUrl: string, timeoutMs: number): HttpClient {
  const { hostname, port } = new URL(baseUrl);
  const agent = new Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 8 });
  const once = (method: string, path: string, { headers, body }: HttpCall): Promise<HttpAnswer> =>
    new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
      const req = request({ hostname, port, method, path, agent, headers: { ...headers, ...length } }, (res) => {
        readAnswer(res).then(resolve, reject);
      });
      const timer = setTimeout(() => req.destroy(new TimeoutError(`no answer within ${timeoutMs} ms`)), timeoutMs);
      req.once("close", () => clearTimeout(timer));
      req.once("error", (error) => reject(isStale(req.reusedSocket, error) ? new StaleConnection() : error));
      req.end(body);
    });
  return {
    async call(method, path, call = {}) {
      try {
        return await once(method, path, call);
      } catch (error) {
        // The server closed a kept connection while the request was on its way. Whether it saw it is unknown, so only a read goes again.
        if (error instanceof StaleConnection && method === "GET") return once(method, path, call);
        throw error;
      }
    },
  };
}

class StaleConnection extends Error {
  constructor() {
    super("the server closed the connection before it answered");
  }
}

const isStale = (isReused: boolean, error: NodeJS.ErrnoException): boolean =>
  isReused && (error.code === "ECONNRESET" || error.code === "EPIPE");

async function readAnswer(response: IncomingMessage): Promise<HttpAnswer> {
  const body = await readBody(response, maxAnswerBytes, () => new Error(`an answer over ${maxAnswerBytes} bytes`));
  return { status: response.statusCode ?? 0, text: body.toString("utf8") };
}
