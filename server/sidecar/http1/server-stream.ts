import { headerLines } from "../http/headers.ts";
import {
  type DownstreamHandler,
  type DownstreamStream,
  type Fields,
  plainConnect,
  type StreamRequestHead,
  type StreamResponseHead,
} from "../http/stream.ts";
import type { Http1ServerConnection } from "./server-connection.ts";
import { statusLine } from "./status-line.ts";

/** How response data are written: not at all (HEAD), as they come, or put into chunks. */
const BodyMode = { none: 0, verbatim: 1, chunks: 2 } as const;
type BodyMode = (typeof BodyMode)[keyof typeof BodyMode];

/** One request on a connection, and how its response is written (RFC 9112). It may be held on to after its end, and does nothing then. */
export class Http1ServerStream implements DownstreamStream {
  readonly protocol: "HTTP/1.0" | "HTTP/1.1";
  readonly connection: Http1ServerConnection;
  handler: DownstreamHandler | undefined = undefined;
  requestDone: boolean;
  /** Whether the connection may serve another request. */
  keepAlive: boolean;
  /** Bytes pass as they are. */
  tunnel = false;
  private readonly method: string;
  private readonly upgrade: string;
  private mode: BodyMode = BodyMode.verbatim;
  /** A head or framing not yet written: it goes out with the first data, or by {@link flush}. */
  private pending = "";
  private over = false;

  constructor(
    connection: Http1ServerConnection,
    protocol: "HTTP/1.0" | "HTTP/1.1",
    { method, upgrade }: StreamRequestHead,
    keepAlive: boolean,
    requestDone: boolean,
  ) {
    this.connection = connection;
    this.protocol = protocol;
    this.method = method;
    this.upgrade = upgrade;
    this.keepAlive = keepAlive;
    this.requestDone = requestDone;
  }

  attach(handler: DownstreamHandler): void {
    if (!this.over) this.handler = handler;
  }

  sendInformational(status: number, headers: Fields): void {
    if (this.over || this.protocol === "HTTP/1.0") return;
    this.connection.write(`${statusLine(status)}${headerLines(headers)}\r\n`, undefined, 0, 0);
  }

  sendHead(head: StreamResponseHead, end: boolean): void {
    if (this.over) return;
    const old = this.protocol === "HTTP/1.0";
    const line = old ? statusLine(head.status).replace("1.1", "1.0") : statusLine(head.status);
    const text = line + headerLines(head.headers);
    const connects = this.upgrade === plainConnect;
    // What a client sent after a switch that is turned down is no request; h2c alone is only an offer.
    if (this.upgrade !== "" && !this.upgrade.startsWith("h2c")) this.keepAlive = false;
    if (head.status === 101) {
      this.keepAlive = false;
      this.tunnel = true;
      this.pending = connects
        ? `${statusLine(200)}${headerLines(head.headers)}\r\n`
        : `${text}connection: upgrade\r\nupgrade: ${this.upgrade}\r\n\r\n`;
      this.connection.startTunnel();
      this.flush();
      return;
    }
    this.pending = text + this.framing(head, end, old);
    if (!end) return;
    this.flush();
    this.finish();
  }

  sendData(bytes: Buffer, start: number, end: number): boolean {
    if (this.over || this.mode === BodyMode.none) return true;
    if (this.mode === BodyMode.verbatim) return this.write(bytes, start, end);
    this.pending += `${(end - start).toString(16)}\r\n`;
    this.write(bytes, start, end);
    this.pending = "\r\n";
    return this.flush();
  }

  sendEnd(trailers: Fields | undefined): void {
    if (this.over) return;
    if (this.mode === BodyMode.chunks) {
      this.pending += `0\r\n${trailers === undefined ? "" : headerLines(trailers)}\r\n`;
    }
    this.flush();
    this.finish();
  }

  flush(): boolean {
    if (this.pending === "" || this.over) return true;
    const text = this.pending;
    this.pending = "";
    return this.connection.write(text, undefined, 0, 0);
  }

  /** The client sees its connection cut. */
  reset(): void {
    if (this.over) return;
    this.flush();
    this.over = true;
    this.handler = undefined;
    this.connection.destroy();
  }

  pause(): void {
    if (!this.over) this.connection.pauseReading();
  }

  resume(): void {
    if (!this.over) this.connection.resumeReading();
  }

  decode(): void {
    if (!this.over) this.connection.decode();
  }

  /** The connection is gone. */
  onClosed(): void {
    if (this.over) return;
    this.over = true;
    this.handler?.onReset("connection_termination", "");
  }

  private framing({ status, contentLength, chunked }: StreamResponseHead, end: boolean, old: boolean): string {
    const bodiless = status === 204 || status === 304;
    // Without a length chunks end the body; HTTP/1.0 knows none, there the end of the connection does (RFC 9112, 6.3).
    const unknown = chunked === true || (contentLength < 0 && !end);
    if (this.method === "HEAD" || bodiless || end) this.mode = BodyMode.none;
    else if (unknown && !old && chunked !== true) this.mode = BodyMode.chunks;
    if (unknown && old && !end) this.keepAlive = false;
    // A response that begins before its request is whole ends the connection: what is left of the request is not waited for.
    if (!this.requestDone || this.connection.draining) this.keepAlive = false;
    // A chunked response to HEAD says so too: the field describes what GET would have got.
    let lines = unknown && !old && !bodiless ? "transfer-encoding: chunked\r\n" : "";
    // An HTTP/2 upstream ends with the head and need not say how long nothing is.
    if (end && contentLength < 0 && !unknown && !bodiless && this.method !== "HEAD") lines = "content-length: 0\r\n";
    if (!this.keepAlive) return `${lines}connection: close\r\n\r\n`;
    return old ? `${lines}connection: keep-alive\r\n\r\n` : `${lines}\r\n`;
  }

  private write(bytes: Buffer, start: number, end: number): boolean {
    const head = this.pending;
    this.pending = "";
    return this.connection.write(head, bytes, start, end);
  }

  private finish(): void {
    this.over = true;
    this.handler = undefined;
    this.connection.finished(this, this.keepAlive && this.requestDone && !this.tunnel);
  }
}
