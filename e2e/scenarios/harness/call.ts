import { Agent, request } from "node:http";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type { Echo } from "./application.ts";

export interface Call {
  /** Of the proxy's listener. */
  address: string;
  port: number;
  /** The Host header: `reviews:9080`. */
  host: string;
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  /** Sent with a Content-Length, or in chunks when given as several parts. */
  body?: string | readonly string[];
  /** Begun by the caller itself, without a look at whose certificate the server shows. */
  tls?: ConnectionOptions;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  /** What the application got, when it was one that answered. */
  echo: Echo | undefined;
  ms: number;
}

/** One HTTP/1.1 request to a proxy, over a kept connection when an agent is given. Rejects when the connection breaks. */
export function call(one: Call, agent?: Agent): Promise<Answer> {
  const { address, port, host, path = "/", method = "GET", headers = {}, body: sentBody, tls } = one;
  const started = performance.now();
  return new Promise<Answer>((resolve, reject) => {
    const to = { host: address, port };
    const way = tls
      ? { createConnection: () => connectTls({ ...to, checkServerIdentity: () => undefined, ...tls }) }
      : { agent: agent ?? false };
    const options = { ...to, path, method, headers: { host, ...headers }, ...way };
    const sent = request({ ...options, timeout: 20_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("error", reject);
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        resolve({ status, headers: response.headers, body, echo: parseEcho(body), ms: performance.now() - started });
      });
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer in 20 s")));
    sent.on("error", reject);
    if (Array.isArray(sentBody)) {
      for (const part of sentBody) sent.write(part);
      sent.end();
    } else {
      sent.end(sentBody);
    }
  });
}

/** Many requests over a few kept connections. */
export async function callMany(count: number, one: Call, connections = 4): Promise<Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  try {
    const answers: Answer[] = [];
    const worker = async () => {
      while (answers.length < count) {
        const slot = answers.length;
        answers.length = slot + 1;
        answers[slot] = await call(one, agent);
      }
    };
    await Promise.all(Array.from({ length: connections }, worker));
    return answers;
  } finally {
    agent.destroy();
  }
}

function parseEcho(body: string): Echo | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && "app" in value ? (value as Echo) : undefined;
  } catch {
    return undefined;
  }
}
