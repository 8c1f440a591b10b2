/**
 * Writes protobuf's wire format forward into one growing buffer. For the access-log hot path only: everything else uses protobuf-es.
 * A nested message's length is written once the message is done, into a gap left before it; see {@link ProtoWriter.begin}.
 * https://protobuf.dev/programming-guides/encoding/
 */
export class ProtoWriter {
  buffer: Buffer;
  position = 0;

  constructor(size = 16_384) {
    this.buffer = Buffer.allocUnsafeSlow(size);
  }

  reset(): void {
    this.position = 0;
  }

  /** What was written, to keep; the next is written anew. */
  take(): Buffer {
    const written = Buffer.from(this.buffer.subarray(0, this.position));
    this.reset();
    return written;
  }

  /** Makes room for `bytes` more; the low-level writers below rely on their caller having asked. */
  reserve(bytes: number): void {
    const needed = this.position + bytes;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.position);
    this.buffer = grown;
  }

  /** A varint of a non-negative integer below 2^53. */
  varint(value: number): void {
    this.reserve(8);
    const buffer = this.buffer;
    let position = this.position;
    while (value > 0x7f_ff_ff_ff) {
      buffer[position++] = (value % 128) | 0x80;
      value = Math.floor(value / 128);
    }
    while (value > 0x7f) {
      buffer[position++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    buffer[position++] = value;
    this.position = position;
  }

  /** A varint field; zero is proto3's default and not written. `tag` is `field << 3`. */
  uint(tag: number, value: number): void {
    if (value <= 0) return;
    this.varint(tag);
    this.varint(value);
  }

  bool(tag: number, value: boolean): void {
    if (value) this.uint(tag, 1);
  }

  /** A string field; empty is proto3's default and not written. `tag` is `field << 3 | 2`. */
  string(tag: number, value: string): void {
    if (value.length === 0) return;
    this.varint(tag);
    this.text(value);
  }

  /** A length and UTF-8 text. Short ASCII, which is nearly all there is, costs no call out of JavaScript. */
  text(value: string): void {
    const length = value.length;
    this.reserve(length * 3 + 8);
    const buffer = this.buffer;
    const start = this.position;
    if (length < 48) {
      let position = start + 1;
      for (let index = 0; index < length; index++) {
        const code = value.charCodeAt(index);
        if (code > 0x7f) {
          this.#unicode(value);
          return;
        }
        buffer[position++] = code;
      }
      buffer[start] = length;
      this.position = position;
      return;
    }
    this.#unicode(value);
  }

  #unicode(value: string): void {
    const start = this.position;
    const guess = varintSize(value.length);
    const written = this.buffer.write(value, start + guess, "utf8");
    const size = varintSize(written);
    if (size !== guess) this.buffer.copyWithin(start + size, start + guess, start + guess + written);
    this.varint(written);
    this.position = start + size + written;
  }

  /** Copies bytes made earlier, such as a constant field. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.position);
    this.position += bytes.length;
  }

  /**
   * Begins a nested message: its tag, and room for a length of one byte. Give the returned mark to {@link end}, which moves the
   * body up where the length needs more; messages are a few hundred bytes, so the move costs less than measuring them first.
   */
  begin(tag: number): number {
    this.varint(tag);
    this.reserve(1);
    return ++this.position;
  }

  end(mark: number): void {
    const length = this.position - mark;
    if (length < 0x80) {
      this.buffer[mark - 1] = length;
      return;
    }
    const size = varintSize(length);
    this.reserve(size);
    this.buffer.copyWithin(mark + size - 1, mark, mark + length);
    this.position = mark - 1;
    this.varint(length);
    this.position += length;
  }
}

export const varintSize = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;

/** A length-delimited field around bytes that are encoded already. */
export function delimited(number: number, ...parts: readonly Uint8Array[]): Buffer {
  const head = new ProtoWriter(16);
  head.varint((number << 3) | 2);
  head.varint(parts.reduce((sum, part) => sum + part.length, 0));
  return Buffer.concat([head.take(), ...parts]);
}
