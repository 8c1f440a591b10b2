import type { Socket } from "node:net";
import { Http2Connection, type Http2Context } from "../../http2/connection.ts";
import { Detail, ErrorCode } from "../../http2/errors.ts";
import { clientPreface, Flag, FrameType } from "../../http2/frames.ts";
import { Http2Stream, resetCode } from "../../http2/stream.ts";
import {
  type ClientConnection,
  type ClientConnectionOwner,
  type Fields,
  plainConnect,
  type StreamRequestHead,
  type StreamReset,
  type StreamResponseHead,
  type UpstreamHandler,
  type UpstreamStream,
} from "../http/stream.ts";

/** A socket that is connecting, and what goes with it. */
export interface ClientSocket {
  readonly socket: Socket;
  /** The event after which it can be used. */
  readonly ready: "connect" | "secureConnect";
  /** Names what an `error` event says. */
  failure(error: Error): string;
  /** What it means when the peer ends before it said anything, where that is more than an end. */
  readonly endedUnheard: string;
}

/** What a connection needs of its pool. */
export interface Http2ClientIo {
  /** Opens the socket; whatever it reads goes to `onRead`, which keeps nothing of the buffer. */
  open(onRead: (bytes: Buffer, length: number) => void): ClientSocket;
}

/** One connection to an endpoint, shared by as many requests as both sides allow. */
export class Http2ClientConnection extends Http2Connection implements ClientConnection {
  readonly protocol = "HTTP/2";
  protected readonly isClient = true;
  private readonly opened: ClientSocket;
  private readonly owner: ClientConnectionOwner;
  private readonly scheme: string;
  private connected = false;
  private draining = false;
  private nextId = 1;
  /** Streams made so far, and those among them that have no id yet. */
  private made = 0;
  private unsent = 0;
  /** Streams that the read at hand brought something for. */
  private touched: ClientStream[] = [];

  constructor(io: Http2ClientIo, context: Http2Context, owner: ClientConnectionOwner) {
    const opened = io.open((bytes, length) => this?.receive(bytes, 0, length));
    const { socket } = opened;
    super(socket, context, false);
    this.opened = opened;
    this.owner = owner;
    this.scheme = "encrypted" in socket ? "https" : "http";
    socket.once(opened.ready, () => this.onConnected());
  }

  get capacity(): number {
    if (!this.connected || this.draining || this.closing || this.nextId > maxClientId) return 0;
    const { maxConcurrentStreams } = this.context.options;
    const room = Math.min(maxConcurrentStreams, this.peer.maxConcurrentStreams) - this.active;
    return Math.max(0, Math.min(room, this.maxRequests - this.made));
  }

  override get active(): number {
    return this.streams.size + this.unsent;
  }

  /** Whether the server takes extended CONNECT (RFC 8441). */
  get takesExtendedConnect(): boolean {
    return this.peer.connectProtocol;
  }

  newStream(handler: UpstreamHandler): UpstreamStream {
    this.made++;
    this.unsent++;
    this.keepalive.beforeStream(performance.now() - this.lastActivity);
    return new ClientStream(this, handler);
  }

  drain(): void {
    if (this.draining) return;
    this.draining = true;
    this.closeWhenIdle();
  }

  /** A stream's first frame: gives it its id. */
  begin(stream: ClientStream, head: StreamRequestHead, last: boolean): void {
    this.unsent--;
    if (this.closing) {
      stream.receiveReset("connection_termination", "");
      return;
    }
    stream.id = this.nextId;
    this.nextId += 2;
    // It may have been made before the last SETTINGS came.
    stream.sendWindow = this.peer.initialWindow;
    this.streams.set(stream.id, stream);
    this.allowance.streams++;
    const { encoder } = this;
    const { headers } = head;
    const size = head.method.length + head.authority.length + head.path.length + head.upgrade.length;
    const out = this.blocks.begin(encoder.bound(headers) + size + 128);
    const upgrade = head.upgrade !== "";
    let at = encoder.field(":method", upgrade ? "CONNECT" : head.method, out, this.blocks.position);
    const connects = head.upgrade === plainConnect;
    // RFC 9113, 8.5: neither scheme nor path.
    if (head.path !== "" && !connects) {
      at = encoder.field(":scheme", head.scheme || this.scheme, out, at);
      at = encoder.field(":path", head.path, out, at);
    }
    if (head.authority !== "") at = encoder.field(":authority", head.authority, out, at);
    if (upgrade && !connects) at = encoder.field(":protocol", head.upgrade, out, at);
    this.blocks.end(stream.id, encoder.fields(headers, out, at), last);
  }

  /** A stream was made and never begun. */
  discard(): void {
    this.unsent--;
    this.closeWhenIdle();
  }

  touch(stream: ClientStream): void {
    this.touched.push(stream);
  }

  onHeaders(streamId: number, flags: number, selfDependent: boolean, bytes: Buffer, start: number, end: number): void {
    if (!this.checkSettled(FrameType.headers)) return;
    const stream = this.streams.get(streamId) as ClientStream | undefined;
    if (stream === undefined && this.isIdle(streamId)) {
      this.fail(ErrorCode.protocolError, Detail.protocol);
      return;
    }
    if (!this.decodeHead(bytes, start, end)) return;
    if (stream === undefined) {
      if (!this.wasReset(streamId)) this.fail(ErrorCode.streamClosed, Detail.protocol);
      return;
    }
    const last = (flags & Flag.endStream) !== 0;
    if (stream.remoteEnded) {
      this.streamError(streamId, stream, ErrorCode.streamClosed, Detail.protocol);
    } else if (selfDependent) {
      this.streamError(streamId, stream, ErrorCode.protocolError, Detail.protocol);
    } else if (this.head.tooLarge) {
      this.context.stats.headerOverflow.inc();
      this.streamError(streamId, stream, ErrorCode.enhanceYourCalm, Detail.tooManyHeaders);
    } else if (stream.answered) {
      this.onTrailers(stream, last);
    } else {
      this.onResponse(stream, last);
    }
  }

  protected get lastPeerStream(): number {
    return 0;
  }

  protected override nameFailure(error: Error): string {
    return this.opened.failure(error);
  }

  protected override endReason(): string {
    return (this.heard ? "" : this.opened.endedUnheard) || "remote close";
  }

  protected isIdle(streamId: number): boolean {
    return streamId >= this.nextId || (streamId & 1) === 0;
  }

  /** Streams above the last one were never begun there, and may be sent elsewhere (RFC 9113, 6.8). */
  protected onGoAway(lastStream: number): void {
    this.draining = true;
    for (const stream of [...this.streams.values()]) {
      if (stream.id <= lastStream) continue;
      this.remove(stream);
      stream.receiveReset("refused_stream", Detail.remoteRefused);
    }
    this.closeWhenIdle();
  }

  protected ended(reason: string): void {
    this.owner.onClosed(this, reason, this.connected);
  }

  protected override removed(): void {
    if (this.closing) return;
    if (this.capacity > 0) this.owner.onCapacity(this);
    else this.closeWhenIdle();
  }

  protected override settingsChanged(): void {
    if (this.capacity > 0) this.owner.onCapacity(this);
  }

  protected override readComplete(): void {
    if (this.touched.length === 0) return;
    const { touched } = this;
    this.touched = [];
    for (const stream of touched) stream.readComplete();
  }

  private onConnected(): void {
    if (this.closed) return;
    this.connected = true;
    this.lastActivity = performance.now();
    this.writePreface(clientPreface, false);
    this.keepalive.start();
    this.owner.onConnected(this);
  }

  private onResponse(stream: ClientStream, last: boolean): void {
    const head = this.head.response();
    const interim = head.status < 200;
    const bodiless = stream.isHead || head.status === 204 || head.status === 304;
    let wrong = this.head.malformed;
    if (wrong === "" && last && (interim || (!bodiless && head.contentLength > 0))) wrong = Detail.messaging;
    if (wrong !== "") this.malformed(stream, wrong);
    else if (interim) stream.informational(head.status, head.headers);
    else stream.respond(head, last, bodiless);
  }

  private onTrailers(stream: ClientStream, last: boolean): void {
    const trailers = this.head.trailers();
    if (!last) this.malformed(stream, Detail.messaging);
    else if (this.head.malformed !== "") this.malformed(stream, this.head.malformed);
    else stream.receiveTrailers(trailers);
  }

  private closeWhenIdle(): void {
    const spent = this.draining || this.made >= this.maxRequests;
    if (spent && this.connected && this.active === 0) this.finish("drained");
  }

  private get maxRequests(): number {
    return this.context.options.maxRequestsPerConnection || Number.POSITIVE_INFINITY;
  }
}

const maxClientId = 0x7fffffff;

/** One request to an endpoint. */
class ClientStream extends Http2Stream<Http2ClientConnection> implements UpstreamStream {
  answered = false;
  isHead = false;
  private readonly asker: UpstreamHandler;
  private upgrade = false;
  private isTouched = false;

  constructor(connection: Http2ClientConnection, handler: UpstreamHandler) {
    super(connection, 0, handler);
    this.asker = handler;
  }

  sendHead(head: StreamRequestHead, end: boolean): void {
    if (this.closed || this.id !== 0) return;
    this.isHead = head.method === "HEAD";
    this.upgrade = head.upgrade !== "";
    this.localEnded = end;
    this.connection.begin(this, head, end);
  }

  reset(reason: StreamReset): void {
    if (this.id !== 0) {
      this.abort(resetCode(reason, false));
      return;
    }
    if (!this.closed) this.connection.discard();
    this.closed = true;
  }

  informational(status: number, headers: Fields): void {
    this.touch();
    this.asker.onInformational(status, headers);
  }

  respond(head: StreamResponseHead, last: boolean, bodiless: boolean): void {
    this.touch();
    this.answered = true;
    this.bodiless = bodiless;
    this.expectedBytes = bodiless ? -1 : head.contentLength;
    // The counterpart of the server's: 200 to an extended CONNECT is the 101 that it stands for.
    if (this.upgrade && head.status === 200) head.status = 101;
    if (last) this.receiveEndWithHead();
    this.asker.onHead(head, last);
  }

  /** RFC 9113, 8.1: a head comes first. */
  override takesData(payload: number): boolean {
    return this.answered && super.takesData(payload);
  }

  override receiveData(bytes: Buffer, start: number, end: number): void {
    this.touch();
    super.receiveData(bytes, start, end);
  }

  receiveTrailers(trailers: Fields): void {
    this.touch();
    this.receiveEnd(trailers);
  }

  readComplete(): void {
    this.isTouched = false;
    if (!this.broken) this.asker.onReadComplete();
  }

  private touch(): void {
    if (this.isTouched) return;
    this.isTouched = true;
    this.connection.touch(this);
  }
}
