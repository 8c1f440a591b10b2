import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { Timers } from "../../lib/timers.ts";
import type {
  DownstreamHandler,
  DownstreamStream,
  Fields,
  StreamRequestHead,
  StreamReset,
  StreamServer,
} from "../../sidecar/http/stream.ts";
import { DownstreamConnection, type DownstreamHttp2Stream } from "../../sidecar/http2/downstream-connection.ts";
import type { Http2Stats } from "../http2-stats.ts";
import { defaultOptions, type Http2Options } from "../options.ts";
import type { Http2ServerConnection, Refusal } from "../server-connection.ts";
import { countsOf, newHttp2Stats } from "./stats.ts";

export interface TestServer {
  port: number;
  readonly stats: Record<keyof Http2Stats, number>;
  connections: Set<Http2ServerConnection<DownstreamHttp2Stream>>;
  /** Why connections were closed, in order. */
  closed: string[];
  /** Statuses of requests refused by the codec. */
  refused: number[];
  stop(): Promise<void>;
}

/** A server made of nothing but the codec. */
export async function startServer(
  server: StreamServer,
  options: Partial<Http2Options> = {},
  tls?: { key: string; cert: string },
): Promise<TestServer> {
  const timers = new Timers();
  const stats = newHttp2Stats();
  const context = { options: { ...defaultOptions, ...options }, stats, timers };
  const connections = new Set<Http2ServerConnection<DownstreamHttp2Stream>>();
  const closed: string[] = [];
  const refused: number[] = [];
  const host = {
    onStream: (stream: DownstreamHttp2Stream, head: StreamRequestHead, end: boolean) =>
      server.onStream(stream, head, end),
    onRefused: (stream: DownstreamHttp2Stream, _head: StreamRequestHead, { status }: Refusal) => {
      refused.push(status);
      stream.sendHead({ status, headers: [], contentLength: -1, bytes: 0 }, true);
      return silent;
    },
    onClosed: (connection: Http2ServerConnection<DownstreamHttp2Stream>, reason: string) => {
      connections.delete(connection);
      closed.push(reason);
    },
  };
  const accept = (socket: Socket | TLSSocket) => {
    socket.setNoDelay(true);
    connections.add(new DownstreamConnection(socket, context, host));
  };
  const listener = tls
    ? createTlsServer({ ...tls, ALPNProtocols: ["h2"] }, accept).on("tlsClientError", () => {})
    : createServer(accept);
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return {
    port: (listener.address() as { port: number }).port,
    get stats() {
      return countsOf(stats);
    },
    connections,
    closed,
    refused,
    stop: async () => {
      for (const connection of connections) connection.close("test is over");
      timers.stop();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

/** Sends back what came: body, trailers, and the head as `x-` fields. */
export const echo: StreamServer = {
  onStream: (stream, head, end) => {
    const headers: Fields = ["x-method", head.method, "x-path", head.path, "x-authority", head.authority];
    for (let i = 0; i < head.headers.length; i += 2) {
      headers.push(`x-${head.headers[i]}`, head.headers[i + 1] as string);
    }
    stream.sendHead({ status: 200, headers, contentLength: -1, bytes: 0 }, end);
    return new Echo(stream);
  },
};

class Echo implements DownstreamHandler {
  private readonly stream: DownstreamStream;

  constructor(stream: DownstreamStream) {
    this.stream = stream;
  }

  onData(bytes: Buffer, start: number, end: number): void {
    if (!this.stream.sendData(bytes, start, end)) this.stream.pause();
  }

  onEnd(trailers: Fields | undefined): void {
    this.stream.sendEnd(trailers);
  }

  onReset(_reason: StreamReset): void {}

  onDrain(): void {
    this.stream.resume();
  }
}

/** Answers every request alike, once it is whole. */
export const answering = (headers: Fields, body: Buffer): StreamServer => ({
  onStream: (stream, head, end) => {
    const answer = () => {
      const bodiless = body.length === 0 || head.method === "HEAD";
      stream.sendHead({ status: 200, headers, contentLength: body.length, bytes: 0 }, bodiless);
      if (bodiless) return;
      stream.sendData(body, 0, body.length);
      stream.sendEnd(undefined);
    };
    if (end) answer();
    return end ? silent : { ...silent, onEnd: answer };
  },
});

export const silent: DownstreamHandler = { onData() {}, onEnd() {}, onReset() {}, onDrain() {} };
