import { hexValues, tokenChars, valueChars } from "../../lib/http-chars.ts";
import type { HttpParseError } from "./errors.ts";

/**
 * Walks a chunked body (RFC 9112, 7.1) without decoding it: the bytes are forwarded as they came, once every one of them was found
 * to be what the grammar says. So the next hop cannot read another framing than this one did.
 */
export class ChunkedScanner {
  /** Decoded body bytes so far. */
  dataBytes = 0;
  done = false;
  error: HttpParseError | undefined = undefined;
  private state: number = SIZE_START;
  private remaining = 0;
  /** Bytes of the current size line, or of all trailers: bounded. */
  private overhead = 0;
  /** Set to have the trailers collected, flat and in lower case. */
  trailers: string[] | undefined = undefined;
  private trailerName = "";
  private trailerValue = "";

  reset(): void {
    this.dataBytes = 0;
    this.done = false;
    this.error = undefined;
    this.state = SIZE_START;
    this.remaining = 0;
    this.overhead = 0;
    this.trailers = undefined;
    this.trailerValue = "";
  }

  /**
   * @param ranges receives [start, end] of the data inside, for a peer that cannot take chunks
   * @returns the position after the last byte of the body; `done` and `error` say how it stopped
   */
  scan(bytes: Buffer, from: number, end: number, ranges?: number[]): number {
    let at = from;
    while (at < end) {
      if (this.state === DATA) {
        const take = Math.min(this.remaining, end - at);
        ranges?.push(at, at + take);
        this.remaining -= take;
        this.dataBytes += take;
        at += take;
        if (this.remaining === 0) this.state = DATA_CR;
        continue;
      }
      const next = this.step(bytes[at] as number);
      at++;
      if (next === FAILED) return at;
      this.state = next;
      if (next === END) {
        this.done = true;
        return at;
      }
    }
    return at;
  }

  private step(byte: number): number {
    if (++this.overhead > MAX_OVERHEAD) return this.fail("http1.invalid_chunk");
    switch (this.state) {
      case SIZE_START:
      case SIZE:
        return this.size(byte);
      case SIZE_LF:
        if (byte !== LF) return this.fail("http1.invalid_chunk");
        if (this.remaining === 0) return TRAILER_START;
        this.overhead = 0;
        return DATA;
      case DATA_CR:
        return byte === CR ? DATA_LF : this.fail("http1.invalid_chunk");
      case DATA_LF:
        return byte === LF ? SIZE_START : this.fail("http1.invalid_chunk");
      case EXT_START:
      case EXT_NAME:
      case EXT_NAME_END:
      case EXT_VALUE_START:
      case EXT_VALUE:
      case EXT_QUOTED:
      case EXT_ESCAPED:
      case EXT_VALUE_END:
        return this.extension(byte);
      default:
        return this.trailer(byte);
    }
  }

  private size(byte: number): number {
    const digit = hexValues[byte] as number;
    if (digit !== 255) {
      this.remaining = this.remaining * 16 + digit;
      return this.remaining <= Number.MAX_SAFE_INTEGER / 16 ? SIZE : this.fail("http1.invalid_chunk");
    }
    if (this.state === SIZE_START) return this.fail("http1.invalid_chunk");
    if (byte === CR) return SIZE_LF;
    // White space before the semicolon is "bad" in the RFC's own words; accept only what is safe to repeat.
    return byte === SEMICOLON ? EXT_START : this.fail("http1.invalid_chunk");
  }

  /** RFC 9112, 7.1.1: `;name`, `;name=token`, `;name="quoted"`, with white space around the signs. */
  private extension(byte: number): number {
    const blank = byte === SP || byte === HT;
    const token = tokenChars[byte] !== 0;
    switch (this.state) {
      case EXT_START:
        return token ? EXT_NAME : blank ? EXT_START : this.fail("http1.invalid_chunk");
      case EXT_NAME:
        return token ? EXT_NAME : byte === EQUALS ? EXT_VALUE_START : this.extensionEnd(byte, blank, EXT_NAME_END);
      case EXT_NAME_END:
        if (byte === EQUALS) return EXT_VALUE_START;
        return blank || byte === SEMICOLON
          ? this.extensionEnd(byte, blank, EXT_NAME_END)
          : this.fail("http1.invalid_chunk");
      case EXT_VALUE_START:
        if (byte === QUOTE) return EXT_QUOTED;
        return token ? EXT_VALUE : blank ? EXT_VALUE_START : this.fail("http1.invalid_chunk");
      case EXT_VALUE:
        return token ? EXT_VALUE : this.extensionEnd(byte, blank, EXT_VALUE_END);
      case EXT_QUOTED:
        if (byte === QUOTE) return EXT_VALUE_END;
        if (byte === BACKSLASH) return EXT_ESCAPED;
        return valueChars[byte] === 1 ? EXT_QUOTED : this.fail("http1.invalid_chunk");
      case EXT_ESCAPED:
        return valueChars[byte] === 1 ? EXT_QUOTED : this.fail("http1.invalid_chunk");
      default:
        return this.extensionEnd(byte, blank, EXT_VALUE_END);
    }
  }

  private extensionEnd(byte: number, blank: boolean, after: number): number {
    if (byte === CR) return SIZE_LF;
    if (byte === SEMICOLON) return EXT_START;
    return blank ? after : this.fail("http1.invalid_chunk");
  }

  private trailer(byte: number): number {
    switch (this.state) {
      case TRAILER_START:
        if (byte === CR) return END_LF;
        this.trailerName = "";
        return this.trailerNameByte(byte);
      case TRAILER_NAME:
        if (byte !== 0x3a) return this.trailerNameByte(byte);
        return forbiddenTrailers.has(this.trailerName) ? this.fail("http1.invalid_trailer") : TRAILER_VALUE;
      case TRAILER_VALUE:
        if (byte === CR) {
          this.trailers?.push(this.trailerName, this.trailerValue.trim());
          this.trailerValue = "";
          return TRAILER_LF;
        }
        if (valueChars[byte] !== 1) return this.fail("http1.invalid_trailer");
        if (this.trailers !== undefined) this.trailerValue += String.fromCharCode(byte);
        return TRAILER_VALUE;
      case TRAILER_LF:
        return byte === LF ? TRAILER_START : this.fail("http1.invalid_trailer");
      default:
        return byte === LF ? END : this.fail("http1.invalid_trailer");
    }
  }

  private trailerNameByte(byte: number): number {
    if (tokenChars[byte] === 0) return this.fail("http1.invalid_trailer");
    this.trailerName += String.fromCharCode(byte).toLowerCase();
    return TRAILER_NAME;
  }

  private fail(error: HttpParseError): number {
    this.error = error;
    return FAILED;
  }
}

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HT = 0x09;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** A size line with its extensions, or all trailers. */
const MAX_OVERHEAD = 16 * 1024;

const SIZE_START = 0;
const SIZE = 1;
const SIZE_LF = 3;
const DATA = 4;
const DATA_CR = 5;
const DATA_LF = 6;
const TRAILER_START = 7;
const TRAILER_NAME = 8;
const TRAILER_VALUE = 9;
const TRAILER_LF = 10;
const END_LF = 11;
const END = 12;
const FAILED = 13;
const EXT_START = 14;
const EXT_NAME = 15;
const EXT_NAME_END = 16;
const EXT_VALUE_START = 17;
const EXT_VALUE = 18;
const EXT_QUOTED = 19;
const EXT_ESCAPED = 20;
const EXT_VALUE_END = 21;

/** RFC 9110, 6.5.1: fields for framing, routing and authentication must not come late. */
const forbiddenTrailers = new Set([
  "content-length",
  "transfer-encoding",
  "host",
  "connection",
  "trailer",
  "te",
  "upgrade",
  "authorization",
  "content-encoding",
  "content-type",
  "content-range",
]);
