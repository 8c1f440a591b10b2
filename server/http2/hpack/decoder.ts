import { DynamicTable } from "./dynamic-table.ts";
import { kindOfName, kindOfValue } from "./field-kind.ts";
import { decodedBound, huffmanDecode } from "./huffman.ts";
import { staticCount, staticKinds, staticNames, staticValues } from "./static-table.ts";

/** Takes the fields of one block. */
export interface FieldSink {
  /**
   * @param kind a {@link FieldKind}, together with `invalidValue` where that holds
   * @param sensitive sent as "never indexed"
   */
  onField(name: string, value: string, kind: number, sensitive: boolean): void;
}

/** The size every connection starts with: RFC 9113, 6.5.2. */
export const defaultTableSize = 4096;

/** Reads header blocks: RFC 7541. One per connection, since each block changes the table that the next one refers to. */
export class HpackDecoder {
  private readonly table = new DynamicTable(defaultTableSize);
  /** What the peer may choose at most: ours as acknowledged. */
  private allowed = defaultTableSize;
  /** We allowed less than the table has: the next block must begin with the new size (RFC 7541, 4.2). */
  private mustShrink = false;
  private bytes: Buffer = nothing;
  private at = 0;
  private end = 0;
  /** Of the text read last. */
  private textKind = 0;

  /** Our SETTINGS_HEADER_TABLE_SIZE, once the peer has acknowledged it. */
  allow(size: number): void {
    this.allowed = size;
    if (this.table.maxSize > size) this.mustShrink = true;
  }

  /**
   * Reads the whole block `bytes[start, end)`. Strings are fresh or of the table: none refers to `bytes`.
   * @returns false: the block is broken, and with it the table; the connection cannot go on (COMPRESSION_ERROR)
   */
  decode(bytes: Buffer, start: number, end: number, sink: FieldSink): boolean {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    const { table } = this;
    let sizeUpdates = true;
    while (this.at < end) {
      const first = bytes[this.at] as number;
      if (sizeUpdates) {
        if ((first & 0xe0) === 0x20) {
          const size = this.integer(0x1f);
          if (size < 0 || size > this.allowed) return false;
          this.mustShrink = false;
          table.resize(size);
          continue;
        }
        if (this.mustShrink) return false;
        sizeUpdates = false;
      }
      if ((first & 0x80) !== 0) {
        const index = this.integer(0x7f);
        if (index <= 0) return false;
        if (index <= staticCount) {
          sink.onField(
            staticNames[index] as string,
            staticValues[index] as string,
            staticKinds[index] as number,
            false,
          );
        } else {
          const place = index - staticCount - 1;
          if (place >= table.count) return false;
          sink.onField(table.name(place), table.value(place), table.kind(place), false);
        }
        continue;
      }
      // RFC 7541, 6.2: with indexing (01), a size update out of place (001), never indexed (0001), without indexing (0000).
      if ((first & 0xe0) === 0x20 || !this.literal(first, sink)) return false;
    }
    this.bytes = nothing;
    return true;
  }

  private literal(first: number, sink: FieldSink): boolean {
    const { table } = this;
    const indexed = (first & 0x40) !== 0;
    const index = this.integer(indexed ? 0x3f : 0x0f);
    if (index < 0) return false;
    let name: string;
    let kind: number;
    if (index === 0) {
      const text = this.text();
      if (text === undefined) return false;
      name = text;
      kind = kindOfName(name);
    } else if (index <= staticCount) {
      name = staticNames[index] as string;
      kind = staticKinds[index] as number;
    } else {
      const place = index - staticCount - 1;
      if (place >= table.count) return false;
      name = table.name(place);
      kind = table.kind(place) & 0xff;
    }
    const value = this.text();
    if (value === undefined) return false;
    kind |= this.textKind;
    if (indexed) table.add(name, value, kind);
    sink.onField(name, value, kind, (first & 0xf0) === 0x10);
    return true;
  }

  /** An integer of RFC 7541, 5.1. @returns −1 when it is cut off or larger than anything here can be */
  private integer(mask: number): number {
    const { bytes } = this;
    let value = (bytes[this.at++] as number) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.at >= this.end) return -1;
      const byte = bytes[this.at++] as number;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return -1;
  }

  /** A string literal of RFC 7541, 5.2; its kind as a value is left in `textKind`. */
  private text(): string | undefined {
    if (this.at >= this.end) return undefined;
    const coded = ((this.bytes[this.at] as number) & 0x80) !== 0;
    const length = this.integer(0x7f);
    if (length < 0 || length > this.end - this.at) return undefined;
    const start = this.at;
    this.at += length;
    if (!coded) {
      this.textKind = kindOfValue(this.bytes, start, this.at);
      return toText(this.bytes, start, this.at);
    }
    const room = decodedBound(length);
    if (room > scratch.length) scratch = Buffer.allocUnsafeSlow(room);
    const written = huffmanDecode(this.bytes, start, this.at, scratch);
    if (written < 0) return undefined;
    this.textKind = kindOfValue(scratch, 0, written);
    return toText(scratch, 0, written);
  }
}

const toText = (bytes: Buffer, start: number, end: number): string =>
  start === end ? "" : bytes.toString("latin1", start, end);

const nothing: Buffer = Buffer.alloc(0);
/** Grows to the longest Huffman-coded string seen, which the block limit bounds. */
let scratch: Buffer = Buffer.allocUnsafeSlow(4096);
