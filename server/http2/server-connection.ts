import type { Socket } from "node:net";
import { WheelTimer } from "../lib/timer-wheel.ts";
import { Http2Connection, type Http2Context } from "./connection.ts";
import { Detail, ErrorCode } from "./errors.ts";
import { Flag } from "./frames.ts";
import type { BodyHandler, Fields, StreamRequestHead, StreamReset, StreamResponseHead } from "./messages.ts";
import { statusTexts } from "./status-texts.ts";
import { Http2Stream, resetCode } from "./stream.ts";

/** What a connection needs of its listener. */
export interface Http2ServerHost<Stream extends ServerStream = ServerStream> {
  /** @param end no data and no trailers follow: the handler's `onEnd` isn't called */
  onStream(stream: Stream, head: StreamRequestHead, end: boolean): BodyHandler;
  /**
   * A request to be answered with a status and nothing else.
   * @param head what of it could be read
   */
  onRefused(stream: Stream, head: StreamRequestHead, refusal: Refusal): BodyHandler;
  /** Once; all its streams have been told. */
  onClosed(connection: Http2ServerConnection<Stream>, reason: string): void;
}

export interface Refusal {
  readonly status: number;
  readonly body: string;
  readonly details: string;
  readonly protocolError: boolean;
}

/** One client connection: makes streams of its requests. The socket is open, and its TLS handshake done. */
export abstract class Http2ServerConnection<Stream extends ServerStream = ServerStream>
  extends Http2Connection
  implements Answering
{
  draining = false;
  /** Monotonic ms of the last request begun. */
  requestedAt = 0;
  protected readonly isClient = false;
  private readonly host: Http2ServerHost<Stream>;
  private lastStream = 0;
  /** Streams above it came after our last GOAWAY and are not answered. */
  private acceptedUpTo = maxStreamId;
  private readonly drainTimer = new WheelTimer(() => this.finishDrain());
  /** Of the time without a request. */
  private readonly idleTimer = new WheelTimer(() => this.onIdle());
  private readonly createdAt = this.lastActivity;
  private requests = 0;
  private finished = 0;
  private prematureResets = 0;

  constructor(socket: Socket, context: Http2Context, host: Http2ServerHost<Stream>) {
    super(socket, context, true);
    this.host = host;
    socket.on("data", (bytes: Buffer) => this.receive(bytes, 0, bytes.length));
    this.writePreface(undefined, true);
    this.keepalive.start();
    this.armIdle();
  }

  /**
   * No further request is wanted. GOAWAY is sent twice, with the client's answer to a PING between: so that requests which are on their way meanwhile are
   * still answered (RFC 9113, 6.8). Closes after the last stream.
   */
  drain(): void {
    if (this.draining || this.closing) return;
    this.draining = true;
    this.context.stats.cxDrainClose.inc();
    this.writeGoAway(maxStreamId, ErrorCode.noError);
    this.writePing(drainPing);
    this.context.timers.arm(this.drainTimer, this.context.options.drainTimeoutMs);
  }

  /** No request is waited for any more; those under way are answered. */
  closeIdle(): void {
    this.draining = true;
    this.finishDrain();
  }

  destroy(): void {
    this.close("destroyed");
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
    this.allowance.streams++;
    if (stream !== undefined) this.onTrailers(stream, last);
    else if (streamId <= this.lastStream) return;
    else this.onRequest(streamId, last, selfDependent);
  }

  writeStatus(streamId: number, status: number, headers: Fields, last: boolean): void {
    if (this.closing) return;
    const out = this.blocks.begin(this.encoder.bound(headers) + 16);
    const at = this.encoder.field(":status", statusTexts[status] ?? String(status), out, this.blocks.position);
    this.blocks.end(streamId, this.encoder.fields(headers, out, at), last);
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
    this.idleTimer.cancel();
    this.host.onClosed(this, reason);
  }

  protected override removed(): void {
    this.finished++;
    if (this.streams.size > 0) return;
    this.closeWhenIdle();
    this.armIdle();
  }

  /** Opening and resetting streams at once costs a client nothing and us a request each (CVE-2023-44487). Envoy's rule, with its numbers. */
  protected override peerReset(stream: Http2Stream): void {
    const { options, stats } = this.context;
    if ((stream as ServerStream).answered || this.lastActivity - stream.openedAt >= options.prematureResetMs) return;
    this.prematureResets++;
    const of = Math.max(this.finished, options.prematureResetStreams);
    if (options.prematureResetStreams === 0 || this.prematureResets * 2 < of) return;
    stats.prematureResets.inc();
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
      stats.streamRefused.inc();
      this.writeReset(streamId, ErrorCode.refusedStream);
      return;
    }
    const head = this.head.request(last);
    // First, since what was too large is missing in the head.
    if (this.head.tooLarge) {
      this.context.stats.headerOverflow.inc();
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
    const { maxRequestsPerConnection: limit, maxConnectionMs: life } = this.context.options;
    this.requestedAt = this.lastActivity;
    this.requests++;
    const old = life > 0 && this.lastActivity - this.createdAt > life;
    if (old || (limit > 0 && this.requests >= limit)) this.drain();
    const stream = this.enter(streamId, head, last);
    stream.handler = this.host.onStream(stream, head, last);
  }

  protected abstract newStream(id: number, head: StreamRequestHead): Stream;

  private enter(streamId: number, head: StreamRequestHead, last: boolean): Stream {
    const stream = this.newStream(streamId, head);
    this.streams.set(streamId, stream);
    if (last) stream.receiveEndWithHead();
    return stream;
  }

  /** A head past the limits Envoy resets; RFC 9113, 10.5.1 and RFC 6585, 5 have an answer for it, by which a client learns what was wrong. */
  private refuse(streamId: number, head: StreamRequestHead, last: boolean, status: number, detail: string): void {
    const stream = this.enter(streamId, { ...head, contentLength: -1 }, last);
    const refusal = { status, body: "", details: detail, protocolError: true };
    stream.handler = this.host.onRefused(stream, head, refusal);
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

  private armIdle(): void {
    const { connectionIdleMs } = this.context.options;
    if (connectionIdleMs > 0 && !this.closing && !this.idleTimer.armed) {
      this.context.timers.arm(this.idleTimer, connectionIdleMs);
    }
  }

  /** Re-armed lazily: a busy connection does not touch its timer. */
  private onIdle(): void {
    if (this.streams.size > 0 || this.closing) return;
    const { options, stats, timers } = this.context;
    const left = this.lastActivity + options.connectionIdleMs - performance.now();
    if (left > 0) {
      timers.arm(this.idleTimer, left);
      return;
    }
    stats.cxIdleTimeout.inc();
    this.drain();
  }

  private closeWhenIdle(): void {
    if (this.acceptedUpTo === maxStreamId || this.streams.size > 0) return;
    this.finish("drained");
  }
}

const maxStreamId = 0x7fffffff;
const drainPing = Buffer.from("draining", "latin1");

const nobody: BodyHandler = { onData() {}, onEnd() {}, onReset() {}, onDrain() {} };

/** What a stream asks of the connection that it answers on. */
interface Answering extends Http2Connection {
  writeStatus(streamId: number, status: number, headers: Fields, last: boolean): void;
}

/** One request of a client. */
export class ServerStream<Connection extends Answering = Answering> extends Http2Stream<Connection> {
  readonly protocol = "HTTP/2";
  answered = false;
  /** CONNECT, plain or extended, unless it is turned down: its halves end separately. */
  tunnel: boolean;
  private readonly upgrade: boolean;

  constructor(connection: Connection, id: number, head: StreamRequestHead) {
    super(connection, id, nobody);
    this.expectedBytes = head.contentLength;
    this.upgrade = head.upgrade !== "";
    this.tunnel = this.upgrade || head.method === "CONNECT";
    // What comes before the switch is the tunnel's: it waits, as it does on an HTTP/1 connection.
    if (this.upgrade) this.gate();
  }

  sendInformational(status: number, headers: Fields): void {
    if (!this.closed && !this.localEnded) this.connection.writeStatus(this.id, status, headers, false);
  }

  sendHead(head: StreamResponseHead, end: boolean): void {
    if (this.closed || this.localEnded) return;
    this.answered = true;
    // What is 101 in HTTP/1 is 200 here: RFC 8441, 5.
    const status = this.upgrade && head.status === 101 ? 200 : head.status;
    if (this.upgrade && head.status !== 101) this.tunnel = false;
    this.open();
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
