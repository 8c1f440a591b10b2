import type { Transform } from "node:stream";
import type { Zlib } from "node:zlib";

/** Node's streams of zlib, as they are used here: there is no public way to have a piece at once, and a filter's hooks are synchronous. */
interface Inner extends Transform {
  _handle: { close(): void } | null;
  _processChunk(chunk: Buffer, flush: number): Buffer | null;
}

/**
 * Compresses or decompresses piece by piece, at once. A piece costs the loop what it would cost a thread of its own to be told of it; compressing behind the back
 * of the stream would need a queue for every body. Node closes a codec with its first synchronous call, because it expects no second one: that is held off here.
 */
export class SyncCodec {
  private readonly inner: Inner;
  private readonly closeHandle: () => void;
  private closed = false;

  constructor(inner: Transform & Zlib) {
    this.inner = inner as unknown as Inner;
    const { _handle: handle } = this.inner;
    if (handle === null) throw new Error("the codec is closed");
    this.closeHandle = handle.close.bind(handle);
    handle.close = () => {};
    // It is thrown as well.
    this.inner.on("error", () => {});
  }

  /** @param flush of zlib's constants. Throws what zlib says of broken data, ERR_BUFFER_TOO_LARGE past `maxOutputLength`. */
  push(chunk: Buffer, flush: number): Buffer {
    const { inner } = this;
    const { _handle: handle } = inner;
    try {
      return Buffer.from(inner._processChunk(chunk, flush) ?? []);
    } finally {
      inner._handle = handle;
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.closeHandle();
    this.inner._handle = null;
  }
}
