import { defaultTableSize } from "./decoder.ts";
import { DynamicTable } from "./dynamic-table.ts";
import { huffmanEncode, huffmanLength } from "./huffman.ts";
import { sensitiveNames } from "./sensitive.ts";
import { staticCount, staticNamesIndex } from "./static-table.ts";

/** How a field that is not in a table is sent. */
const Policy = { index: 0, without: 1, never: 2 } as const;

/** Values that hardly ever come twice: in the table they would push out those that do. */
const changing = [
  ":path",
  "age",
  "content-length",
  "content-range",
  "etag",
  "grpc-message",
  "if-modified-since",
  "if-none-match",
  "last-modified",
  "location",
  "set-cookie",
  "traceparent",
  "x-b3-parentspanid",
  "x-b3-spanid",
  "x-b3-traceid",
  "x-envoy-upstream-service-time",
  "x-request-id",
];
/** Secrets: not in a table, where their compression tells of them (RFC 7541, 7.1.3). */
const secret = ["authorization", "proxy-authorization"];

interface NameInfo {
  readonly staticIndex: number;
  readonly staticValues: ReadonlyMap<string, number> | undefined;
  readonly policy: number;
}

const known = new Map<string, NameInfo>();
for (const name of [...staticNamesIndex.keys(), ...changing, ...secret]) {
  const entry = staticNamesIndex.get(name);
  const policy = changing.includes(name) ? Policy.without : secret.includes(name) ? Policy.never : Policy.index;
  known.set(name, { staticIndex: entry?.index ?? 0, staticValues: entry?.values, policy });
}
const unknown: NameInfo = { staticIndex: 0, staticValues: undefined, policy: Policy.index };

/** A name in the dynamic table: its values, by the number of their field. */
interface DynamicName {
  readonly numbers: Map<string, number>;
  latest: number;
}

/** A cookie shorter than this could be guessed whole (as in nghttp2). */
const shortCookie = 20;

/** Writes header blocks: RFC 7541. One per connection. Fields are flat [name, value, …], names in lower case, one char a byte. */
export class HpackEncoder {
  private readonly names = new Map<string, DynamicName>();
  private readonly table: DynamicTable;
  private readonly limit: number;
  /** Size updates to begin the next block with: the smallest since the last block, then the one in force (RFC 7541, 4.2); −1: none. */
  private smallest = -1;
  /** Paths seen lately: one that comes again, as a gRPC method does, is worth a place in the table. */
  private readonly recentPaths = new Array<string>(16).fill("");

  /** @param limit bytes that our own table may take at most, whatever the peer allows */
  constructor(limit = defaultTableSize) {
    this.limit = limit;
    this.table = new DynamicTable(defaultTableSize, (name, value, number) => this.forget(name, value, number));
    if (limit < defaultTableSize) this.setMaxSize(limit);
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  setMaxSize(allowed: number): void {
    const size = Math.min(allowed, this.limit);
    if (size === this.table.maxSize) return;
    this.smallest = this.smallest < 0 ? size : Math.min(this.smallest, size);
    this.table.resize(size);
  }

  /** Bytes that a block of these fields takes at most. */
  bound(fields: readonly string[]): number {
    let bytes = 16;
    for (let i = 0; i < fields.length; i++) bytes += (fields[i] as string).length + 6;
    return bytes;
  }

  /** To be called before the first field of each block. @returns where it ends */
  begin(out: Buffer, at: number): number {
    if (this.smallest < 0) return at;
    const { smallest } = this;
    const size = this.table.maxSize;
    this.smallest = -1;
    const next = smallest < size ? writeInteger(out, at, 0x20, 0x1f, smallest) : at;
    return writeInteger(out, next, 0x20, 0x1f, size);
  }

  /** Writes fields to `out` from `at`; `out` has room for {@link bound}. @returns where they end */
  fields(fields: readonly string[], out: Buffer, at: number): number {
    const sensitive = sensitiveNames(fields);
    let position = at;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      const value = fields[i + 1] as string;
      if (sensitive?.has(name) === true) {
        const index = (known.get(name) ?? unknown).staticIndex;
        position = this.literal(out, position, Policy.never, index, name, value);
      } else {
        position = this.field(name, value, out, position);
      }
    }
    return position;
  }

  field(name: string, value: string, out: Buffer, at: number): number {
    const dynamic = this.names.get(name);
    if (dynamic !== undefined) {
      const number = dynamic.numbers.get(value);
      if (number !== undefined) return writeInteger(out, at, 0x80, 0x7f, staticCount + this.table.next - number);
    }
    const info = known.get(name) ?? unknown;
    const whole = info.staticValues?.get(value);
    if (whole !== undefined) {
      out[at] = 0x80 | whole;
      return at + 1;
    }
    let { policy } = info;
    if (name === "cookie" && value.length < shortCookie) policy = Policy.never;
    else if (name === ":path" && this.cameBefore(value)) policy = Policy.index;
    let index = info.staticIndex;
    if (index === 0 && dynamic !== undefined) index = staticCount + this.table.next - dynamic.latest;
    const end = this.literal(out, at, policy, index, name, value);
    if (policy === Policy.index && this.table.add(name, value, 0)) this.remember(name, value);
    return end;
  }

  private literal(out: Buffer, at: number, policy: number, index: number, name: string, value: string): number {
    let position = at;
    if (policy === Policy.index) position = writeInteger(out, at, 0x40, 0x3f, index);
    else position = writeInteger(out, at, policy === Policy.never ? 0x10 : 0x00, 0x0f, index);
    // What stays in the table is compressed, since that is done once; for what comes once the peer's decoding would cost more than the bytes.
    const compress = policy === Policy.index;
    if (index === 0) position = writeText(out, position, name, compress);
    return writeText(out, position, value, compress);
  }

  private remember(name: string, value: string): void {
    const number = this.table.next - 1;
    const dynamic = this.names.get(name);
    if (dynamic === undefined) {
      this.names.set(name, { numbers: new Map([[value, number]]), latest: number });
    } else {
      dynamic.numbers.set(value, number);
      dynamic.latest = number;
    }
  }

  private forget(name: string, value: string, number: number): void {
    const dynamic = this.names.get(name);
    if (dynamic === undefined || dynamic.numbers.get(value) !== number) return;
    dynamic.numbers.delete(value);
    if (dynamic.numbers.size === 0) this.names.delete(name);
  }

  private cameBefore(path: string): boolean {
    const slot = (path.length + path.charCodeAt(path.length - 1)) & 15;
    if (this.recentPaths[slot] === path) return true;
    this.recentPaths[slot] = path;
    return false;
  }
}

/** An integer of RFC 7541, 5.1. */
function writeInteger(out: Buffer, at: number, pattern: number, mask: number, value: number): number {
  if (value < mask) {
    out[at] = pattern | value;
    return at + 1;
  }
  out[at] = pattern | mask;
  let position = at + 1;
  let rest = value - mask;
  while (rest >= 0x80) {
    out[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[position++] = rest;
  return position;
}

/** Writing so few characters costs less here than a call out of JavaScript. */
const shortText = 40;

function writeText(out: Buffer, at: number, text: string, compress: boolean): number {
  const { length } = text;
  if (compress) {
    const coded = huffmanLength(text);
    if (coded < length) return huffmanEncode(text, out, writeInteger(out, at, 0x80, 0x7f, coded));
  }
  const start = writeInteger(out, at, 0, 0x7f, length);
  if (length > shortText) return start + out.write(text, start, length, "latin1");
  for (let i = 0; i < length; i++) out[start + i] = text.charCodeAt(i);
  return start + length;
}
