import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What an application answers: who it is, and what it got. */
export interface Echo {
  app: string;
  version: string;
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  /** Of the request's body: its length and SHA-256, in hex. */
  bodyBytes: number;
  bodyHash: string;
}

/** A small upstream application whose behaviour a test can set. */
export interface Application {
  readonly port: number;
  readonly requests: Echo[];
  /** Statuses of the next requests, then 200 again. */
  answerWith(...statuses: number[]): void;
  /** Until set back to 200. */
  setStatus(status: number): void;
  setDelay(ms: number): void;
  reset(): void;
  close(): Promise<void>;
}

export async function startApplication(app: string, version: string): Promise<Application> {
  const requests: Echo[] = [];
  let next: number[] = [];
  let status = 200;
  let delayMs = 0;
  const server = createServer((request, response) => {
    const { method = "", url: path = "", headers: received } = request;
    const echo: Echo = { app, version, method, path, headers: received, bodyBytes: 0, bodyHash: "" };
    requests.push(echo);
    // Decided now: a late answer to somebody who gave up must not take the status meant for the next scenario.
    const answer = next.shift() ?? status;
    const hash = createHash("sha256");
    request.on("data", (chunk: Buffer) => {
      echo.bodyBytes += chunk.length;
      hash.update(chunk);
    });
    request.on("end", () => {
      echo.bodyHash = hash.digest("hex");
      setTimeout(() => {
        const bytes = Number(/[?&]bytes=(\d+)/.exec(path)?.[1] ?? 0);
        const body = bytes > 0 ? "x".repeat(bytes) : JSON.stringify(echo);
        const length = Buffer.byteLength(body);
        const headers = {
          "content-type": "application/json",
          "content-length": length,
          "x-upstream": `${app}-${version}`,
        };
        response.writeHead(answer, headers).end(body);
      }, delayMs);
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    answerWith: (...statuses) => {
      next = statuses;
    },
    setStatus: (value) => {
      status = value;
    },
    setDelay: (ms) => {
      delayMs = ms;
    },
    reset() {
      requests.length = 0;
      next = [];
      status = 200;
      delayMs = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
