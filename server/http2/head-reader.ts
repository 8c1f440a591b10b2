import { isAuthority, tokenChars, valueChars } from "../lib/http-chars.ts";
import { Detail } from "./errors.ts";
import type { FieldSink } from "./hpack/decoder.ts";
import { FieldKind, invalidValue, kindMask } from "./hpack/field-kind.ts";
import { markSensitive } from "./hpack/sensitive.ts";
import { type Fields, plainConnect, type StreamRequestHead, type StreamResponseHead } from "./messages.ts";

export interface HeadLimits {
  /** Bytes of names and values. */
  maxHeaderBytes: number;
  maxHeaders: number;
  /** Whether `:protocol` may be used. */
  allowConnect: boolean;
}

/**
 * Takes the fields of one block and makes a head of them, strictly by RFC 9113, 8.2 and 8.3. What is past the limits is counted and not kept: the block
 * has to be read to its end for the sake of the HPACK table.
 */
export class HeadReader implements FieldSink {
  /** Past the limits. */
  tooLarge = false;
  /** The path has a fragment, which never travels: RFC 9110, 7.1. */
  fragment = false;
  /** Why the message is malformed; "": it isn't. */
  malformed = "";
  private readonly limits: HeadLimits;
  private headers: Fields = [];
  private method = "";
  private scheme = "";
  private authority: string | undefined = undefined;
  private path: string | undefined = undefined;
  private protocol = "";
  private status = "";
  private host: string | undefined = undefined;
  private cookie: string | undefined = undefined;
  private contentLength = -1;
  private bytes = 0;
  private count = 0;
  /** Bits of the pseudo-header fields seen, by their kind. */
  private pseudo = 0;
  private regular = false;

  constructor(limits: HeadLimits) {
    this.limits = limits;
  }

  /** Before each block. */
  reset(): void {
    this.tooLarge = false;
    this.fragment = false;
    this.malformed = "";
    this.headers = [];
    this.method = "";
    this.scheme = "";
    this.authority = undefined;
    this.path = undefined;
    this.protocol = "";
    this.status = "";
    this.host = undefined;
    this.cookie = undefined;
    this.contentLength = -1;
    this.bytes = 0;
    this.count = 0;
    this.pseudo = 0;
    this.regular = false;
  }

  onField(name: string, value: string, kind: number, sensitive: boolean): void {
    this.bytes += name.length + value.length;
    if (++this.count > this.limits.maxHeaders || this.bytes > this.limits.maxHeaderBytes) {
      this.tooLarge = true;
      return;
    }
    if (kind === FieldKind.regular) {
      this.regular = true;
      this.headers.push(name, value);
    } else if ((kind & invalidValue) !== 0) {
      this.malformed ||= Detail.invalidHeader;
    } else if (kind < FieldKind.invalid) {
      this.pseudoField(value, kind);
    } else {
      this.regular = true;
      this.specialField(name, value, kind & kindMask);
    }
    if (sensitive) markSensitive(this.headers, name);
  }

  /** @param end no body follows */
  request(end: boolean): StreamRequestHead {
    const { limits, pseudo } = this;
    const connect = this.method === "CONNECT";
    if ((pseudo & bit(FieldKind.status)) !== 0) this.malformed ||= Detail.messaging;
    if (!isToken(this.method)) this.malformed ||= Detail.messaging;
    if (this.protocol !== "" && (!connect || !limits.allowConnect)) this.malformed ||= Detail.messaging;
    if (connect && this.protocol === "") {
      // RFC 9113, 8.5: neither scheme nor path.
      if (this.path !== undefined || this.scheme !== "") this.malformed ||= Detail.messaging;
    } else if (!isScheme(this.scheme) || !this.checkPath()) {
      this.malformed ||= Detail.messaging;
    }
    // Where both are told, :authority counts and host is dropped, as in Envoy (RFC 9113, 8.3.1 lets a server choose).
    const authority = this.authority ?? this.host ?? "";
    if (!isAuthority(authority)) this.malformed ||= Detail.messaging;
    if (end && this.contentLength > 0) this.malformed ||= Detail.messaging;
    if (this.cookie !== undefined) this.headers.push("cookie", this.cookie);
    return {
      // As in Envoy, an extended CONNECT is the GET with an Upgrade that it stands for (RFC 8441, 5), whatever protocol it goes on by.
      method: this.protocol === "" ? this.method : "GET",
      path: this.path ?? "",
      authority,
      scheme: this.scheme,
      headers: this.headers,
      contentLength: this.contentLength,
      upgrade: connect && this.protocol === "" ? plainConnect : this.protocol.toLowerCase(),
      bytes: this.bytes,
    };
  }

  response(): StreamResponseHead {
    const status = /^[1-9]\d\d$/.test(this.status) ? Number(this.status) : 0;
    // RFC 9113, 8.6: 101 means nothing here.
    if (status === 0 || status === 101 || this.pseudo !== bit(FieldKind.status)) this.malformed ||= Detail.messaging;
    if (this.host !== undefined) this.headers.push("host", this.host);
    if (this.cookie !== undefined) this.headers.push("cookie", this.cookie);
    return { status, headers: this.headers, contentLength: this.contentLength, bytes: this.bytes };
  }

  trailers(): Fields {
    if (this.pseudo !== 0) this.malformed ||= Detail.messaging;
    return this.headers;
  }

  /** Origin form, or `*` for OPTIONS: RFC 9113, 8.3.1. Bytes beyond ASCII pass, as in Envoy. */
  private checkPath(): boolean {
    const { path } = this;
    if (path === undefined || path.length === 0) return false;
    if (path.charCodeAt(0) !== 0x2f) return path === "*" && this.method === "OPTIONS";
    for (let i = 1; i < path.length; i++) {
      const code = path.charCodeAt(i);
      if (code <= 0x20 || valueChars[code] !== 1) return false;
      if (code === 0x23) this.fragment = true;
    }
    return true;
  }

  private pseudoField(value: string, kind: number): void {
    // RFC 9113, 8.3: before all regular fields, and each once only.
    if (this.regular || (this.pseudo & bit(kind)) !== 0) this.malformed ||= Detail.messaging;
    this.pseudo |= bit(kind);
    switch (kind) {
      case FieldKind.method:
        this.method = value;
        break;
      case FieldKind.scheme:
        this.scheme = value;
        break;
      case FieldKind.authority:
        this.authority = value;
        break;
      case FieldKind.path:
        this.path = value;
        break;
      case FieldKind.status:
        this.status = value;
        break;
      default:
        if (value === "") this.malformed ||= Detail.messaging;
        this.protocol = value;
    }
  }

  private specialField(name: string, value: string, kind: number): void {
    switch (kind) {
      case FieldKind.te:
        // RFC 9113, 8.2.2: nothing but "trailers".
        if (value.toLowerCase() !== "trailers") this.malformed ||= Detail.invalidHeader;
        else this.headers.push(name, value);
        break;
      case FieldKind.host:
        if (this.host !== undefined) this.malformed ||= Detail.messaging;
        this.host = value;
        break;
      case FieldKind.contentLength:
        this.noteContentLength(value);
        this.headers.push(name, value);
        break;
      case FieldKind.cookie:
        // RFC 9113, 8.2.3: crumbs are one field again before they go anywhere else.
        this.cookie = this.cookie === undefined ? value : `${this.cookie}; ${value}`;
        break;
      default:
        this.malformed ||= Detail.invalidHeader;
    }
  }

  private noteContentLength(value: string): void {
    // 15 digits stay exact in a double.
    let length = value.length > 0 && value.length <= 15 ? 0 : Number.NaN;
    for (let i = 0; i < value.length; i++) {
      const digit = value.charCodeAt(i) - 0x30;
      length = digit >= 0 && digit <= 9 ? length * 10 + digit : Number.NaN;
    }
    if (Number.isNaN(length) || this.contentLength !== -1) this.malformed ||= Detail.invalidHeader;
    else this.contentLength = length;
  }
}

const bit = (kind: number): number => 1 << kind;

function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (tokenChars[text.charCodeAt(i)] === 0) return false;
  return text.length > 0;
}

const isScheme = (text: string): boolean => text === "http" || text === "https" || /^[a-z][a-z0-9+.-]*$/i.test(text);
