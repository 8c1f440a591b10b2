import { once } from "node:events";
import { connect, createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";

/** A server of HTTP/2 alone, in plain text, that answers as gRPC does; calls are told by the version that took them. */
export interface Http2Application {
  readonly port: number;
  /** Each request: its path and the `grpc-timeout` that it came with. */
  readonly requests: { path: string; timeout: string | undefined }[];
  /** Statuses of gRPC of the next requests, each in a head alone; then 0, in trailers. */
  answerWith(...statuses: number[]): void;
  /** It says nothing until then. */
  setDelay(ms: number): void;
  reset(): void;
  close(): void;
}

export async function startHttp2Application(version: string): Promise<Http2Application> {
  const requests: Http2Application["requests"] = [];
  const sessions = new Set<ServerHttp2Session>();
  let next: number[] = [];
  let delayMs = 0;
  const server = createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    stream.resume();
    const status = next.shift() ?? 0;
    requests.push({ path: String(headers[":path"]), timeout: headers["grpc-timeout"]?.toString() });
    stream.on("end", () => {
      const answer = () => {
        if (stream.destroyed) return;
        const head = { ":status": 200, "content-type": headers["content-type"] ?? "text/plain", "x-version": version };
        if (status !== 0) {
          stream.respond({ ...head, "grpc-status": status }, { endStream: true });
          return;
        }
        stream.respond(head, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end(`HTTP/2 ${version}`);
      };
      setTimeout(answer, delayMs);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    answerWith: (...statuses) => {
      next = statuses;
    },
    setDelay: (ms) => {
      delayMs = ms;
    },
    reset() {
      requests.length = 0;
      next = [];
      delayMs = 0;
    },
    close() {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}

export interface Http2Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** Of trailers or of a head alone. */
  readonly grpcStatus: string | undefined;
}

/** One request over HTTP/2 with prior knowledge, by default a call of gRPC. */
export async function callHttp2(
  to: { address: string; port: number },
  authority: string,
  headers: Record<string, string> = {},
): Promise<Http2Answer> {
  const session = connect(`http://${to.address}:${to.port}`);
  session.on("error", () => {});
  const given = { ":method": "POST", ":path": "/shop.Calls/Unary", "content-type": "application/grpc", te: "trailers" };
  const stream = session.request({ ...given, ":authority": authority, ...headers });
  stream.on("error", () => {});
  let head: Record<string, unknown> = {};
  let trailers: Record<string, unknown> = {};
  let body = "";
  stream.on("response", (fields) => {
    head = { ...fields };
  });
  stream.on("trailers", (fields) => {
    trailers = { ...fields };
  });
  stream.on("data", (bytes) => {
    body += bytes;
  });
  stream.end("message");
  await once(stream, "close");
  session.destroy();
  const grpcStatus = trailers["grpc-status"] ?? head["grpc-status"];
  return {
    status: Number(head[":status"] ?? 0),
    headers: head,
    body,
    grpcStatus: grpcStatus === undefined ? undefined : String(grpcStatus),
  };
}
