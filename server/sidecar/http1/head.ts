import { authorityChars, isAuthority, targetChars, tokenChars, valueChars } from "../../lib/http-chars.ts";
import type { FlatHeaders } from "../http/headers.ts";
import type { HttpParseError } from "./errors.ts";

/** What both kinds of head have. Hop-by-hop fields are taken out of `headers` while parsing: they end at this hop (RFC 9110, 7.6.1). */
export interface MessageHead {
  /** 0 or 1 of HTTP/1.x. */
  minor: number;
  /** End-to-end fields. Fresh for every message: access logs keep it. */
  headers: FlatHeaders;
  /** −1 when the field is absent. */
  contentLength: number;
  chunked: boolean;
  /** After version and Connection field. */
  keepAlive: boolean;
  /** The protocol of the Upgrade field in lower case, when Connection names it too; otherwise "". */
  upgrade: string;
  /** Bytes of start line and fields. */
  bytes: number;
}

export interface RequestHead extends MessageHead {
  method: string;
  /** Origin form, or `*`. */
  path: string;
  /** From the Host field, or from an absolute-form target, which wins (RFC 9112, 3.2.2). Empty in HTTP/1.0 without one. */
  authority: string;
  expectContinue: boolean;
  connect: boolean;
}

export interface ResponseHead extends MessageHead {
  status: number;
}

export const newRequestHead = (): RequestHead => ({
  ...emptyHead(),
  method: "",
  path: "",
  authority: "",
  expectContinue: false,
  connect: false,
});
export const newResponseHead = (): ResponseHead => ({ ...emptyHead(), status: 0 });

/**
 * Parses `bytes[start, end)`, which must end with the empty line, into `head` (re-used from message to message).
 * @returns why it was refused, or undefined
 */
export function parseRequestHead(
  bytes: Buffer,
  start: number,
  end: number,
  maxHeaders: number,
  head: RequestHead,
): HttpParseError | undefined {
  const text = bytes.toString("latin1", start, end);
  let at = start;
  while (tokenChars[bytes[at] as number] !== 0) at++;
  if (at === start || bytes[at] !== SP) return "http1.invalid_request_line";
  head.method = text.slice(0, at - start);
  const targetStart = ++at;
  while (targetChars[bytes[at] as number] === 1) at++;
  if (at === targetStart || bytes[at] !== SP) return "http1.invalid_url";
  const target = text.slice(targetStart - start, at - start);
  at++;
  const version = parseVersion(bytes, at);
  if (version < 0) return version === -2 ? "http1.version_not_supported" : "http1.invalid_request_line";
  at += 8;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return "http1.invalid_request_line";
  head.minor = version;
  head.bytes = end - start;
  const wrong = parseFields(bytes, text, start, at + 2, end, maxHeaders, head);
  return wrong ?? parseTarget(head, target);
}

export function parseResponseHead(
  bytes: Buffer,
  start: number,
  end: number,
  maxHeaders: number,
  head: ResponseHead,
): HttpParseError | undefined {
  const version = parseVersion(bytes, start);
  if (version < 0 || bytes[start + 8] !== SP) return "http1.invalid_status_line";
  let status = 0;
  for (let at = start + 9; at < start + 12; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return "http1.invalid_status_line";
    status = status * 10 + digit;
  }
  if (status < 100) return "http1.invalid_status_line";
  let at = start + 12;
  // RFC 9112, 4: the space after the code is required, but servers are known to leave it out along with the reason.
  if (bytes[at] !== SP && bytes[at] !== CR) return "http1.invalid_status_line";
  while (valueChars[bytes[at] as number] === 1) at++;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return "http1.invalid_status_line";
  head.status = status;
  head.minor = version;
  head.bytes = end - start;
  scan.authority = undefined;
  return parseFields(bytes, bytes.toString("latin1", start, end), start, at + 2, end, maxHeaders, head);
}

const SP = 0x20;
const HT = 0x09;
const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;

/** What the fields of the message being parsed said; module state, since heads are parsed in one synchronous go. */
const scan = {
  authority: undefined as string | undefined,
  expectContinue: false,
  connection: "",
  upgrade: "",
  codings: undefined as string | undefined,
  error: undefined as HttpParseError | undefined,
};

const emptyHead = (): MessageHead => ({
  minor: 1,
  headers: [],
  contentLength: -1,
  chunked: false,
  keepAlive: true,
  upgrade: "",
  bytes: 0,
});

/** @returns the minor version, −1 when this is no HTTP version, −2 when it is another major one. */
function parseVersion(bytes: Buffer, at: number): number {
  // "HTTP/1." is compared byte by byte: case-sensitive by RFC 9112, 2.3.
  if (bytes[at] !== 0x48 || bytes[at + 1] !== 0x54 || bytes[at + 2] !== 0x54 || bytes[at + 3] !== 0x50) return -1;
  if (bytes[at + 4] !== 0x2f || bytes[at + 6] !== 0x2e) return -1;
  const major = (bytes[at + 5] as number) - 0x30;
  const minor = (bytes[at + 7] as number) - 0x30;
  if (!(major >= 0 && major <= 9 && minor >= 0 && minor <= 9)) return -1;
  if (major !== 1) return -2;
  return minor === 0 ? 0 : 1;
}

function parseFields(
  bytes: Buffer,
  text: string,
  base: number,
  from: number,
  end: number,
  maxHeaders: number,
  head: MessageHead,
): HttpParseError | undefined {
  const headers: FlatHeaders = [];
  head.headers = headers;
  head.contentLength = -1;
  head.chunked = false;
  scan.authority = undefined;
  scan.expectContinue = false;
  scan.connection = "";
  scan.upgrade = "";
  scan.codings = undefined;
  scan.error = undefined;
  let count = 0;
  let at = from;
  while (bytes[at] !== CR) {
    const nameStart = at;
    let upper = 0;
    let kind = 0;
    // biome-ignore lint/suspicious/noAssignInExpressions: one load per byte
    while ((kind = tokenChars[bytes[at] as number] as number) !== 0) {
      upper |= kind;
      at++;
    }
    if (bytes[at] !== COLON || at === nameStart) return fieldNameError(bytes[at] as number, at === nameStart);
    let name = text.slice(nameStart - base, at - base);
    if ((upper & 2) !== 0) name = name.toLowerCase();
    at++;
    while (bytes[at] === SP || bytes[at] === HT) at++;
    const valueStart = at;
    while (valueChars[bytes[at] as number] === 1) at++;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) {
      return bytes[at] === LF ? "http1.bare_line_feed" : "http1.invalid_characters";
    }
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HT)) valueEnd--;
    at += 2;
    if (++count > maxHeaders) return "too_many_headers";
    const value = text.slice(valueStart - base, valueEnd - base);
    if (isEndToEnd(name, value, head)) headers.push(name, value);
    if (scan.error !== undefined) return scan.error;
  }
  // The caller found the empty line at `end`; another one before it would mean two readings of where the head ends.
  if (at !== end - 2) return "http1.invalid_characters";
  return finishFraming(head);
}

const fieldNameError = (byte: number, atStart: boolean): HttpParseError => {
  // A line that begins with white space continues the previous one: obs-fold, refused by RFC 9112, 5.2.
  if (atStart && (byte === SP || byte === HT)) return "http1.obs_fold";
  return byte === LF ? "http1.bare_line_feed" : "http1.invalid_characters";
};

/** Notes what concerns this hop only. @returns whether the field goes on to the next hop. */
function isEndToEnd(name: string, value: string, head: MessageHead): boolean {
  switch (name.length) {
    case 2:
      // TE concerns this hop; "trailers" is safe to repeat since chunked bodies are forwarded with their trailers.
      return name !== "te" || value.toLowerCase() === "trailers";
    case 4:
      if (name !== "host") return true;
      if (scan.authority !== undefined) scan.error = "http1.duplicate_host";
      scan.authority = value;
      return false;
    case 6:
      if (name !== "expect" || value.toLowerCase() !== "100-continue") return true;
      scan.expectContinue = true;
      return false;
    case 7:
      if (name !== "upgrade") return true;
      scan.upgrade = scan.upgrade === "" ? value : `${scan.upgrade},${value}`;
      return false;
    case 10:
      if (name === "connection") {
        scan.connection = scan.connection === "" ? value : `${scan.connection},${value}`;
        return false;
      }
      return name !== "keep-alive";
    case 14:
      return name !== "content-length" || noteContentLength(value, head);
    case 16:
      return name !== "proxy-connection";
    case 17:
      if (name !== "transfer-encoding") return true;
      noteTransferEncoding(value);
      return false;
    default:
      return true;
  }
}

function noteContentLength(value: string, head: MessageHead): boolean {
  // 15 digits stay exact in a double. A list, a sign or white space inside is refused, not interpreted.
  let length = value.length > 0 && value.length <= 15 ? 0 : Number.NaN;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    length = digit >= 0 && digit <= 9 ? length * 10 + digit : Number.NaN;
  }
  // Twice is refused even when both agree, as in Envoy: RFC 9112, 6.3 allows it, and a peer that does so cannot be trusted with framing.
  if (Number.isNaN(length) || head.contentLength !== -1) {
    scan.error = "http1.invalid_content_length";
    return false;
  }
  head.contentLength = length;
  return true;
}

function noteTransferEncoding(value: string): void {
  scan.codings = scan.codings === undefined ? value : `${scan.codings},${value}`;
}

/** RFC 9112, 6.1 and 6.3: chunked once, and last; codings below it are not spoken here. */
function transferEncodingError(codings: string): HttpParseError | undefined {
  const names = codings.toLowerCase().split(",");
  for (const [index, name] of names.entries()) names[index] = name.trim();
  if (names.indexOf("chunked") !== names.length - 1) return "http1.invalid_transfer_encoding";
  return names.length === 1 ? undefined : "http1.transfer_encoding_not_implemented";
}

/** One framing per message: both fields together are the classic smuggling vector (RFC 9112, 6.1 and 11.2). */
function finishFraming(head: MessageHead): HttpParseError | undefined {
  if (scan.codings !== undefined) {
    const wrong = scan.codings === "chunked" ? undefined : transferEncodingError(scan.codings);
    if (wrong !== undefined) return wrong;
    head.chunked = true;
    if (head.contentLength !== -1) return "http1.content_length_and_chunked_not_allowed";
    if (head.minor === 0) return "http1.invalid_transfer_encoding";
  }
  head.keepAlive = head.minor === 1;
  head.upgrade = "";
  if (scan.connection !== "") applyConnection(head);
  return undefined;
}

function applyConnection(head: MessageHead): void {
  const options = scan.connection.toLowerCase();
  if (options === "keep-alive") {
    head.keepAlive = true;
    return;
  }
  if (options === "close") {
    head.keepAlive = false;
    return;
  }
  const names = options.split(",").map((name) => name.trim());
  if (names.includes("close")) head.keepAlive = false;
  else if (names.includes("keep-alive")) head.keepAlive = true;
  if (names.includes("upgrade")) head.upgrade = scan.upgrade.toLowerCase();
  for (let i = head.headers.length - 2; i >= 0; i -= 2) {
    const name = head.headers[i] as string;
    // Nominated fields end here too, save for those whose loss would change framing or meaning.
    if (names.includes(name) && name !== "content-length" && name !== "te") head.headers.splice(i, 2);
  }
}

function parseTarget(head: RequestHead, target: string): HttpParseError | undefined {
  head.expectContinue = scan.expectContinue && head.minor === 1;
  head.connect = head.method === "CONNECT";
  head.authority = scan.authority ?? "";
  head.path = target;
  if (scan.authority === undefined && head.minor === 1) return "http1.missing_host";
  if (target.charCodeAt(0) !== 0x2f) {
    const wrong = parseOtherForms(head, target);
    if (wrong !== undefined) return wrong;
  }
  const authority = head.authority;
  if (authority.length === 0) return head.minor === 1 ? "http1.missing_host" : undefined;
  for (let i = 0; i < authority.length; i++) {
    if (authorityChars[authority.charCodeAt(i)] !== 1) return "http1.invalid_host";
  }
  return undefined;
}

/** Absolute-form, authority-form and asterisk-form: RFC 9112, 3.2. */
function parseOtherForms(head: RequestHead, target: string): HttpParseError | undefined {
  if (head.connect) {
    // The target is what the client wants to reach, and there is no path (RFC 9112, 3.2.3).
    if (!isAuthority(target)) return "http1.invalid_url";
    head.authority = target;
    head.path = "";
    return undefined;
  }
  if (target === "*") return head.method === "OPTIONS" ? undefined : "http1.invalid_url";
  const scheme = /^https?:\/\//i.exec(target);
  if (scheme === null) return "http1.invalid_url";
  const rest = target.slice(scheme[0].length);
  const slash = rest.search(/[/?]/);
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  if (!isAuthority(authority)) return "http1.invalid_url";
  head.authority = authority;
  const path = slash === -1 ? "/" : rest.slice(slash);
  head.path = path.startsWith("?") ? `/${path}` : path;
  return undefined;
}
