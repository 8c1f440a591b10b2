/**
 * Reads protobuf's wire format without building messages: `next()` goes from field to field, and what is not asked for is skipped. Throws
 * RangeError where the bytes are no message. https://protobuf.dev/programming-guides/encoding/
 */
export class ProtoReader {
  field = 0;
  #wireType = 0;
  #at = 0;
  #end = 0;
  #bytes: Buffer = Buffer.alloc(0);
  /** Where the value of the current field begins, and whether it was read. */
  #read = true;

  reset(bytes: Buffer, start = 0, end = bytes.length): this {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#read = true;
    return this;
  }

  /** Goes on to the next field; false at the end. */
  next(): boolean {
    if (!this.#read) this.#skip();
    if (this.#at >= this.#end) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.#wireType = tag % 8;
    this.#read = false;
    return true;
  }

  /** The current field as a number; what is past 2⁵³ is not exact. Negative numbers come as very large ones. */
  uint(): number {
    this.#expect(0);
    return this.#varint();
  }

  /** A signed integer of 64 bits, not exact past ±2⁵³. */
  int(): number {
    const value = this.uint();
    return value >= 2 ** 63 ? value - 2 ** 64 : value;
  }

  bool(): boolean {
    return this.uint() !== 0;
  }

  fixed64(): bigint {
    this.#expect(1);
    const at = this.#take(8);
    return this.#bytes.readBigUInt64LE(at);
  }

  double(): number {
    this.#expect(1);
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  /** The current field's bytes as a range of the source; the reader goes on behind it. */
  range(): Range {
    const start = this.#length();
    return { bytes: this.#bytes, start, end: this.#at };
  }

  /** Points `reader` at the message that the current field holds. */
  message(reader: ProtoReader): ProtoReader {
    const start = this.#length();
    return reader.reset(this.#bytes, start, this.#at);
  }

  string(): string {
    const start = this.#length();
    return this.#bytes.toString("utf8", start, this.#at);
  }

  /** A text that is mostly the one that stood here before: then nothing is decoded and nothing is made. */
  text(slot: TextSlot): string {
    const start = this.#length();
    return slot.of(this.#bytes, start, this.#at);
  }

  #length(): number {
    this.#expect(2);
    const length = this.#varint();
    return this.#take(length);
  }

  #take(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) throw new RangeError("a protobuf field is cut off");
    this.#at = start + length;
    return start;
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType || this.#read) {
      throw new RangeError(`protobuf field ${this.field} has wire type ${this.#wireType}, not ${wireType}`);
    }
    this.#read = true;
  }

  #skip(): void {
    this.#read = true;
    if (this.#wireType === 0) this.#varint();
    else if (this.#wireType === 1) this.#take(8);
    else if (this.#wireType === 2) this.#take(this.#varint());
    else if (this.#wireType === 5) this.#take(4);
    else throw new RangeError(`protobuf wire type ${this.#wireType} is not used`);
  }

  #varint(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    let byte = bytes[at] as number;
    if (byte < 128 && at < this.#end) {
      this.#at = at + 1;
      return byte;
    }
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (at >= this.#end || scale > 2 ** 63) throw new RangeError("a protobuf number is cut off or too long");
      byte = bytes[at++] as number;
      value += (byte & 127) * scale;
      if (byte < 128) break;
    }
    this.#at = at;
    return value;
  }
}

export interface Range {
  bytes: Buffer;
  start: number;
  end: number;
}

/** Remembers the last text of a field, by its bytes. */
export class TextSlot {
  #bytes: Buffer = Buffer.alloc(0);
  #text = "";

  of(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    const known = this.#bytes;
    if (known.length === length && known.compare(bytes, start, end) === 0) return this.#text;
    // A copy: the source is a network buffer that would be held whole.
    this.#bytes = Buffer.from(bytes.subarray(start, end));
    this.#text = bytes.toString("utf8", start, end);
    return this.#text;
  }
}
