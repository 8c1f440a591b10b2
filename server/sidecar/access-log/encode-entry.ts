import { logTags } from "../../wire/access-log-names.ts";
import { getJoined } from "../http/headers.ts";
import type { RequestRecord } from "../record.ts";
import { flagFieldNumbers } from "../response-flags.ts";
import type { CustomTagReader } from "./custom-tags.ts";
import { type ProtoWriter, varintSize } from "./proto-writer.ts";

/** What is logged besides the fields that every entry has; header names in lower case. */
export interface EntryOptions {
  requestHeaders: readonly string[];
  responseHeaders: readonly string[];
  responseTrailers: readonly string[];
  customTags: readonly CustomTagReader[];
}

/**
 * Appends one `envoy.data.accesslog.v3.HTTPAccessLogEntry` as a `log_entry` of HTTPAccessLogEntries. Written by hand because every
 * request passes here: a test holds it to what protobuf-es reads, field by field. Fields that Envoy sets from what a record does not
 * know (filter state) stay out.
 *
 * @param count how many requests the entry stands for, told by the tag `limpid.count`; its bytes are those of all
 */
export function encodeEntry(writer: ProtoWriter, record: RequestRecord, options: EntryOptions, count = 1): void {
  const entry = writer.begin(bytes(1));
  const common = writer.begin(bytes(1));
  encodeCommon(writer, record, options.customTags, count);
  writer.end(common);
  writer.uint(uint(2), protocolVersion[record.protocol]);
  const request = writer.begin(bytes(3));
  encodeRequest(writer, record, options.requestHeaders);
  writer.end(request);
  const response = writer.begin(bytes(4));
  encodeResponse(writer, record, options);
  writer.end(response);
  writer.end(entry);
}

/** Appends one `envoy.data.accesslog.v3.TCPAccessLogEntry` as a `log_entry` of TCPAccessLogEntries; `count` as in {@link encodeEntry}. */
export function encodeTcpEntry(
  writer: ProtoWriter,
  record: RequestRecord,
  { customTags }: EntryOptions,
  count = 1,
): void {
  const entry = writer.begin(bytes(1));
  const common = writer.begin(bytes(1));
  encodeCommon(writer, record, customTags, count);
  writer.end(common);
  const connection = writer.begin(bytes(2));
  writer.uint(uint(1), record.requestBodyBytes);
  writer.uint(uint(2), record.responseBodyBytes);
  writer.end(connection);
  writer.end(entry);
}

const uint = (field: number) => field << 3;
const bytes = (field: number) => (field << 3) | 2;

const protocolVersion = { "": 0, "HTTP/1.0": 1, "HTTP/1.1": 2, "HTTP/2": 3 } as const;
const methods = ["", "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
/** AccessLogType.DownstreamEnd and TcpConnectionEnd. */
const downstreamEnd = 6;
const tcpConnectionEnd = 3;

function encodeCommon(
  writer: ProtoWriter,
  record: RequestRecord,
  customTags: readonly CustomTagReader[],
  count: number,
): void {
  address(writer, bytes(2), record.downstreamRemoteAddress, record.downstreamRemotePort);
  address(writer, bytes(3), record.downstreamLocalAddress, record.downstreamLocalPort);
  const tls = record.downstreamTls?.logProperties;
  if (tls !== undefined) {
    writer.varint(bytes(4));
    writer.varint(tls.length);
    writer.raw(tls);
  }
  seconds(writer, bytes(5), record.startMs);
  duration(writer, bytes(6), record.timeToLastDownstreamRxMs);
  duration(writer, bytes(7), record.timeToFirstUpstreamTxMs);
  duration(writer, bytes(8), record.timeToLastUpstreamTxMs);
  duration(writer, bytes(9), record.timeToFirstUpstreamRxMs);
  duration(writer, bytes(10), record.timeToLastUpstreamRxMs);
  duration(writer, bytes(11), record.timeToFirstDownstreamTxMs);
  duration(writer, bytes(12), record.timeToLastDownstreamTxMs);
  if (record.upstreamRemoteAddress !== "") {
    address(writer, bytes(13), record.upstreamRemoteAddress, record.upstreamRemotePort);
    const local = record.upstreamLocalAddress;
    const colon = local.lastIndexOf(":");
    address(writer, bytes(14), local.slice(0, Math.max(0, colon)), Number(local.slice(colon + 1)) || 0);
  }
  writer.string(bytes(15), record.upstreamCluster);
  if (record.responseFlags !== 0) {
    const flags = writer.begin(bytes(16));
    for (let rest = record.responseFlags; rest !== 0; rest &= rest - 1) {
      const field = flagFieldNumbers[31 - Math.clz32(rest & -rest)] ?? 0;
      if (field === unauthorizedField) unauthorized(writer);
      else if (field !== 0) writer.bool(uint(field), true);
    }
    writer.end(flags);
  }
  writer.string(bytes(18), record.upstreamTransportFailureReason);
  writer.string(bytes(19), record.routeName);
  address(writer, bytes(20), record.downstreamRemoteAddress, record.downstreamRemotePort);
  for (const tag of customTags) {
    const value = tag.read(record);
    if (value !== "") mapEntry(writer, bytes(22), tag.name, value);
  }
  const reached = record.upstreamTls?.peerUri ?? "";
  if (reached !== "") mapEntry(writer, bytes(22), logTags.reached, reached);
  if (count > 1) mapEntry(writer, bytes(22), logTags.count, String(count));
  seconds(writer, bytes(23), record.durationMs);
  writer.uint(uint(24), record.upstreamAttempts);
  writer.string(bytes(26), record.requestId);
  writer.uint(uint(29), record.responseHeadersBytes + record.responseBodyBytes);
  writer.uint(uint(30), record.requestHeadersBytes + record.requestBodyBytes);
  writer.uint(uint(33), record.protocol === "" ? tcpConnectionEnd : downstreamEnd);
}

function encodeRequest(writer: ProtoWriter, record: RequestRecord, headers: readonly string[]): void {
  writer.uint(uint(1), methods.indexOf(record.method));
  writer.string(bytes(2), record.scheme);
  writer.string(bytes(3), record.authority);
  writer.string(bytes(5), record.path);
  writer.string(bytes(6), record.userAgent);
  writer.string(bytes(7), getJoined(record.requestHeaders, "referer") ?? "");
  writer.string(bytes(8), record.forwardedFor);
  writer.string(bytes(9), record.requestId);
  writer.string(bytes(10), record.originalPath);
  writer.uint(uint(11), record.requestHeadersBytes);
  writer.uint(uint(12), record.requestBodyBytes);
  for (const name of headers) {
    const value = getJoined(record.requestHeaders, name) ?? "";
    if (value !== "") mapEntry(writer, bytes(13), name, value);
  }
  writer.uint(uint(15), record.requestHeadersBytes);
}

function encodeResponse(writer: ProtoWriter, record: RequestRecord, options: EntryOptions): void {
  if (record.responseCode > 0) {
    // google.protobuf.UInt32Value
    writer.varint(bytes(1));
    writer.varint(1 + varintSize(record.responseCode));
    writer.uint(uint(1), record.responseCode);
  }
  writer.uint(uint(2), record.responseHeadersBytes);
  writer.uint(uint(3), record.responseBodyBytes);
  for (const name of options.responseHeaders) {
    const value = getJoined(record.responseHeaders, name) ?? "";
    if (value !== "") mapEntry(writer, bytes(4), name, value);
  }
  if (record.responseTrailers !== undefined) {
    for (const name of options.responseTrailers) {
      const value = getJoined(record.responseTrailers, name) ?? "";
      if (value !== "") mapEntry(writer, bytes(5), name, value);
    }
  }
  writer.string(bytes(6), record.responseCodeDetails);
  writer.uint(uint(8), record.responseHeadersBytes);
}

/** ResponseFlags.Unauthorized, the one flag that is a message: its reason is the external service. */
function unauthorized(writer: ProtoWriter): void {
  const mark = writer.begin(bytes(unauthorizedField));
  writer.uint(uint(1), 1);
  writer.end(mark);
}

const unauthorizedField = 13;

/** envoy.config.core.v3.Address with a SocketAddress (TCP). */
function address(writer: ProtoWriter, tag: number, ip: string, port: number): void {
  if (ip === "") return;
  const outer = writer.begin(tag);
  const inner = writer.begin(bytes(1));
  writer.string(bytes(2), ip);
  if (port > 0) {
    writer.varint(uint(3)); // a oneof: written also when zero, were it ever known to be zero
    writer.varint(port);
  }
  writer.end(inner);
  writer.end(outer);
}

/** A Duration that is left out when it never came to pass. */
function duration(writer: ProtoWriter, tag: number, ms: number): void {
  if (ms > 0) seconds(writer, tag, ms);
}

/** Duration and Timestamp share one form: seconds and nanoseconds. */
function seconds(writer: ProtoWriter, tag: number, ms: number): void {
  const whole = Math.floor(ms / 1000);
  // Microseconds are what a double keeps of a Unix time in milliseconds.
  const nanos = Math.min(999_999, Math.round((ms - whole * 1000) * 1000)) * 1000;
  const mark = writer.begin(tag);
  writer.uint(uint(1), whole);
  writer.uint(uint(2), nanos);
  writer.end(mark);
}

function mapEntry(writer: ProtoWriter, tag: number, key: string, value: string): void {
  const mark = writer.begin(tag);
  writer.string(bytes(1), key);
  writer.string(bytes(2), value);
  writer.end(mark);
}
