import type { Column, Columns } from "../columns/column.ts";

/** Seconds of telemetry are a few megabytes at the most; larger ones grow it. */
const firstBytes = 64 << 10;
const signature = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");
const headerBytes = signature.length + 8;

/**
 * Rows as `COPY … FROM STDIN (FORMAT binary)` takes them, column by column into one buffer.
 * https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4
 */
export class CopyRows<R> {
  readonly columns: Columns<R>;
  #bytes = Buffer.allocUnsafe(firstBytes);
  #at = headerBytes;
  #rows = 0;

  constructor(columns: Columns<R>) {
    this.columns = columns;
    signature.copy(this.#bytes);
    this.#bytes.writeInt32BE(0, signature.length); // no flags
    this.#bytes.writeInt32BE(0, signature.length + 4); // no extension
  }

  get rows(): number {
    return this.#rows;
  }

  add(row: R): void {
    this.#rows++;
    this.#reserve(2);
    this.#at = this.#bytes.writeInt16BE(this.columns.length, this.#at);
    for (const column of this.columns) this.#write(column, row);
  }

  #write(column: Column<R>, row: R): void {
    switch (column.type) {
      case "int2":
        this.#int2(column.of(row));
        break;
      case "int4":
        this.#int4(column.of(row));
        break;
      case "int8":
        this.#int8(column.of(row));
        break;
      case "text":
        this.#text(column.of(row));
        break;
      case "bytes":
        this.#binary(column.of(row));
        break;
      case "hex":
        this.#hex(column.of(row));
        break;
    }
  }

  /** SMALLINT. */
  #int2(value: number): void {
    this.#reserve(6);
    const at = this.#bytes.writeInt32BE(2, this.#at);
    this.#at = this.#bytes.writeInt16BE(value, at);
  }

  /** INTEGER. */
  #int4(value: number): void {
    this.#reserve(8);
    const at = this.#bytes.writeInt32BE(4, this.#at);
    this.#at = this.#bytes.writeInt32BE(value, at);
  }

  /** BIGINT, of a safe integer. */
  #int8(value: number): void {
    this.#reserve(12);
    const at = this.#bytes.writeInt32BE(8, this.#at);
    this.#bytes.writeInt32BE(Math.floor(value / 2 ** 32), at);
    this.#at = this.#bytes.writeUInt32BE((value % 2 ** 32) >>> 0, at + 4);
  }

  /** BYTEA. */
  #binary(value: Uint8Array): void {
    this.#reserve(4 + value.length);
    this.#at = this.#bytes.writeInt32BE(value.length, this.#at);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** BYTEA, of hex digits. */
  #hex(value: string): void {
    this.#reserve(4 + (value.length >> 1));
    const written = this.#bytes.write(value, this.#at + 4, "hex");
    this.#bytes.writeInt32BE(written, this.#at);
    this.#at += 4 + written;
  }

  /** TEXT; see `storable`. */
  #text(value: string): void {
    this.#reserve(4 + value.length * 3);
    const bytes = this.#bytes;
    const start = this.#at + 4;
    let at = start;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit === 0 || unit > 127) {
        at = start + bytes.write(storable(value), start, "utf8");
        break;
      }
      bytes[at++] = unit;
    }
    bytes.writeInt32BE(at - start, this.#at);
    this.#at = at;
  }

  /** All of it, with the trailer. */
  finish(): Buffer {
    this.#reserve(2);
    this.#at = this.#bytes.writeInt16BE(-1, this.#at);
    return this.#bytes.subarray(0, this.#at);
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + more));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

/** PostgreSQL's texts can't hold the character U+0000; what is searched for is changed just so. */
export const storable = (text: string): string => (text.includes("\0") ? text.replaceAll("\0", "\ufffd") : text);
