import type { Socket } from "node:net";
import { Flag, FrameType, frameHeaderBytes } from "./frames.ts";

/** Room for the largest frame that is written, and for a turn's worth of small ones. */
const chunkBytes = 32 * 1024;
const maxSpare = 64;
const spare: Buffer[] = [];

/** Written at once, without waiting for the end of the turn. */
const eagerBytes = 128 * 1024;

/** Who has something to write in this turn of the event loop. */
let waiting: FrameWriter[] = [];

function flushAll(): void {
  const writers = waiting;
  waiting = [];
  for (const writer of writers) writer.flushTurn();
}

/**
 * Writes the frames of one connection into pooled buffers, and these to the socket once per turn of the event loop: all that a turn's reads brought, of
 * whatever connection, then goes out in one system call per socket.
 */
export class FrameWriter {
  private readonly socket: Socket;
  private readonly bytes: { inc(by: number): void };
  /** TLS encrypts later than it takes bytes, so it gets a copy and the buffer stays here. */
  private readonly copies: boolean;
  private chunk: Buffer | undefined = undefined;
  private at = 0;
  private full: Buffer[] = [];
  private fullBytes = 0;
  private scheduled = false;
  /** The stream that the last frame belongs to, if END_STREAM can still be set on it, and where its flags are. */
  private lastStream = 0;
  private lastFlags = 0;
  /** Frames of this turn, and acknowledgements and resets among them; then those that the socket may not have sent yet. */
  private frames = 0;
  private controlFrames = 0;
  private sentFrames = 0;
  private sentControlFrames = 0;

  constructor(socket: Socket, bytes: { inc(by: number): void }) {
    this.socket = socket;
    this.bytes = bytes;
    this.copies = "encrypted" in socket;
  }

  /** The peer reads too slowly: nothing but control frames, until the socket says `drain`. */
  get congested(): boolean {
    return this.socket.writableNeedDrain;
  }

  /** Whether more frames than allowed wait for a peer that doesn't read: Envoy's outbound flood. */
  overflows(maxFrames: number, maxControlFrames: number): boolean {
    if (this.sentFrames + this.frames <= maxFrames && this.sentControlFrames + this.controlFrames <= maxControlFrames) {
      return false;
    }
    // Those of this turn have not had their chance yet.
    this.flush();
    return this.sentFrames > maxFrames || this.sentControlFrames > maxControlFrames;
  }

  /**
   * Room for `bytes` (at most {@link chunkBytes}) in one piece; to be filled from the offset returned in {@link buffer} before the next call.
   */
  reserve(bytes: number): number {
    if (this.chunk === undefined) this.chunk = spare.pop() ?? Buffer.allocUnsafeSlow(chunkBytes);
    else if (this.at + bytes > chunkBytes) this.nextChunk();
    if (!this.scheduled) this.schedule();
    this.lastStream = 0;
    this.frames++;
    const { at } = this;
    this.at += bytes;
    return at;
  }

  get buffer(): Buffer {
    return this.chunk as Buffer;
  }

  /** Gives back what was reserved from `end` on. */
  shrink(end: number): void {
    this.at = end;
  }

  data(streamId: number, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const length = end - start;
    const at = this.reserve(frameHeaderBytes + length);
    const chunk = this.chunk as Buffer;
    writeHeader(chunk, at, length, FrameType.data, endStream ? Flag.endStream : 0, streamId);
    if (length > shortCopy)
      chunk.set(length === bytes.length ? bytes : bytes.subarray(start, end), at + frameHeaderBytes);
    else for (let i = 0; i < length; i++) chunk[at + frameHeaderBytes + i] = bytes[start + i] as number;
    if (!endStream) this.endable(streamId, at);
  }

  /** Notes that the frame at `at`, the last one written, could still take END_STREAM. */
  endable(streamId: number, at: number): void {
    this.lastStream = streamId;
    this.lastFlags = at + 4;
  }

  /** Ends a stream: by a flag on its last frame where that has not left yet, or else with an empty DATA frame. */
  endStream(streamId: number): void {
    if (this.lastStream === streamId && streamId !== 0) {
      const chunk = this.chunk as Buffer;
      chunk[this.lastFlags] = (chunk[this.lastFlags] as number) | Flag.endStream;
      this.lastStream = 0;
      return;
    }
    const at = this.reserve(frameHeaderBytes);
    writeHeader(this.chunk as Buffer, at, 0, FrameType.data, Flag.endStream, streamId);
  }

  /** A frame whose payload is one number. */
  number(type: number, streamId: number, value: number): void {
    const at = this.reserve(frameHeaderBytes + 4);
    const chunk = this.chunk as Buffer;
    writeHeader(chunk, at, 4, type, 0, streamId);
    chunk.writeUInt32BE(value, at + frameHeaderBytes);
    if (type === FrameType.rstStream) this.controlFrames++;
  }

  /** A frame with a payload of at most 16 KiB. */
  payload(type: number, flags: number, streamId: number, bytes: Buffer, start = 0, end = bytes.length): void {
    const at = this.reserve(frameHeaderBytes + end - start);
    const chunk = this.chunk as Buffer;
    writeHeader(chunk, at, end - start, type, flags, streamId);
    bytes.copy(chunk, at + frameHeaderBytes, start, end);
    if ((type === FrameType.ping || type === FrameType.settings) && (flags & Flag.ack) !== 0) this.controlFrames++;
  }

  goAway(lastStream: number, code: number): void {
    const at = this.reserve(frameHeaderBytes + 8);
    const chunk = this.chunk as Buffer;
    writeHeader(chunk, at, 8, FrameType.goAway, 0, 0);
    chunk.writeUInt32BE(lastStream, at + frameHeaderBytes);
    chunk.writeUInt32BE(code, at + frameHeaderBytes + 4);
  }

  /** Bytes as they are, such as the client's preface. */
  raw(bytes: Buffer): void {
    const at = this.reserve(bytes.length);
    bytes.copy(this.chunk as Buffer, at);
  }

  /** The turn is over. */
  flushTurn(): void {
    this.scheduled = false;
    this.flush();
  }

  /** Writes what waits, now. */
  flush(): void {
    const { chunk, at, full, socket } = this;
    if (chunk === undefined) return;
    this.chunk = undefined;
    this.at = 0;
    this.lastStream = 0;
    if (socket.destroyed || socket.writableEnded) {
      this.drop();
      return;
    }
    if (socket.writableLength === 0) this.noneWaiting();
    this.sentFrames += this.frames;
    this.sentControlFrames += this.controlFrames;
    this.frames = 0;
    this.controlFrames = 0;
    this.bytes.inc(at + this.fullBytes);
    let reusable = true;
    if (full.length > 0) {
      this.full = [];
      this.fullBytes = 0;
      socket.cork();
      for (const each of full) socket.write(each);
      socket.write(chunk.subarray(0, at));
      socket.uncork();
      reusable = !this.copies;
    } else if (this.copies) {
      const copy = Buffer.allocUnsafe(at);
      chunk.copy(copy, 0, 0, at);
      socket.write(copy);
    } else {
      socket.write(chunk.subarray(0, at));
    }
    if (socket.writableLength === 0) this.noneWaiting();
    else if (!this.copies) reusable = false;
    // Nobody looks at this buffer any more: the kernel has all of it, or TLS its copy.
    if (reusable && spare.length < maxSpare) spare.push(chunk);
  }

  /** Forgets what was not written. */
  drop(): void {
    this.chunk = undefined;
    this.full = [];
    this.fullBytes = 0;
    this.at = 0;
  }

  private noneWaiting(): void {
    this.sentFrames = 0;
    this.sentControlFrames = 0;
  }

  private nextChunk(): void {
    if (this.fullBytes + this.at >= eagerBytes) {
      this.flush();
    } else {
      this.full.push((this.chunk as Buffer).subarray(0, this.at));
      this.fullBytes += this.at;
      this.at = 0;
    }
    this.chunk = spare.pop() ?? Buffer.allocUnsafeSlow(chunkBytes);
  }

  private schedule(): void {
    this.scheduled = true;
    if (waiting.push(this) === 1) setImmediate(flushAll);
  }
}

/** Below this a loop is faster than a call out of JavaScript. */
const shortCopy = 64;

export function writeHeader(
  out: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  out[at] = length >>> 16;
  out[at + 1] = (length >>> 8) & 0xff;
  out[at + 2] = length & 0xff;
  out[at + 3] = type;
  out[at + 4] = flags;
  out[at + 5] = (streamId >>> 24) & 0x7f;
  out[at + 6] = (streamId >>> 16) & 0xff;
  out[at + 7] = (streamId >>> 8) & 0xff;
  out[at + 8] = streamId & 0xff;
}
