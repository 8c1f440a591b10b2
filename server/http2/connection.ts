import type { Socket } from "node:net";
import type { WheelTimer } from "../lib/timer-wheel.ts";
import { BlockWriter } from "./block-writer.ts";
import { Detail, ErrorCode } from "./errors.ts";
import { FrameWriter } from "./frame-writer.ts";
import { defaultMaxFrame, Flag, FrameReader, type FrameSink, FrameType } from "./frames.ts";
import { HeadReader } from "./head-reader.ts";
import { HpackDecoder } from "./hpack/decoder.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import type { Http2Stats } from "./http2-stats.ts";
import { InboundAllowance } from "./inbound-allowance.ts";
import { Keepalive } from "./keepalive.ts";
import type { Fields, StreamReset } from "./messages.ts";
import type { Http2Options } from "./options.ts";
import { RecentIds } from "./recent-ids.ts";
import { SendQueue } from "./send-queue.ts";
import { connectionWindow, defaultWindow, maxWindow, PeerSettings, settingsPayload, streamWindow } from "./settings.ts";
import type { Http2Stream } from "./stream.ts";

/** What a connection needs of the world. */
export interface Http2Context {
  readonly options: Http2Options;
  readonly stats: Http2Stats;
  readonly timers: { arm(timer: WheelTimer, ms: number): void };
}

/** What client and server have in common: frames in and out, windows, settings, PING, GOAWAY. RFC 9113. */
export abstract class Http2Connection implements FrameSink {
  readonly peer = new PeerSettings();
  readonly writer: FrameWriter;
  readonly streamWindow: number;
  readonly allowance: InboundAllowance;
  sendWindow = defaultWindow;
  /** Monotonic ms of the last read. */
  lastActivity = performance.now();
  protected readonly context: Http2Context;
  protected readonly socket: Socket;
  protected readonly encoder: HpackEncoder;
  protected readonly blocks: BlockWriter;
  protected readonly decoder = new HpackDecoder();
  protected readonly head: HeadReader;
  protected readonly reader: FrameReader;
  protected readonly streams = new Map<number, Http2Stream>();
  /** GOAWAY was sent or the socket broke: no frame is read any more. */
  protected closing = false;
  protected closed = false;
  /** Whether any byte came. */
  protected heard = false;
  private closeReason = "";
  /** What an error of the socket said. */
  private failure = "";
  /** The stream of the DATA frame under way; undefined: its bytes are only counted. */
  private dataStream: Http2Stream | undefined = undefined;
  private dataLeft = 0;
  private receiveWindow = defaultWindow;
  private readonly window: number;
  private consumedBytes = 0;
  private settled = false;
  private readonly waiting = new SendQueue();
  private readonly recentResets = new RecentIds();
  protected readonly keepalive: Keepalive;

  constructor(socket: Socket, context: Http2Context, server: boolean) {
    const { options } = context;
    this.socket = socket;
    this.context = context;
    this.writer = new FrameWriter(socket, context.stats.txBytes);
    this.encoder = new HpackEncoder(options.hpackTableSize);
    this.blocks = new BlockWriter(this.writer, this.encoder);
    this.allowance = new InboundAllowance(options);
    this.head = new HeadReader(options);
    this.streamWindow = streamWindow(options);
    this.window = connectionWindow(options);
    const maxBlock = 2 * options.maxHeaderBytes + options.maxHeaders * 8;
    const limits = {
      maxFrame: defaultMaxFrame,
      maxBlock,
      maxContinuations: 8 + Math.ceil(maxBlock / defaultMaxFrame),
      maxEmptyFrames: options.maxEmptyFrames,
    };
    this.reader = new FrameReader(this, limits, server);
    this.keepalive = new Keepalive(context, options.keepalive, {
      ping: (payload) => this.writePing(payload),
      expired: () => {
        context.stats.keepaliveTimeout.inc();
        this.fail(ErrorCode.noError, Detail.pingTimeout);
      },
    });
    socket.on("error", (error) => {
      this.failure ||= this.nameFailure(error);
    });
    socket.on("end", () => this.close(this.endReason()));
    socket.on("close", () => this.close(this.failure || "closed"));
    socket.on("drain", () => this.writeWaiting());
  }

  get active(): number {
    return this.streams.size;
  }

  /** Takes bytes of the socket; they are valid during the call only. */
  receive(bytes: Buffer, start = 0, end = bytes.length): void {
    if (this.closed || this.closing) return;
    this.lastActivity = performance.now();
    this.heard = true;
    this.context.stats.rxBytes.inc(end - start);
    this.reader.read(bytes, start, end);
    this.readComplete();
    this.checkOutbound();
    this.writer.flush();
  }

  /** Breaks off at once. Open streams hear `connection_termination`. */
  close(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    this.closing = true;
    this.reader.stop();
    this.keepalive.stop();
    this.writer.drop();
    this.socket.destroy();
    this.abandonStreams("connection_termination", reason);
    this.ended(this.closeReason || reason);
  }

  // What streams ask for.

  /** The connection's part of flow control: `count` bytes have been dealt with. */
  consume(count: number): void {
    this.consumedBytes += count;
    if (this.consumedBytes * 2 < this.window || this.closing) return;
    this.receiveWindow += this.consumedBytes;
    this.writeWindowUpdate(0, this.consumedBytes);
    this.consumedBytes = 0;
  }

  writeWindowUpdate(streamId: number, increment: number): void {
    if (!this.closing) this.writer.number(FrameType.windowUpdate, streamId, increment);
  }

  /** The stream waits for a window or for the socket. */
  list(stream: Http2Stream): void {
    this.waiting.add(stream);
  }

  /** Sends RST_STREAM; the handler is not told. */
  resetStream(stream: Http2Stream, code: number): void {
    this.writeReset(stream.id, code);
    this.remove(stream);
    stream.forget();
  }

  /** Both directions have ended. */
  streamEnded(stream: Http2Stream): void {
    this.remove(stream);
  }

  /** Ours has ended, the peer's not yet. */
  localEnded(_stream: Http2Stream): void {}

  /** A message broke the rules of HTTP: by the options, its stream ends or the connection does. */
  malformed(stream: Http2Stream | undefined, detail: string, streamId = stream?.id ?? 0): void {
    const { options, stats } = this.context;
    stats.rxMessagingError.inc();
    if (!options.streamErrorOnInvalidMessaging) {
      this.fail(ErrorCode.protocolError, detail);
      return;
    }
    this.streamError(streamId, stream, ErrorCode.protocolError, detail);
  }

  /** A body is not what its content-length says, or comes before a head: this much Envoy, too, forgives the connection. */
  wrongLength(stream: Http2Stream): void {
    this.context.stats.rxMessagingError.inc();
    this.streamError(stream.id, stream, ErrorCode.protocolError, Detail.messaging);
  }

  writeTrailers(streamId: number, trailers: Fields): void {
    this.context.stats.trailers.inc();
    const out = this.blocks.begin(this.encoder.bound(trailers));
    this.blocks.end(streamId, this.encoder.fields(trailers, out, this.blocks.position), true);
  }

  // What the reader says.

  onDataFrame(streamId: number, length: number, payload: number): void {
    this.dataLeft = length;
    this.dataStream = undefined;
    this.receiveWindow -= length;
    if (!this.checkSettled(FrameType.data)) return;
    if (this.receiveWindow < 0) {
      this.fail(ErrorCode.flowControlError, Detail.protocol);
      return;
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdle(streamId)) this.fail(ErrorCode.protocolError, Detail.protocol);
      else if (!this.recentResets.has(streamId))
        this.streamError(streamId, undefined, ErrorCode.streamClosed, Detail.protocol);
      return;
    }
    if (stream.remoteEnded) {
      this.streamError(streamId, stream, ErrorCode.streamClosed, Detail.protocol);
      return;
    }
    stream.receiveWindow -= length;
    if (stream.receiveWindow < 0) {
      this.streamError(streamId, stream, ErrorCode.flowControlError, Detail.protocol);
      return;
    }
    if (stream.takesData(payload)) this.dataStream = stream;
    else this.wrongLength(stream);
  }

  onData(_streamId: number, flags: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const stream = this.dataStream;
    this.dataLeft -= end - start;
    if (stream === undefined || stream.closed) this.consume(end - start);
    else stream.receiveData(bytes, start, end);
    if (!last) return;
    // What is left is padding: it counts, but nobody sees it.
    if (this.dataLeft > 0) {
      if (stream === undefined) this.consume(this.dataLeft);
      else stream.consume(this.dataLeft);
    }
    this.dataStream = undefined;
    if ((flags & Flag.endStream) !== 0 && stream !== undefined && !stream.closed) stream.receiveEnd(undefined);
  }

  abstract onHeaders(
    streamId: number,
    flags: number,
    selfDependent: boolean,
    bytes: Buffer,
    start: number,
    end: number,
  ): void;

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (!this.checkSettled(type)) return;
    switch (type) {
      case FrameType.settings:
        this.onSettings(flags, bytes, start, end);
        break;
      case FrameType.windowUpdate:
        this.onWindowUpdate(streamId, bytes.readUInt32BE(start) & 0x7fffffff);
        break;
      case FrameType.rstStream:
        this.onRstStream(streamId, bytes.readUInt32BE(start));
        break;
      case FrameType.ping:
        if ((flags & Flag.ack) !== 0) this.onPingAck(bytes, start);
        else this.writer.payload(FrameType.ping, Flag.ack, 0, bytes, start, end);
        break;
      case FrameType.priority:
        this.onPriority(streamId, bytes, start, end);
        break;
      case FrameType.goAway:
        this.onGoAway(bytes.readUInt32BE(start) & 0x7fffffff, bytes.readUInt32BE(start + 4));
        break;
      default:
        // PUSH_PROMISE: clients may not send it, and servers were told not to.
        this.fail(ErrorCode.protocolError, Detail.protocol);
    }
  }

  onFault(code: number, detail: string): void {
    const { stats } = this.context;
    if (detail === Detail.emptyFramesFlood) stats.inboundEmptyFramesFlood.inc();
    else if (detail === Detail.tooManyHeaders) stats.headerOverflow.inc();
    this.fail(code, detail);
  }

  // What client and server do in their own ways.

  protected abstract readonly isClient: boolean;
  /** Whether no stream of this id has been begun yet. */
  protected abstract isIdle(streamId: number): boolean;
  protected abstract onGoAway(lastStream: number, code: number): void;
  /** For GOAWAY. */
  protected abstract get lastPeerStream(): number;
  /** The socket is closed and all streams have been told; called once. */
  protected abstract ended(reason: string): void;
  /** What an error of the socket is called. */
  protected nameFailure(error: NodeJS.ErrnoException): string {
    return error.code ?? error.message;
  }

  protected endReason(): string {
    return "remote close";
  }

  /** All that one read brought has been told. */
  protected readComplete(): void {}
  /** A stream was taken out of the table. */
  protected removed(_stream: Http2Stream): void {}
  protected peerReset(_stream: Http2Stream): void {}
  protected settingsChanged(): void {}
  protected onDrainPing(): void {}

  // Shared tools.

  protected writePreface(preface: Buffer | undefined, server: boolean): void {
    if (preface !== undefined) this.writer.raw(preface);
    this.writer.payload(FrameType.settings, 0, 0, settingsPayload(this.context.options, server));
    if (this.window > this.receiveWindow) {
      this.writer.number(FrameType.windowUpdate, 0, this.window - this.receiveWindow);
      this.receiveWindow = this.window;
    }
  }

  /** @returns false: the block is broken, and the connection with it */
  protected decodeHead(bytes: Buffer, start: number, end: number): boolean {
    this.head.reset();
    if (this.decoder.decode(bytes, start, end, this.head)) return true;
    this.fail(ErrorCode.compressionError, Detail.protocol);
    return false;
  }

  /** GOAWAY with an error, then the end. Open streams are told. */
  protected fail(code: number, detail: string): void {
    if (this.closing) return;
    if (code !== ErrorCode.noError) this.context.stats.cxProtocolError.inc();
    this.writeGoAway(this.lastPeerStream, code);
    this.finish(detail);
  }

  /** Sends what is written and closes. */
  protected finish(reason: string): void {
    if (this.closing) return;
    const { options } = this.context;
    this.closing = true;
    this.reader.stop();
    this.keepalive.stop();
    this.writer.flush();
    this.abandonStreams("connection_termination", reason);
    this.socket.end();
    // Unread bytes would turn the close into a reset, and the peer might never see the GOAWAY.
    this.socket.resume();
    this.closeReason = reason;
    this.context.timers.arm(
      this.keepalive.closeTimer(() => this.close(reason)),
      options.delayedCloseMs,
    );
  }

  protected writeGoAway(lastStream: number, code: number): void {
    this.context.stats.goAwaySent.inc();
    this.writer.goAway(lastStream, code);
  }

  protected writeReset(streamId: number, code: number): void {
    if (this.closing) return;
    this.context.stats.txReset.inc();
    this.recentResets.add(streamId);
    this.writer.number(FrameType.rstStream, streamId, code);
  }

  protected writePing(payload: Buffer): void {
    if (!this.closing) this.writer.payload(FrameType.ping, 0, 0, payload);
  }

  /** RST_STREAM for something the peer did; the handler is told. */
  protected streamError(streamId: number, stream: Http2Stream | undefined, code: number, detail: string): void {
    this.writeReset(streamId, code);
    if (stream === undefined || stream.closed) return;
    this.remove(stream);
    stream.receiveReset("protocol_error", detail);
  }

  protected wasReset(streamId: number): boolean {
    return this.recentResets.has(streamId);
  }

  protected remove(stream: Http2Stream): void {
    if (!this.streams.delete(stream.id)) return;
    stream.closed = true;
    this.removed(stream);
  }

  protected checkSettled(type: number): boolean {
    if (this.settled) return true;
    // RFC 9113, 3.4: SETTINGS is the first frame of either side.
    if (type !== FrameType.settings) {
      this.fail(ErrorCode.protocolError, Detail.protocol);
      return false;
    }
    this.settled = true;
    return true;
  }

  private onSettings(flags: number, bytes: Buffer, start: number, end: number): void {
    if ((flags & Flag.ack) !== 0) {
      this.decoder.allow(this.context.options.hpackTableSize);
      return;
    }
    const { peer } = this;
    const before = peer.initialWindow;
    const code = peer.apply(bytes, start, end, this.isClient);
    if (code !== ErrorCode.noError) {
      this.fail(code, Detail.protocol);
      return;
    }
    this.encoder.setMaxSize(peer.headerTableSize);
    const difference = peer.initialWindow - before;
    if (difference !== 0) {
      for (const stream of this.streams.values()) {
        stream.sendWindow += difference;
        if (stream.sendWindow > maxWindow) {
          this.fail(ErrorCode.flowControlError, Detail.protocol);
          return;
        }
      }
    }
    this.writer.payload(FrameType.settings, Flag.ack, 0, noBytes);
    this.settingsChanged();
    if (difference > 0) this.writeWaiting();
  }

  private onWindowUpdate(streamId: number, increment: number): void {
    const { stats } = this.context;
    if (!this.allowance.takeWindowUpdate()) {
      stats.inboundWindowUpdateFramesFlood.inc();
      this.fail(ErrorCode.enhanceYourCalm, Detail.inboundFlood);
      return;
    }
    if (streamId === 0) {
      this.sendWindow += increment;
      if (increment === 0) this.fail(ErrorCode.protocolError, Detail.protocol);
      else if (this.sendWindow > maxWindow) this.fail(ErrorCode.flowControlError, Detail.protocol);
      else this.writeWaiting();
      return;
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdle(streamId)) this.fail(ErrorCode.protocolError, Detail.protocol);
      return;
    }
    stream.sendWindow += increment;
    if (increment === 0) this.streamError(streamId, stream, ErrorCode.protocolError, Detail.protocol);
    else if (stream.sendWindow > maxWindow)
      this.streamError(streamId, stream, ErrorCode.flowControlError, Detail.protocol);
    else if (stream.listed) this.writeWaiting();
  }

  private onRstStream(streamId: number, code: number): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdle(streamId)) this.fail(ErrorCode.protocolError, Detail.protocol);
      return;
    }
    this.context.stats.rxReset.inc();
    this.remove(stream);
    if (code === ErrorCode.refusedStream) stream.receiveReset("refused_stream", Detail.remoteRefused);
    else stream.receiveReset("remote_reset", Detail.remoteReset);
    this.peerReset(stream);
  }

  private onPriority(streamId: number, bytes: Buffer, start: number, end: number): void {
    const { stats } = this.context;
    if (!this.allowance.takePriority()) {
      stats.inboundPriorityFramesFlood.inc();
      this.fail(ErrorCode.enhanceYourCalm, Detail.inboundFlood);
      return;
    }
    // Priorities are not followed (RFC 9113, 5.3.2), only checked.
    const stream = this.streams.get(streamId);
    if (end - start !== 5) this.streamError(streamId, stream, ErrorCode.frameSizeError, Detail.protocol);
    else if ((bytes.readUInt32BE(start) & 0x7fffffff) === streamId) {
      this.streamError(streamId, stream, ErrorCode.protocolError, Detail.protocol);
    }
  }

  private onPingAck(bytes: Buffer, start: number): void {
    if (this.keepalive.onAck(bytes, start)) return;
    this.onDrainPing();
  }

  /** A peer that doesn't read what it makes us say (CVE-2019-9512, 9515) is not waited for; it wouldn't read a GOAWAY either. */
  private checkOutbound(): void {
    const { options, stats } = this.context;
    if (this.closing || !this.writer.overflows(options.maxOutboundFrames, options.maxOutboundControlFrames)) return;
    stats.outboundFlood.inc();
    this.close(Detail.outboundFlood);
  }

  private writeWaiting(): void {
    if (!this.closing) this.waiting.write(this);
  }

  private abandonStreams(reason: StreamReset, detail: string): void {
    const streams = [...this.streams.values()];
    for (const stream of streams) this.remove(stream);
    for (const stream of streams) stream.receiveReset(reason, detail);
  }
}

const noBytes = Buffer.alloc(0);
