import type { Socket } from "node:net";
import type {
  DownstreamFacts,
  DownstreamStream,
  Fields,
  StreamRequestHead,
  StreamReset,
  StreamResponseHead,
  StreamServer,
} from "../http/stream.ts";
import { WheelTimer } from "../timer-wheel.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";
import { Http2Connection, type Http2Context } from "./connection.ts";
import { Detail, ErrorCode } from "./errors.ts";
import { Flag } from "./frames.ts";
import { statusTexts } from "./status-texts.ts";
import { type BodyHandler, Http2Stream, resetCode } from "./stream.ts";

/** What a connection needs of its listener. */
export interface Http2ServerHost extends StreamServer {
  /**
   * A request that can't be understood or is too large; it is answered, and never becomes a stream.
   * @param head what of it could be read
   */
  onRefused?(head: StreamRequestHead, status: number, detail: string): void;
  /** Once; all its streams have been told. */
  onClosed(connection: Http2ServerConnection, reason: string): void;
}

/** One client connection: makes streams of its requests. The socket is open, and its TLS handshake done. */
export class Http2ServerConnection extends Http2Connection implements DownstreamFacts {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly tls: TlsConnection | undefined;
  draining = false;
  protected readonly isClient = false;
  private readonly host: Http2ServerHost;
  private lastStream = 0;
  /** Streams above it came after our last GOAWAY and are not answered. */
  private acceptedUpTo = maxStreamId;
  private readonly drainTimer = new WheelTimer(() => this.finishDrain());
  private requests = 0;
  private finished = 0;
  private prematureResets = 0;

  constructor(socket: Socket, context: Http2Context, host: Http2ServerHost, tls?: TlsConnection) {
    super(socket, context, true);
    this.host = host;
    this.tls = tls;
    this.remoteAddress = socket.remoteAddress ?? "";
    this.remotePort = socket.remotePort ?? 0;
    this.localAddress = socket.localAddress ?? "";
    this.localPort = socket.localPort ?? 0;
    this.writePreface(undefined, true);
    this.keepalive.start();
  }

  /**
   * No further request is wanted. GOAWAY is sent twice, with the client's answer to a PING between: so that requests which are on their way meanwhile are
   * still answered (RFC 9113, 6.8). Closes after the last stream.
   */
  drain(): void {
    if (this.draining || this.closing) return;
    this.draining = true;
    this.writeGoAway(maxStreamId, ErrorCode.noError);
    this.writePing(drainPing);
    this.context.timers.arm(this.drainTimer, this.context.options.drainTimeoutMs);
  }

  /** GOAWAY with the last stream accepted, now. */
  private finishDrain(): void {
    this.drainTimer.cancel();
    if (this.acceptedUpTo !== maxStreamId || this.closing) return;
    this.acceptedUpTo = this.lastStream;
    this.writeGoAway(this.lastStream, ErrorCode.noError);
    this.closeWhenIdle();
  }

  onHeaders(streamId: number, flags: number, selfDependent: boolean, bytes: Buffer, start: number, end: number): void {
    if (!this.checkSettled(1)) return;
    const stream = this.streams.get(streamId);
    if (stream === undefined && !this.mayBegin(streamId)) return;
    if (!this.decodeHead(bytes, start, end)) return;
    const last = (flags & Flag.endStream) !== 0;
    this.streamsSeen++;
    if (stream !== undefined) this.onTrailers(stream, last);
    else if (streamId <= this.lastStream) return;
    else this.onRequest(streamId, last, selfDependent);
  }

  writeStatus(streamId: number, status: number, headers: Fields, last: boolean): void {
    if (this.closing) return;
    const out = this.beginBlock(this.encoder.bound(headers) + 16);
    const at = this.encoder.field(":status", statusTexts[status] ?? String(status), out, this.blockPosition);
    this.endBlock(streamId, this.encoder.fields(headers, out, at), last);
  }

  /** The response is whole and the request isn't: the client need not go on (RFC 9113, 8.1). A tunnel's other half goes on. */
  override localEnded(stream: Http2Stream): void {
    if (!(stream as ServerStream).tunnel) this.resetStream(stream, ErrorCode.noError);
  }

  protected get lastPeerStream(): number {
    return this.lastStream;
  }

  protected isIdle(streamId: number): boolean {
    return streamId > this.lastStream || (streamId & 1) === 0;
  }

  protected onGoAway(): void {
    // The client opens no further stream; what is open is answered.
    this.draining = true;
    this.acceptedUpTo = Math.min(this.acceptedUpTo, this.lastStream);
    this.closeWhenIdle();
  }

  protected ended(reason: string): void {
    this.drainTimer.cancel();
    this.host.onClosed(this, reason);
  }

  protected override removed(): void {
    this.finished++;
    this.closeWhenIdle();
  }

  /** Opening and resetting streams at once costs a client nothing and us a request each (CVE-2023-44487). Envoy's rule, with its numbers. */
  protected override peerReset(stream: Http2Stream): void {
    const { options, stats } = this.context;
    if ((stream as ServerStream).answered || this.lastActivity - stream.openedAt >= options.prematureResetMs) return;
    this.prematureResets++;
    const of = Math.max(this.finished, options.prematureResetStreams);
    if (options.prematureResetStreams === 0 || this.prematureResets * 2 < of) return;
    stats.prematureResets++;
    this.fail(ErrorCode.enhanceYourCalm, Detail.prematureResets);
  }

  protected override onDrainPing(): void {
    if (this.drainTimer.armed) this.finishDrain();
  }

  /** Whether a field block for a stream that isn't open is worth reading. */
  private mayBegin(streamId: number): boolean {
    if ((streamId & 1) === 0) {
      this.fail(ErrorCode.protocolError, Detail.protocol);
      return false;
    }
    if (streamId <= this.lastStream && !this.wasReset(streamId)) {
      this.fail(ErrorCode.streamClosed, Detail.protocol);
      return false;
    }
    return true;
  }

  private onRequest(streamId: number, last: boolean, selfDependent: boolean): void {
    const { options, stats } = this.context;
    if (streamId > this.acceptedUpTo) return;
    this.lastStream = streamId;
    if (selfDependent) {
      this.streamError(streamId, undefined, ErrorCode.protocolError, Detail.protocol);
      return;
    }
    if (this.streams.size >= options.maxConcurrentStreams) {
      stats.streamRefused++;
      this.writeReset(streamId, ErrorCode.refusedStream);
      return;
    }
    const head = this.head.request(last);
    // First, since what was too large is missing in the head.
    if (this.head.tooLarge) {
      this.context.stats.headerOverflow++;
      this.refuse(streamId, head, last, 431, Detail.tooManyHeaders);
      return;
    }
    if (this.head.malformed !== "") {
      this.malformed(undefined, this.head.malformed, streamId);
      return;
    }
    if (this.head.fragment) this.refuse(streamId, head, last, 400, Detail.fragment);
    else this.open(streamId, head, last);
  }

  private open(streamId: number, head: StreamRequestHead, last: boolean): void {
    const limit = this.context.options.maxRequestsPerConnection;
    const stream = new ServerStream(this, streamId, head);
    this.streams.set(streamId, stream);
    if (last) stream.receiveEndWithHead();
    if (limit > 0 && ++this.requests >= limit) this.drain();
    stream.handler = this.host.onStream(stream, head, last);
  }

  /** A head past the limits Envoy resets; RFC 9113, 10.5.1 and RFC 6585, 5 have an answer for it, by which a client learns what was wrong. */
  private refuse(streamId: number, head: StreamRequestHead, last: boolean, status: number, detail: string): void {
    this.writeStatus(streamId, status, [], true);
    if (!last) this.writeReset(streamId, ErrorCode.noError);
    this.host.onRefused?.(head, status, detail);
  }

  private onTrailers(stream: Http2Stream, last: boolean): void {
    if (stream.remoteEnded) {
      this.streamError(stream.id, stream, ErrorCode.streamClosed, Detail.protocol);
      return;
    }
    const trailers = this.head.trailers();
    if (this.head.tooLarge) this.streamError(stream.id, stream, ErrorCode.enhanceYourCalm, Detail.tooManyHeaders);
    else if (!last) this.malformed(stream, Detail.messaging);
    else if (this.head.malformed !== "") this.malformed(stream, this.head.malformed);
    else stream.receiveEnd(trailers);
  }

  private closeWhenIdle(): void {
    if (this.acceptedUpTo === maxStreamId || this.streams.size > 0) return;
    this.finish("drained");
  }
}

const maxStreamId = 0x7fffffff;
const drainPing = Buffer.from("draining", "latin1");

const nobody: BodyHandler = { onData() {}, onEnd() {}, onReset() {}, onDrain() {} };

/** One request of a client. */
export class ServerStream extends Http2Stream<Http2ServerConnection> implements DownstreamStream {
  readonly protocol = "HTTP/2";
  answered = false;
  /** CONNECT, plain or extended: its halves end separately. */
  readonly tunnel: boolean;
  private readonly upgrade: boolean;

  constructor(connection: Http2ServerConnection, id: number, head: StreamRequestHead) {
    super(connection, id, nobody);
    this.expectedBytes = head.contentLength;
    this.upgrade = head.upgrade !== "";
    this.tunnel = this.upgrade || head.method === "CONNECT";
  }

  sendInformational(status: number, headers: Fields): void {
    if (!this.closed && !this.localEnded) this.connection.writeStatus(this.id, status, headers, false);
  }

  sendHead(head: StreamResponseHead, end: boolean): void {
    if (this.closed || this.localEnded) return;
    this.answered = true;
    // What is 101 in HTTP/1 is 200 here: RFC 8441, 5.
    const status = this.upgrade && head.status === 101 ? 200 : head.status;
    this.connection.writeStatus(this.id, status, head.headers, end);
    if (!end) return;
    this.localEnded = true;
    if (this.remoteEnded) this.connection.streamEnded(this);
    else this.connection.localEnded(this);
  }

  reset(reason: StreamReset): void {
    this.abort(resetCode(reason, true));
  }
}
