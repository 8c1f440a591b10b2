import { Detail, ErrorCode } from "./errors.ts";

/** Types and flags of RFC 9113, 6. */
export const FrameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goAway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const Flag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const frameHeaderBytes = 9;
/** Ours and what a peer takes at least: RFC 9113, 4.2. */
export const defaultMaxFrame = 16_384;

export const clientPreface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** What a {@link FrameReader} read. `bytes` are valid during the call only. */
export interface FrameSink {
  /** A DATA frame begins; its `length`, padding included, counts against the windows, `payload` is without. */
  onDataFrame(streamId: number, length: number, payload: number): void;
  /** Part of its data; the last call of each frame says `last`, also when nothing is left. */
  onData(streamId: number, flags: number, bytes: Buffer, start: number, end: number, last: boolean): void;
  /** A whole field block, its CONTINUATION frames included. */
  onHeaders(streamId: number, flags: number, selfDependent: boolean, bytes: Buffer, start: number, end: number): void;
  /** A whole frame of another type that RFC 9113 knows, of a size that it allows. */
  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void;
  /** The connection cannot go on. Nothing is told after it. */
  onFault(code: number, detail: string): void;
}

export interface ReaderLimits {
  maxFrame: number;
  /** Compressed bytes of one field block. */
  maxBlock: number;
  /** CONTINUATION frames of one block: many small ones cost more than they carry (CVE-2024-27316). */
  maxContinuations: number;
  /** Envoy's max_consecutive_inbound_frames_with_empty_payload. */
  maxEmptyFrames: number;
}

const Stage = { preface: 0, header: 1, padLength: 2, data: 3, skip: 4, gather: 5, stopped: 6 } as const;

/** Takes a byte stream apart, however it is cut; only frames that a cut goes through are copied. DATA is passed on as it comes. */
export class FrameReader {
  private readonly sink: FrameSink;
  private readonly limits: ReaderLimits;
  private stage: number;
  private prefaceSeen = 0;
  private readonly header = Buffer.allocUnsafe(frameHeaderBytes);
  private headerSeen = 0;
  private type = 0;
  private flags = 0;
  private streamId = 0;
  private length = 0;
  /** Payload bytes to come, without the padding at the end of DATA. */
  private left = 0;
  private padding = 0;
  private gathered: Buffer | undefined = undefined;
  private gatheredBytes = 0;
  /** The stream whose field block goes on, and what its HEADERS frame said; 0: none. */
  private blockStream = 0;
  private blockFlags = 0;
  private blockSelfDependent = false;
  private block: Buffer | undefined = undefined;
  private blockBytes = 0;
  private continuations = 0;
  private emptyFrames = 0;

  constructor(sink: FrameSink, limits: ReaderLimits, expectPreface: boolean) {
    this.sink = sink;
    this.limits = limits;
    this.stage = expectPreface ? Stage.preface : Stage.header;
  }

  /** Whether a frame or the preface is still under way. */
  get inFrame(): boolean {
    return this.stage !== Stage.header || this.headerSeen > 0 || this.blockStream !== 0;
  }

  /** Nothing more is read, the rest of the bytes at hand included. */
  stop(): void {
    this.stage = Stage.stopped;
    this.gathered = undefined;
    this.block = undefined;
  }

  read(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (this.stage !== Stage.stopped) {
      switch (this.stage) {
        case Stage.header:
          at = this.readHeader(bytes, at, end);
          if (this.stage === Stage.header && at === end) return;
          break;
        case Stage.data: {
          const count = Math.min(this.left, end - at);
          if (count === 0 && this.left > 0) return;
          this.left -= count;
          const last = this.left === 0;
          if (last) this.skip(this.padding);
          this.sink.onData(this.streamId, this.flags, bytes, at, at + count, last);
          at += count;
          break;
        }
        case Stage.gather:
          if (at === end) return;
          at = this.gather(bytes, at, end);
          break;
        case Stage.skip: {
          const count = Math.min(this.left, end - at);
          this.left -= count;
          at += count;
          if (this.left > 0) return;
          this.stage = Stage.header;
          break;
        }
        case Stage.padLength:
          if (at === end) return;
          this.beginData(bytes[at++] as number);
          break;
        default:
          at = this.readPreface(bytes, at, end);
          if (this.stage === Stage.preface) return;
      }
    }
  }

  private readPreface(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.prefaceSeen < clientPreface.length) {
      if (bytes[at++] !== clientPreface[this.prefaceSeen++]) {
        this.fault(ErrorCode.protocolError);
        return at;
      }
    }
    if (this.prefaceSeen === clientPreface.length) this.stage = Stage.header;
    return at;
  }

  /** Reads a frame's header and, when it is all there, its payload. */
  private readHeader(bytes: Buffer, start: number, end: number): number {
    let header = bytes;
    let from = start;
    let at = start + frameHeaderBytes;
    if (this.headerSeen > 0 || at > end) {
      const count = Math.min(frameHeaderBytes - this.headerSeen, end - start);
      bytes.copy(this.header, this.headerSeen, start, start + count);
      this.headerSeen += count;
      at = start + count;
      if (this.headerSeen < frameHeaderBytes) return at;
      this.headerSeen = 0;
      header = this.header;
      from = 0;
    }
    const length =
      ((header[from] as number) << 16) | ((header[from + 1] as number) << 8) | (header[from + 2] as number);
    const type = header[from + 3] as number;
    const flags = header[from + 4] as number;
    const streamId =
      (((header[from + 5] as number) & 0x7f) << 24) |
      ((header[from + 6] as number) << 16) |
      ((header[from + 7] as number) << 8) |
      (header[from + 8] as number);
    this.length = length;
    this.type = type;
    this.flags = flags;
    this.streamId = streamId;
    const code = length > this.limits.maxFrame ? ErrorCode.frameSizeError : this.check(type, flags, length, streamId);
    if (code !== ErrorCode.noError) {
      this.fault(code);
      return at;
    }
    if (type === FrameType.data) {
      if ((flags & Flag.padded) !== 0) this.stage = Stage.padLength;
      else this.beginData(-1);
      return at;
    }
    if (type > FrameType.continuation) {
      // RFC 9113, 4.1: unknown types are ignored.
      this.skip(length);
      return at;
    }
    if (end - at >= length) {
      this.whole(bytes, at, at + length);
      return at + length;
    }
    this.gathered = Buffer.allocUnsafe(length);
    this.gatheredBytes = 0;
    this.stage = Stage.gather;
    return at;
  }

  /** What can be told from a frame's header. @returns an error code of the connection; 0: none */
  private check(type: number, flags: number, length: number, streamId: number): number {
    if (this.blockStream !== 0 && (type !== FrameType.continuation || streamId !== this.blockStream)) {
      return ErrorCode.protocolError;
    }
    switch (type) {
      case FrameType.data:
        if (streamId === 0) return ErrorCode.protocolError;
        return (flags & Flag.padded) !== 0 && length === 0 ? ErrorCode.frameSizeError : ErrorCode.noError;
      case FrameType.headers:
      case FrameType.priority:
      case FrameType.pushPromise:
        return streamId === 0 ? ErrorCode.protocolError : ErrorCode.noError;
      case FrameType.continuation:
        return this.blockStream === 0 ? ErrorCode.protocolError : ErrorCode.noError;
      case FrameType.rstStream:
        if (streamId === 0) return ErrorCode.protocolError;
        return length === 4 ? ErrorCode.noError : ErrorCode.frameSizeError;
      case FrameType.windowUpdate:
        return length === 4 ? ErrorCode.noError : ErrorCode.frameSizeError;
      case FrameType.settings:
        if (streamId !== 0) return ErrorCode.protocolError;
        return length % 6 === 0 && ((flags & Flag.ack) === 0 || length === 0)
          ? ErrorCode.noError
          : ErrorCode.frameSizeError;
      case FrameType.ping:
        if (streamId !== 0) return ErrorCode.protocolError;
        return length === 8 ? ErrorCode.noError : ErrorCode.frameSizeError;
      case FrameType.goAway:
        if (streamId !== 0) return ErrorCode.protocolError;
        return length >= 8 ? ErrorCode.noError : ErrorCode.frameSizeError;
      default:
        return ErrorCode.noError;
    }
  }

  /** @param padding −1: not padded */
  private beginData(padding: number): void {
    const { length } = this;
    const pad = padding < 0 ? 0 : padding;
    const payload = padding < 0 ? length : length - 1 - pad;
    if (payload < 0) {
      this.fault(ErrorCode.protocolError);
      return;
    }
    if (!this.noteSize(payload, (this.flags & Flag.endStream) !== 0)) return;
    this.left = payload;
    this.padding = pad;
    this.stage = Stage.data;
    this.sink.onDataFrame(this.streamId, length, payload);
  }

  private skip(count: number): void {
    this.left = count;
    this.stage = count === 0 ? Stage.header : Stage.skip;
  }

  private gather(bytes: Buffer, at: number, end: number): number {
    const gathered = this.gathered as Buffer;
    const count = Math.min(this.length - this.gatheredBytes, end - at);
    bytes.copy(gathered, this.gatheredBytes, at, at + count);
    this.gatheredBytes += count;
    if (this.gatheredBytes === this.length) {
      this.gathered = undefined;
      this.stage = Stage.header;
      this.whole(gathered, 0, this.length);
    }
    return at + count;
  }

  private whole(bytes: Buffer, start: number, end: number): void {
    if (this.type === FrameType.headers) this.headers(bytes, start, end);
    else if (this.type === FrameType.continuation) this.continuation(bytes, start, end);
    else this.sink.onFrame(this.type, this.flags, this.streamId, bytes, start, end);
  }

  private headers(bytes: Buffer, start: number, end: number): void {
    const { flags, streamId } = this;
    let from = start;
    let to = end;
    if ((flags & Flag.padded) !== 0) {
      if (from === to) {
        this.fault(ErrorCode.frameSizeError);
        return;
      }
      to -= bytes[from++] as number;
    }
    let selfDependent = false;
    if ((flags & Flag.priority) !== 0) {
      if (from + 5 > end) {
        this.fault(ErrorCode.frameSizeError);
        return;
      }
      selfDependent = (bytes.readUInt32BE(from) & 0x7fffffff) === streamId;
      from += 5;
    }
    if (from > to) {
      this.fault(ErrorCode.protocolError);
      return;
    }
    if (!this.noteSize(to - from, (flags & Flag.endStream) !== 0)) return;
    if ((flags & Flag.endHeaders) !== 0) {
      this.sink.onHeaders(streamId, flags, selfDependent, bytes, from, to);
      return;
    }
    this.blockStream = streamId;
    this.blockFlags = flags;
    this.blockSelfDependent = selfDependent;
    this.blockBytes = 0;
    this.continuations = 0;
    this.append(bytes, from, to);
  }

  private continuation(bytes: Buffer, start: number, end: number): void {
    if (++this.continuations > this.limits.maxContinuations) {
      this.fault(ErrorCode.enhanceYourCalm, Detail.inboundFlood);
      return;
    }
    if (!this.noteSize(end - start, false) || !this.append(bytes, start, end)) return;
    if ((this.flags & Flag.endHeaders) === 0) return;
    const { block, blockStream } = this;
    this.blockStream = 0;
    this.block = undefined;
    this.sink.onHeaders(blockStream, this.blockFlags, this.blockSelfDependent, block as Buffer, 0, this.blockBytes);
  }

  private append(bytes: Buffer, start: number, end: number): boolean {
    const needed = this.blockBytes + end - start;
    if (needed > this.limits.maxBlock) {
      // Not decoded, so the HPACK table is lost: the connection with it.
      this.fault(ErrorCode.enhanceYourCalm, Detail.tooManyHeaders);
      return false;
    }
    let block = this.block ?? Buffer.allocUnsafe(Math.max(needed, 1024));
    if (needed > block.length) {
      const larger = Buffer.allocUnsafe(Math.min(Math.max(needed, block.length * 2), this.limits.maxBlock));
      block.copy(larger, 0, 0, this.blockBytes);
      block = larger;
    }
    bytes.copy(block, this.blockBytes, start, end);
    this.block = block;
    this.blockBytes = needed;
    return true;
  }

  /** Frames that carry nothing are a cheap way to keep somebody busy (CVE-2019-9518). @returns false: too many */
  private noteSize(payload: number, endStream: boolean): boolean {
    if (payload > 0 || endStream) this.emptyFrames = 0;
    else if (++this.emptyFrames > this.limits.maxEmptyFrames) {
      this.fault(ErrorCode.enhanceYourCalm, Detail.emptyFramesFlood);
      return false;
    }
    return true;
  }

  private fault(code: number, detail: string = Detail.protocol): void {
    this.stop();
    this.sink.onFault(code, detail);
  }
}
