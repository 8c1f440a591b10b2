/** Where messages are put together. */
export interface BufferAllocator {
  allocate(bytes: number): Buffer;
  /** What was allocated is not looked at any more. */
  release(buffer: Buffer): void;
}

/** For whoever keeps what it was told, or parts of it. */
export const freshBuffers: BufferAllocator = { allocate: (bytes) => Buffer.allocUnsafe(bytes), release() {} };

const leastBytes = 64 << 10;
/** Larger ones are not kept. */
const largestBytes = 4 << 20;
/** Kept for what is to come. */
const maxSpareBytes = 8 << 20;

/**
 * Buffers for large messages, used again. Fresh memory for each costs more than reading it: the system clears every page of it, and V8 looks through
 * the whole heap for what of it may go.
 */
export class BufferPool implements BufferAllocator {
  /** By size, a power of two. */
  readonly #spare = new Map<number, ArrayBuffer[]>();
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #spareBytes = 0;

  allocate(bytes: number): Buffer {
    if (bytes > largestBytes) return Buffer.allocUnsafe(bytes);
    const size = Math.max(leastBytes, 2 ** Math.ceil(Math.log2(bytes)));
    const found = this.#spare.get(size)?.pop();
    if (found) this.#spareBytes -= size;
    const memory = found ?? Buffer.allocUnsafeSlow(size).buffer;
    this.#lent.add(memory);
    return Buffer.from(memory, 0, bytes);
  }

  release({ buffer }: Buffer): void {
    if (!this.#lent.delete(buffer)) return;
    const size = buffer.byteLength;
    if (this.#spareBytes + size > maxSpareBytes) return;
    this.#spareBytes += size;
    const alike = this.#spare.get(size) ?? [];
    this.#spare.set(size, alike);
    alike.push(buffer as ArrayBuffer);
  }
}
