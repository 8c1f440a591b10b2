import { type FlatHeaders, removeHeader } from "../http/headers.ts";
import { ChunkedScanner } from "./chunked.ts";
import type { HttpParseError } from "./errors.ts";
import {
  type MessageHead,
  newRequestHead,
  newResponseHead,
  parseRequestHead,
  parseResponseHead,
  type RequestHead,
  type ResponseHead,
} from "./head.ts";

/** What {@link MessageParser.next} found. */
export const ParseEvent = { needMore: 0, head: 1, body: 2, done: 3, error: 4 } as const;
export type ParseEvent = (typeof ParseEvent)[keyof typeof ParseEvent];

export interface ParserLimits {
  /** Start line and fields. */
  maxHeadBytes: number;
  maxHeaders: number;
}

/** Envoy's defaults: max_request_headers_kb 60 and 100 headers. */
export const defaultLimits: ParserLimits = { maxHeadBytes: 60 * 1024, maxHeaders: 100 };

/**
 * An incremental HTTP/1.1 parser that is pulled: the owner of the socket calls `next` until it says `needMore`, and so decides itself when the
 * next pipelined message may begin, and can put head and body into one write. After each call `position` is where to go on.
 */
export abstract class MessageParser {
  position = 0;
  /** After `body`: the wire bytes to forward, chunk framing included. */
  bodyStart = 0;
  bodyEnd = 0;
  /** Decoded body bytes of the message so far. */
  bodyBytes = 0;
  error: HttpParseError | undefined = undefined;
  /** The decoded ranges of the last `body` event of a chunked body; undefined: not asked for. */
  ranges: number[] | undefined = undefined;
  protected readonly limits: ParserLimits;
  private readonly chunked = new ChunkedScanner();
  private state: number = HEAD;
  private remaining = 0;
  private partial: Buffer | undefined = undefined;
  private partialLength = 0;

  constructor(limits: ParserLimits) {
    this.limits = limits;
  }

  abstract readonly head: MessageHead;
  protected abstract parseHead(bytes: Buffer, start: number, end: number): HttpParseError | undefined;
  /** @returns one of the FRAMING_ constants, or ≥ 0 for a length */
  protected abstract framing(): number;

  /** Whether part of a message has been read. */
  get inMessage(): boolean {
    return this.state !== HEAD || this.partialLength > 0;
  }

  /** Whether the body ends when the peer closes. */
  get untilClose(): boolean {
    return this.state === UNTIL_CLOSE;
  }

  /** Asks for the ranges of data and for the trailers of the message whose head was just read. */
  decode(): void {
    if (this.state !== CHUNKED) return;
    this.ranges = [];
    this.chunked.trailers = [];
  }

  /** Of the message that is done, where they were asked for and there are any. */
  get trailers(): FlatHeaders | undefined {
    const { trailers } = this.chunked;
    return trailers === undefined || trailers.length === 0 ? undefined : trailers;
  }

  /** Whether the message whose head was just read has no body. */
  get atEnd(): boolean {
    return this.state === DONE;
  }

  /** Takes the `done` of a message without a body in advance. */
  skipDone(): void {
    if (this.state === DONE) this.state = HEAD;
  }

  next(bytes: Buffer, from: number, end: number): ParseEvent {
    this.position = from;
    switch (this.state) {
      case HEAD:
        return this.nextHead(bytes, from, end);
      case LENGTH:
        return this.nextOfLength(from, end);
      case CHUNKED:
        return this.nextChunked(bytes, from, end);
      case UNTIL_CLOSE:
        if (from === end) return ParseEvent.needMore;
        this.take(from, end);
        this.bodyBytes += end - from;
        return ParseEvent.body;
      case DONE:
        this.state = HEAD;
        return ParseEvent.done;
      default:
        return ParseEvent.error;
    }
  }

  private nextHead(bytes: Buffer, from: number, end: number): ParseEvent {
    if (this.partialLength > 0) return this.resumeHead(bytes, from, end);
    let start = from;
    // RFC 9112, 2.2: empty lines before a start line are ignored.
    while (start < end && (bytes[start] === CR || bytes[start] === LF)) {
      if (bytes[start] === CR && start + 1 < end && bytes[start + 1] !== LF)
        return this.fail("http1.invalid_characters");
      if (bytes[start] === LF && (start === from || bytes[start - 1] !== CR)) return this.fail("http1.bare_line_feed");
      if (bytes[start] === CR && start + 1 === end) break;
      start++;
    }
    this.position = start;
    if (start === end) return ParseEvent.needMore;
    const blank = bytes.indexOf(emptyLine, start);
    if (blank === -1 || blank + 4 > end) return this.keepPartial(bytes, start, end);
    return this.headFound(bytes, start, blank + 4, blank + 4);
  }

  private headFound(bytes: Buffer, start: number, end: number, position: number): ParseEvent {
    if (end - start > this.limits.maxHeadBytes) return this.fail("headers_too_large");
    const error = this.parseHead(bytes, start, end);
    if (error !== undefined) return this.fail(error);
    this.position = position;
    const framing = this.framing();
    this.bodyBytes = 0;
    if (framing > 0) {
      this.state = LENGTH;
      this.remaining = framing;
    } else if (framing === 0) {
      this.state = DONE;
    } else if (framing === FRAMING_CHUNKED) {
      this.state = CHUNKED;
      this.ranges = undefined;
      this.chunked.reset();
    } else {
      this.state = UNTIL_CLOSE;
    }
    return ParseEvent.head;
  }

  /** A head in pieces is collected in one buffer that doubles, so that a peer who sends byte by byte costs linear work. */
  private keepPartial(bytes: Buffer, start: number, end: number): ParseEvent {
    const length = end - start;
    if (length > this.limits.maxHeadBytes) return this.fail("headers_too_large");
    this.partial = Buffer.allocUnsafe(Math.max(512, length * 2));
    bytes.copy(this.partial, 0, start, end);
    this.partialLength = length;
    this.position = end;
    return this.checkLines(0);
  }

  private resumeHead(bytes: Buffer, from: number, end: number): ParseEvent {
    const before = this.partialLength;
    let partial = this.partial as Buffer;
    const take = Math.min(end - from, this.limits.maxHeadBytes + 4 - before);
    if (before + take > partial.length) {
      partial = Buffer.allocUnsafe((before + take) * 2);
      (this.partial as Buffer).copy(partial, 0, 0, before);
      this.partial = partial;
    }
    bytes.copy(partial, before, from, from + take);
    this.partialLength = before + take;
    const blank = partial.subarray(0, this.partialLength).indexOf(emptyLine, Math.max(0, before - 3));
    if (blank === -1) {
      if (this.partialLength > this.limits.maxHeadBytes) return this.fail("headers_too_large");
      this.position = end;
      return this.checkLines(Math.max(0, before - 1));
    }
    this.partial = undefined;
    this.partialLength = 0;
    let start = 0;
    while (partial[start] === CR && partial[start + 1] === LF) start += 2;
    if (start >= blank + 4) {
      // Nothing but empty lines so far.
      this.position = from + blank + 4 - before;
      return this.nextHead(bytes, this.position, end);
    }
    return this.headFound(partial, start, blank + 4, from + blank + 4 - before);
  }

  /** Refuses bare line feeds at once: such a head would never end for us, while a laxer peer behind might see its end. */
  private checkLines(from: number): ParseEvent {
    const partial = this.partial as Buffer;
    for (let at = from; at < this.partialLength; at++) {
      if (partial[at] === LF && (at === 0 || partial[at - 1] !== CR)) return this.fail("http1.bare_line_feed");
    }
    return ParseEvent.needMore;
  }

  private nextOfLength(from: number, end: number): ParseEvent {
    if (from === end) return ParseEvent.needMore;
    const take = Math.min(this.remaining, end - from);
    this.take(from, from + take);
    this.bodyBytes += take;
    this.remaining -= take;
    if (this.remaining === 0) this.state = DONE;
    return ParseEvent.body;
  }

  private nextChunked(bytes: Buffer, from: number, end: number): ParseEvent {
    if (from === end) return ParseEvent.needMore;
    if (this.ranges !== undefined) this.ranges.length = 0;
    const stop = this.chunked.scan(bytes, from, end, this.ranges);
    if (this.chunked.error !== undefined) return this.fail(this.chunked.error);
    this.take(from, stop);
    this.bodyBytes = this.chunked.dataBytes;
    if (this.chunked.done) this.state = DONE;
    return ParseEvent.body;
  }

  private take(start: number, end: number): void {
    this.bodyStart = start;
    this.bodyEnd = end;
    this.position = end;
  }

  private fail(error: HttpParseError): ParseEvent {
    this.state = FAILED;
    this.error = error;
    return ParseEvent.error;
  }
}

export class RequestParser extends MessageParser {
  readonly head: RequestHead = newRequestHead();

  constructor(limits: ParserLimits = defaultLimits) {
    super(limits);
  }

  protected parseHead(bytes: Buffer, start: number, end: number): HttpParseError | undefined {
    return parseRequestHead(bytes, start, end, this.limits.maxHeaders, this.head);
  }

  protected framing(): number {
    if (this.head.chunked) return FRAMING_CHUNKED;
    return Math.max(0, this.head.contentLength);
  }
}

export class ResponseParser extends MessageParser {
  readonly head: ResponseHead = newResponseHead();
  /** Set before each response: whether it answers a HEAD request. */
  toHead = false;
  /** And whether a good answer makes a tunnel of the connection (RFC 9110, 9.3.6). */
  toTunnel = false;

  constructor(limits: ParserLimits = defaultLimits) {
    super(limits);
  }

  get opensTunnel(): boolean {
    return this.toTunnel && this.head.status >= 200 && this.head.status < 300;
  }

  /** Whether the response just begun has no body by definition (RFC 9112, 6.3). */
  get bodiless(): boolean {
    const status = this.head.status;
    return this.toHead || status < 200 || status === 204 || status === 304 || this.opensTunnel;
  }

  protected parseHead(bytes: Buffer, start: number, end: number): HttpParseError | undefined {
    const { head } = this;
    const error = parseResponseHead(bytes, start, end, this.limits.maxHeaders, head);
    // RFC 9110, 8.6 and RFC 9112, 6.1: a 204 that announces a body would be read one way here and another behind us.
    if (error !== undefined || head.status !== 204) return error;
    if (head.chunked || head.contentLength > 0) return "http1.codec_error";
    // RFC 9110, 8.6: a 204 has no such field, though servers are known to send a zero; it goes no further, as in Envoy.
    if (head.contentLength === 0) removeHeader(head.headers, "content-length");
    return undefined;
  }

  protected framing(): number {
    if (this.bodiless) return 0;
    if (this.head.chunked) return FRAMING_CHUNKED;
    return this.head.contentLength >= 0 ? this.head.contentLength : FRAMING_UNTIL_CLOSE;
  }
}

const CR = 0x0d;
const LF = 0x0a;
const emptyLine = Buffer.from("\r\n\r\n", "latin1");

const FRAMING_CHUNKED = -1;
const FRAMING_UNTIL_CLOSE = -2;

const HEAD = 0;
const LENGTH = 1;
const CHUNKED = 2;
const UNTIL_CLOSE = 3;
const DONE = 4;
const FAILED = 5;
