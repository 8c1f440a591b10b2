import { type BufferAllocator, freshBuffers } from "./buffer-pool.ts";

/** What comes of a message's bytes; asked and told during {@link MessageReader.take}. */
export interface MessageSink {
  /** Whether a large message may come in now; if not, the reader stops in front of it, and asks again when it goes on. */
  admits(bytes: number): boolean;
  /** In room that the sink gives back, or keeps. */
  onMessage(bytes: Buffer, compressed: boolean): void;
  /** Nothing is read after it. */
  onTooLarge(bytes: number): void;
  /** Nothing more is wanted at the moment. */
  readonly stopped: boolean;
}

const headBytes = 5;
/** Smaller messages come as they come. */
const largeBytes = 32 << 10;
/** What is announced is believed so far; the rest is given room as it comes. */
const believedBytes = 1 << 20;

/**
 * gRPC messages out of DATA, however it is cut: each byte is copied once, to its place in its message.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests
 */
export class MessageReader {
  readonly #sink: MessageSink;
  readonly #maxBytes: number;
  /** Of large messages. */
  readonly #buffers: BufferAllocator;
  readonly #head = Buffer.allocUnsafe(headBytes);
  #headSeen = 0;
  #length = 0;
  #body: Buffer | undefined = undefined;
  #seen = 0;

  constructor(sink: MessageSink, maxBytes: number, buffers = freshBuffers) {
    this.#sink = sink;
    this.#maxBytes = maxBytes;
    this.#buffers = buffers;
  }

  /** Whether a message has begun that is not whole. */
  get inMessage(): boolean {
    return this.#headSeen > 0;
  }

  /** @returns how far it came; what is left is to be brought again once the sink wants more */
  take(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (!this.#sink.stopped) {
      if (this.#body === undefined) {
        at = this.#readHead(bytes, at, end);
        if (this.#headSeen < headBytes || !this.#begin()) return at;
      }
      at = this.#readBody(bytes, at, end);
      if (this.#seen < this.#length) return at;
      this.#finish();
      if (at === end) return at;
    }
    return at;
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    const count = Math.min(headBytes - this.#headSeen, end - start);
    for (let i = 0; i < count; i++) this.#head[this.#headSeen++] = bytes[start + i] as number;
    return start + count;
  }

  /** @returns false: it may not come in, or not yet */
  #begin(): boolean {
    this.#length = this.#head.readUInt32BE(1);
    if (this.#length > this.#maxBytes) {
      this.#sink.onTooLarge(this.#length);
      return false;
    }
    if (this.#length > largeBytes && !this.#sink.admits(this.#length)) return false;
    const buffers = this.#length > largeBytes ? this.#buffers : freshBuffers;
    this.#body = buffers.allocate(Math.min(this.#length, believedBytes));
    this.#seen = 0;
    return true;
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    const count = Math.min(this.#length - this.#seen, end - start);
    const body = this.#roomFor(this.#seen + count);
    bytes.copy(body, this.#seen, start, start + count);
    this.#seen += count;
    return start + count;
  }

  #roomFor(bytes: number): Buffer {
    let body = this.#body as Buffer;
    if (bytes > body.length) {
      const larger = this.#buffers.allocate(Math.min(this.#length, Math.max(bytes, 2 * body.length)));
      body.copy(larger, 0, 0, this.#seen);
      this.#buffers.release(body);
      body = larger;
      this.#body = larger;
    }
    return body;
  }

  #finish(): void {
    const body = this.#body as Buffer;
    this.#body = undefined;
    this.#headSeen = 0;
    this.#sink.onMessage(body, ((this.#head[0] as number) & 1) === 1);
  }
}
