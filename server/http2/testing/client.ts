import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Timers } from "../../lib/timers.ts";
import type {
  Fields,
  StreamRequestHead,
  StreamReset,
  UpstreamHandler,
  UpstreamStream,
} from "../../sidecar/http/stream.ts";
import { type ClientSocket, Http2ClientConnection } from "../../sidecar/http2/client-connection.ts";
import type { Http2Stats } from "../http2-stats.ts";
import { defaultOptions, type Http2Options } from "../options.ts";
import { newHttp2Stats } from "./stats.ts";

export interface TestClient {
  connection: Http2ClientConnection;
  stats: Http2Stats;
  /** How often capacity was said to have grown. */
  capacityCalls: number;
  /** Resolves with the reason. */
  closed: Promise<string>;
  stop(): void;
}

/** A connection to a local port, once it may open streams. */
export async function openClient(port: number, options: Partial<Http2Options> = {}, ca?: string): Promise<TestClient> {
  const timers = new Timers();
  const stats = newHttp2Stats();
  const context = { options: { ...defaultOptions, ...options }, stats, timers };
  const open = (onRead: (bytes: Buffer, length: number) => void): ClientSocket => {
    const socket: Socket = ca
      ? connectTls({ port, host: "127.0.0.1", servername: "localhost", ca, ALPNProtocols: ["h2"] })
      : connect({ port, host: "127.0.0.1", noDelay: true });
    socket.on("data", (bytes: Buffer) => onRead(bytes, bytes.length));
    return { socket, ready: ca ? "secureConnect" : "connect", failure: ({ message }) => message, endedUnheard: "" };
  };
  return new Promise((resolve, reject) => {
    let onClosed = (_reason: string): void => {};
    const closed = new Promise<string>((settle) => {
      onClosed = settle;
    });
    const client: TestClient = {
      connection: undefined as unknown as Http2ClientConnection,
      stats,
      capacityCalls: 0,
      closed,
      stop: () => {
        client.connection.close("test is over");
        timers.stop();
      },
    };
    const owner = {
      onConnected: () => resolve(client),
      onCapacity: () => void client.capacityCalls++,
      onClosed: (_connection: unknown, reason: string, connected: boolean) => {
        onClosed(reason);
        if (!connected) reject(new Error(reason));
      },
    };
    client.connection = new Http2ClientConnection({ open }, context, owner);
  });
}

export interface Answer {
  status: number;
  headers: Fields;
  body: Buffer;
  trailers: Fields | undefined;
  informational: number[];
  reset: { reason: StreamReset; detail: string } | undefined;
}

export const get = (path: string, more: Partial<StreamRequestHead> = {}): StreamRequestHead => ({
  method: "GET",
  path,
  authority: "test.local",
  scheme: "http",
  headers: [],
  contentLength: -1,
  upgrade: "",
  bytes: 0,
  ...more,
});

/** Writes down all that one stream hears. */
export class Listener implements UpstreamHandler {
  readonly answer: Answer = {
    status: 0,
    headers: [],
    body: Buffer.alloc(0),
    trailers: undefined,
    informational: [],
    reset: undefined,
  };
  readonly done: Promise<Answer>;
  readonly headed: Promise<Answer>;
  onDrain = (): void => {};
  private readonly chunks: Buffer[] = [];
  private finish: (answer: Answer) => void = () => {};
  private heard: (answer: Answer) => void = () => {};

  constructor() {
    this.done = new Promise((resolve) => {
      this.finish = resolve;
    });
    this.headed = new Promise((resolve) => {
      this.heard = resolve;
    });
  }

  /** Bytes of data so far. */
  get received(): number {
    return this.chunks.reduce((sum, each) => sum + each.length, 0);
  }

  onInformational(status: number): void {
    this.answer.informational.push(status);
  }

  onHead(head: { status: number; headers: Fields }, end: boolean): void {
    this.answer.status = head.status;
    this.answer.headers = head.headers;
    this.heard(this.answer);
    if (end) this.finish(this.answer);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.chunks.push(Buffer.from(bytes.subarray(start, end)));
  }

  onEnd(trailers: Fields | undefined): void {
    this.answer.trailers = trailers;
    this.answer.body = Buffer.concat(this.chunks);
    this.finish(this.answer);
  }

  onReset(reason: StreamReset, detail: string): void {
    this.answer.reset = { reason, detail };
    this.answer.body = Buffer.concat(this.chunks);
    this.finish(this.answer);
  }

  onReadComplete(): void {}
}

/** Sends a whole request, waiting where it is told to. */
export function ask(
  connection: Http2ClientConnection,
  head: StreamRequestHead,
  body?: Buffer,
  trailers?: Fields,
): Promise<Answer> {
  const listener = new Listener();
  const stream = connection.newStream(listener);
  stream.sendHead(head, body === undefined && trailers === undefined);
  if (body !== undefined || trailers !== undefined) sendAll(stream, listener, body ?? Buffer.alloc(0), trailers);
  return listener.done;
}

function sendAll(stream: UpstreamStream, listener: Listener, body: Buffer, trailers: Fields | undefined): void {
  let at = 0;
  const more = () => {
    while (at < body.length) {
      const end = Math.min(at + 50_000, body.length);
      const ok = stream.sendData(body, at, end);
      at = end;
      if (!ok) return;
    }
    listener.onDrain = () => {};
    stream.sendEnd(trailers);
  };
  listener.onDrain = more;
  more();
}
