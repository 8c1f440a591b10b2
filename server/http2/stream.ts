import type { Http2Connection } from "./connection.ts";
import { ErrorCode } from "./errors.ts";
import { defaultMaxFrame } from "./frames.ts";
import type { BodyHandler, Fields, StreamReset } from "./messages.ts";

/** One request and its response: windows, what waits for them, and the states of RFC 9113, 5.1. */
export class Http2Stream<C extends Http2Connection = Http2Connection> {
  /** 0 until it is begun. */
  id: number;
  readonly connection: C;
  handler: BodyHandler;
  sendWindow: number;
  receiveWindow: number;
  /** END_STREAM is written, or will be once the queue is. */
  localEnded = false;
  remoteEnded = false;
  /** Both directions have ended, or one side broke off: frames of it mean nothing any more. */
  closed = false;
  /** Closed by a reset of either side: nothing is told any more. */
  broken = false;
  /** Told to stop sending: wants `onDrain`. */
  stalled = false;
  /** Stands in the connection's list of those that wait to write. */
  listed = false;
  /** Of the request for HEAD, and of a status that has none: its content-length announces no bytes. */
  bodiless = false;
  /** −1: no length was told. */
  expectedBytes = -1;
  readonly openedAt: number;
  private receivedBytes = 0;
  /** Delivered, and not yet given back to the peer's window. */
  private consumedBytes = 0;
  private paused = false;
  /** Before a switch of protocols, whatever the handler says. */
  private gated = false;
  private held: Buffer[] | undefined = undefined;
  private heldEnd = false;
  private heldTrailers: Fields | undefined = undefined;
  private queue: Buffer[] | undefined = undefined;
  private queuedBytes = 0;
  private queuedEnd = false;
  private queuedTrailers: Fields | undefined = undefined;

  constructor(connection: C, id: number, handler: BodyHandler) {
    this.connection = connection;
    this.id = id;
    this.handler = handler;
    this.sendWindow = connection.peer.initialWindow;
    this.receiveWindow = connection.streamWindow;
    this.openedAt = connection.lastActivity;
  }

  /** As `DownstreamStream.sendData`. What windows and socket don't take is kept. */
  sendData(bytes: Buffer, start: number, end: number): boolean {
    if (this.closed || this.localEnded) return true;
    let at = start;
    if (this.queue === undefined) at = this.writeData(bytes, start, end, Number.MAX_SAFE_INTEGER);
    if (at < end) {
      const rest = Buffer.from(bytes.subarray(at, end));
      if (this.queue === undefined) this.queue = [rest];
      else this.queue.push(rest);
      this.queuedBytes += rest.length;
    } else if (!this.connection.writer.congested) {
      return true;
    }
    this.stall();
    return false;
  }

  sendEnd(trailers: Fields | undefined): void {
    if (this.closed || this.localEnded) return;
    this.localEnded = true;
    if (this.queue !== undefined) {
      this.queuedEnd = true;
      this.queuedTrailers = trailers;
      return;
    }
    this.writeEnd(trailers);
  }

  flush(): boolean {
    return !this.stalled && !this.connection.writer.congested;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.deliverHeld();
  }

  /** What comes now belongs to the protocol to be switched to, and waits until {@link open}. */
  protected gate(): void {
    this.gated = true;
  }

  protected open(): void {
    if (!this.gated) return;
    this.gated = false;
    // After whoever has just switched is done with that.
    queueMicrotask(() => this.deliverHeld());
  }

  private get stopped(): boolean {
    return this.paused || this.gated;
  }

  /** Breaks off with an error code; the handler is not told. */
  abort(code: number): void {
    this.releaseHeld();
    if (this.closed) return;
    this.connection.resetStream(this, code);
  }

  /** Whether a frame with so much data is allowed here. */
  takesData(payload: number): boolean {
    this.receivedBytes += payload;
    return this.expectedBytes < 0 || this.receivedBytes <= this.expectedBytes;
  }

  /** Data of the peer; it is checked already. */
  receiveData(bytes: Buffer, start: number, end: number): void {
    if (start === end) return;
    if (this.stopped || this.held !== undefined) {
      const copy = Buffer.from(bytes.subarray(start, end));
      if (this.held === undefined) this.held = [copy];
      else this.held.push(copy);
      return;
    }
    this.consume(end - start);
    this.handler.onData(bytes, start, end);
  }

  receiveEnd(trailers: Fields | undefined): void {
    if (this.expectedBytes >= 0 && this.receivedBytes !== this.expectedBytes && !this.bodiless) {
      this.connection.wrongLength(this);
      return;
    }
    this.remoteEnded = true;
    if (this.localEnded && !this.queuedEnd) this.connection.streamEnded(this);
    if (this.stopped || this.held !== undefined) {
      this.heldEnd = true;
      this.heldTrailers = trailers;
      return;
    }
    this.handler.onEnd(trailers);
  }

  /** No body follows the head. */
  receiveEndWithHead(): void {
    this.remoteEnded = true;
    if (this.localEnded && !this.queuedEnd) this.connection.streamEnded(this);
  }

  /** The stream has gone: nothing more is sent, and the handler hears it last. */
  receiveReset(reason: StreamReset, detail: string): void {
    this.forget();
    this.handler.onReset(reason, detail);
  }

  /** @returns whether everything that waited is written */
  writeQueue(budget: number): boolean {
    const { queue } = this;
    if (queue === undefined) return true;
    let left = budget;
    while (queue.length > 0 && left > 0) {
      const first = queue[0] as Buffer;
      const count = this.writeData(first, 0, first.length, left);
      left -= count;
      this.queuedBytes -= count;
      if (count < first.length) {
        if (count > 0) queue[0] = first.subarray(count);
        return false;
      }
      queue.shift();
    }
    if (queue.length > 0) return false;
    this.queue = undefined;
    if (this.queuedEnd) {
      this.queuedEnd = false;
      this.writeEnd(this.queuedTrailers);
    }
    return true;
  }

  /** Closed: drops what waits and gives the connection's window back what was held. */
  forget(): void {
    this.closed = true;
    this.broken = true;
    this.queue = undefined;
    this.queuedBytes = 0;
    this.queuedEnd = false;
    this.releaseHeld();
  }

  /** @returns how far it came */
  private writeData(bytes: Buffer, start: number, end: number, budget: number): number {
    const { connection } = this;
    const { writer } = connection;
    let at = start;
    let left = budget;
    while (at < end && left > 0 && !writer.congested) {
      const count = Math.min(end - at, this.sendWindow, connection.sendWindow, defaultMaxFrame, left);
      if (count <= 0) break;
      this.sendWindow -= count;
      connection.sendWindow -= count;
      connection.allowance.dataFramesSent++;
      writer.data(this.id, bytes, at, at + count, false);
      at += count;
      left -= count;
    }
    return at;
  }

  private writeEnd(trailers: Fields | undefined): void {
    const { connection } = this;
    if (trailers === undefined || trailers.length === 0) connection.writer.endStream(this.id);
    else connection.writeTrailers(this.id, trailers);
    if (this.remoteEnded) connection.streamEnded(this);
    else connection.localEnded(this);
  }

  private stall(): void {
    this.stalled = true;
    this.connection.list(this);
  }

  /** `count` bytes have been dealt with. The window is opened again in halves: an update for every frame would cost as much as the data. */
  consume(count: number): void {
    this.connection.consume(count);
    if (this.remoteEnded || this.closed) return;
    this.consumedBytes += count;
    if (this.consumedBytes * 2 < this.connection.streamWindow) return;
    this.receiveWindow += this.consumedBytes;
    this.connection.writeWindowUpdate(this.id, this.consumedBytes);
    this.consumedBytes = 0;
  }

  private deliverHeld(): void {
    while (this.held !== undefined && !this.stopped) {
      const first = this.held.shift();
      if (first === undefined) {
        this.held = undefined;
        break;
      }
      this.consume(first.length);
      this.handler.onData(first, 0, first.length);
    }
    if (this.stopped || !this.heldEnd) return;
    this.heldEnd = false;
    this.handler.onEnd(this.heldTrailers);
  }

  private releaseHeld(): void {
    this.heldEnd = false;
    if (this.held === undefined) return;
    let bytes = 0;
    for (const each of this.held) bytes += each.length;
    this.held = undefined;
    this.connection.consume(bytes);
  }
}

/** The code that says why we break a stream off: what Envoy sends, save that a broken message is never ended with NO_ERROR. */
export function resetCode(reason: StreamReset, server: boolean): number {
  switch (reason) {
    case "refused_stream":
      return ErrorCode.refusedStream;
    case "protocol_error":
      return ErrorCode.protocolError;
    default:
      return server ? ErrorCode.internalError : ErrorCode.cancel;
  }
}
