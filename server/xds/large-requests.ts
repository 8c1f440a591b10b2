import { randomInt } from "node:crypto";
import { readVarint, VarintSource } from "../lib/varint.ts";
import type { Protocol } from "./exchange.ts";

/** What large requests consist of, beside a rest that is small. */
export interface LargeRequest {
  /** The message without its node, names and versions. */
  readonly rest: Uint8Array;
  readonly node: Uint8Array | undefined;
  readonly subscribe: readonly string[];
  readonly versions: ReadonlyMap<string, string>;
}

/** As in DeltaDiscoveryRequest and DiscoveryRequest. */
const fieldNumbers = {
  delta: { node: 1, subscribe: 3, versions: 5 },
  sotw: { node: 2, subscribe: 3, versions: Number.NaN },
};

/** Of all that is remembered; beyond it, what was not used for longest is forgotten. */
const maxBytes = 16 << 20;

/**
 * When thousands of proxies come back, each says the same thousands of names and versions. What was read once is found again: by equal bytes, or, since
 * Envoy writes its versions in an order of its own, by equal entries. So a list is one object for all who say it.
 */
export class LargeRequests {
  readonly #lists = new Map<string, EntryList[]>();
  #bytes = 0;

  /** The last message of each kind, as it was behind its node. */
  readonly #latest = new Map<string, { bytes: Uint8Array; request: LargeRequest }>();

  /** Throws RangeError for what is no message. */
  read(protocol: Protocol, bytes: Uint8Array): LargeRequest {
    const node = leadingNode(bytes, fieldNumbers[protocol].node);
    const behind = bytes.subarray(node?.end ?? 0);
    const key = `${protocol} ${behind.length}`;
    const latest = this.#latest.get(key);
    if (latest && Buffer.compare(latest.bytes, behind) === 0) return { ...latest.request, node: node?.value };
    const request = this.#parse(protocol, behind);
    this.#remember(key, behind, request);
    return node ? { ...request, node: node.value } : request;
  }

  #remember(key: string, bytes: Uint8Array, request: LargeRequest): void {
    const entries = Math.max(request.subscribe.length, request.versions.size);
    if (request.node || bytes.length > maxBytes / maxLatest || entries > maxEntries) return;
    this.#latest.delete(key);
    this.#latest.set(key, { bytes, request });
    const [oldest] = this.#latest.keys();
    if (this.#latest.size > maxLatest && oldest !== undefined) this.#latest.delete(oldest);
  }

  #parse(protocol: Protocol, bytes: Uint8Array): LargeRequest {
    const numbers = fieldNumbers[protocol];
    const rest: Uint8Array[] = [];
    let node: Uint8Array | undefined;
    const names = new Ranges(bytes);
    const versions = new Ranges(bytes);
    for (const source = sourceOf(bytes); source.at < bytes.length; ) {
      const start = source.at;
      const key = readVarint(source);
      const from = skipValue(source, key & 7);
      const field = key >> 3;
      if (source.at > bytes.length) throw new RangeError("a field is cut off");
      if ((key & 7) !== 2) rest.push(bytes.subarray(start, source.at));
      else if (field === numbers.subscribe) names.add(start, from, source.at);
      else if (field === numbers.versions) versions.add(start, from, source.at);
      else if (field === numbers.node && node === undefined) node = bytes.subarray(from, source.at);
      else rest.push(bytes.subarray(start, source.at));
    }
    return {
      rest: rest.length === 1 && rest[0] ? rest[0] : Buffer.concat(rest),
      node,
      subscribe: this.#list(names, "names").names,
      versions: this.#list(versions, "versions").versions,
    };
  }

  #list(ranges: Ranges, kind: "names" | "versions"): EntryList {
    if (ranges.count === 0) return nothing;
    if (ranges.count > maxEntries) return new EntryList(ranges, kind);
    const key = `${kind} ${ranges.count} ${ranges.bytes}`;
    const known = this.#lists.get(key) ?? [];
    const found = known.find((list) => list.isSame(ranges));
    const list = found ?? new EntryList(ranges, kind);
    if (!found) this.#bytes += ranges.bytes;
    // The newest last, of those of its size and of all.
    this.#lists.delete(key);
    this.#lists.set(key, [...known.filter((other) => other !== list), list].slice(-maxAlike));
    if (!found && known.length >= maxAlike) this.#bytes -= ranges.bytes;
    for (const [oldest, lists] of this.#lists) {
      if (this.#bytes <= maxBytes || oldest === key) break;
      this.#lists.delete(oldest);
      this.#bytes -= lists.reduce((sum, each) => sum + each.bytes, 0);
    }
    return list;
  }
}

/** Lists of more are nobody's: short entries would cost many times their bytes. */
const maxEntries = 100_000;

/** Messages that are remembered whole. */
const maxLatest = 16;

/** Whoever writes fields in their order, as all do, writes the node before names and versions. */
function leadingNode(bytes: Uint8Array, field: number): { value: Uint8Array; end: number } | undefined {
  const source = sourceOf(bytes);
  if (bytes.length === 0 || readVarint(source) !== ((field << 3) | 2)) return undefined;
  const from = skipValue(source, 2);
  return { value: bytes.subarray(from, source.at), end: source.at };
}

/** Lists of one size that are remembered: what differs in a version has the same size. */
const maxAlike = 4;

const sourceOf = (bytes: Uint8Array): VarintSource => {
  const source = new VarintSource();
  source.reset(bytes);
  return source;
};

/** Where the value begins; the source is behind it then. https://protobuf.dev/programming-guides/encoding/#structure */
function skipValue(source: VarintSource, wireType: number): number {
  let from = source.at;
  if (wireType === 0) {
    while ((source.bytes[source.at++] ?? 0) >= 128);
  } else if (wireType === 1) source.at += 8;
  else if (wireType === 5) source.at += 4;
  else if (wireType === 2) {
    const length = readVarint(source);
    from = source.at;
    source.at += length;
  } else throw new RangeError(`wire type ${wireType} is none of today's`);
  return from;
}

/** Where the entries of a repeated field stand in a message. */
class Ranges {
  readonly source: Uint8Array;
  readonly view: DataView;
  readonly at: number[] = [];
  /** Of all entries' values. */
  bytes = 0;
  /** Where the first field begins, tag and length included. */
  start = 0;

  constructor(source: Uint8Array) {
    this.source = source;
    this.view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  }

  get count(): number {
    return this.at.length / 2;
  }

  add(start: number, from: number, to: number): void {
    if (this.at.length === 0) this.start = start;
    this.at.push(from, to);
    this.bytes += to - from;
  }

  /** From the first field to the last: equal bytes are equal entries. */
  span(): Uint8Array {
    return this.source.subarray(this.start, this.at[this.at.length - 1]);
  }
}

/** Entries that were read once, with a table by which the same in another order are found. */
class EntryList {
  readonly bytes: number;
  readonly names: readonly string[];
  readonly versions: ReadonlyMap<string, string>;
  readonly #ranges: Ranges;
  readonly #span: Uint8Array;
  /** Numbers of entries plus one, by their hash. */
  readonly #table: Int32Array;
  /** In which comparison an entry was found last. */
  readonly #found: Int32Array;
  #comparison = 0;
  readonly #isKnowable: boolean;
  /** Left in this comparison. */
  #steps = 0;

  constructor(ranges: Ranges, kind: "names" | "versions") {
    const own = new Ranges(Buffer.from(ranges.span()));
    const { at, start } = ranges;
    for (let i = 0; i < at.length; i += 2) own.add(0, (at[i] ?? 0) - start, (at[i + 1] ?? 0) - start);
    this.#ranges = own;
    this.#span = own.source;
    this.bytes = own.bytes;
    this.names = kind === "names" ? namesIn(own) : [];
    this.versions = kind === "versions" ? versionsIn(own) : new Map();
    this.#found = new Int32Array(own.count);
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(own.count * 2 + 2)));
    this.#isKnowable = this.#fill();
  }

  /** False: so many entries fall together that looking for them is not worth it. */
  #fill(): boolean {
    const mask = this.#table.length - 1;
    let steps = maxSteps * this.#ranges.count;
    for (let entry = 0; entry < this.#ranges.count; entry++) {
      let slot = hashOf(this.#ranges, entry) & mask;
      while (this.#table[slot] && steps-- > 0) slot = (slot + 1) & mask;
      if (steps < 0) return false;
      this.#table[slot] = entry + 1;
    }
    return true;
  }

  isSame(other: Ranges): boolean {
    if (Buffer.compare(this.#span, other.span()) === 0) return true;
    if (!this.#isKnowable) return false;
    this.#comparison += 1;
    this.#steps = maxSteps * other.count;
    for (let entry = 0; entry < other.count; entry++) if (!this.#finds(other, entry)) return false;
    return true;
  }

  /** Each of ours counts once, so that equal numbers mean equal lists. */
  #finds(other: Ranges, entry: number): boolean {
    const mask = this.#table.length - 1;
    for (let slot = hashOf(other, entry) & mask; this.#steps-- > 0; slot = (slot + 1) & mask) {
      const own = (this.#table[slot] ?? 0) - 1;
      if (own < 0) return false;
      if (this.#found[own] === this.#comparison || !isSameEntry(this.#ranges, own, other, entry)) continue;
      this.#found[own] = this.#comparison;
      return true;
    }
    return false;
  }
}

/** Slots looked at, on average of the entries. */
const maxSteps = 16;

/** Nobody outside can tell which entries fall together. */
const seed = randomInt(2 ** 32);

/** FNV-1a, but of four bytes at a time. http://www.isthe.com/chongo/tech/comp/fnv/ */
function hashOf({ source, view, at }: Ranges, entry: number): number {
  const end = at[2 * entry + 1] ?? 0;
  let i = at[2 * entry] ?? 0;
  let hash = seed;
  for (; i + 4 <= end; i += 4) {
    hash = Math.imul(hash ^ view.getInt32(i, true), 0x01000193);
    hash ^= hash >>> 15;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ (source[i] ?? 0), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function isSameEntry(a: Ranges, entryOfA: number, b: Ranges, entryOfB: number): boolean {
  const [from, end] = [a.at[2 * entryOfA] ?? 0, a.at[2 * entryOfA + 1] ?? 0];
  const other = b.at[2 * entryOfB] ?? 0;
  const length = end - from;
  if (length !== (b.at[2 * entryOfB + 1] ?? 0) - other) return false;
  let i = 0;
  for (; i + 4 <= length; i += 4) if (a.view.getInt32(from + i) !== b.view.getInt32(other + i)) return false;
  for (; i < length; i++) if (a.source[from + i] !== b.source[other + i]) return false;
  return true;
}

const textOf = (source: Uint8Array, from: number, to: number): string =>
  Buffer.from(source.buffer, source.byteOffset + from, to - from).toString("utf8");

function namesIn({ source, at }: Ranges): string[] {
  return Array.from({ length: at.length / 2 }, (_, i) => textOf(source, at[2 * i] ?? 0, at[2 * i + 1] ?? 0));
}

/** Entries of a map: key 1, value 2. Of a key that comes twice the last counts. */
function versionsIn({ source, at }: Ranges): Map<string, string> {
  const versions = new Map<string, string>();
  const reader = new VarintSource();
  for (let i = 0; i < at.length; i += 2) {
    const entry = ["", ""];
    reader.reset(source, at[i] ?? 0, at[i + 1] ?? 0);
    while (reader.at < reader.end) {
      const key = readVarint(reader);
      const from = skipValue(reader, key & 7);
      if (reader.at > reader.end) throw new RangeError("an entry is cut off");
      const field = key >> 3;
      if ((key & 7) === 2 && (field === 1 || field === 2)) entry[field - 1] = textOf(source, from, reader.at);
    }
    versions.set(entry[0] ?? "", entry[1] ?? "");
  }
  return versions;
}

const nothing = new EntryList(new Ranges(new Uint8Array()), "names");
