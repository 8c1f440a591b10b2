import { randomInt } from "node:crypto";
import { readVarint, VarintSource } from "../lib/varint.ts";

/** Lists of more are nobody's: short entries would cost many times their bytes. */
export const maxEntries = 100_000;

/** Where the entries of a repeated field stand in a message; used again for the next one, so that reading thousands of them makes no garbage. */
export class Ranges {
  source: Uint8Array = new Uint8Array();
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Begin and end of each. */
  at = new Int32Array(1_024);
  count = 0;
  /** Of all entries' values. */
  bytes = 0;
  /** Where the first field begins, tag and length included. */
  start = 0;

  reset(source: Uint8Array): this {
    if (this.at.length > 4 * maxEntries) this.at = new Int32Array(1_024);
    this.source = source;
    this.view = viewOf(source);
    this.count = 0;
    this.bytes = 0;
    this.start = 0;
    return this;
  }

  add(start: number, from: number, to: number): void {
    const place = 2 * this.count++;
    if (place === 0) this.start = start;
    if (place >= this.at.length) this.#grow();
    this.at[place] = from;
    this.at[place + 1] = to;
    this.bytes += to - from;
  }

  /** From the first field to the last: equal bytes are equal entries. */
  span(): Uint8Array {
    return this.source.subarray(this.start, this.at[2 * this.count - 1]);
  }

  /** With bytes of its own, which are those of the span. */
  copy(): Ranges {
    const own = new Ranges().reset(Buffer.from(this.span()));
    own.at = this.at.slice(0, 2 * this.count);
    for (let place = 0; place < own.at.length; place++) own.at[place] = (own.at[place] ?? 0) - this.start;
    own.count = this.count;
    own.bytes = this.bytes;
    return own;
  }

  #grow(): void {
    const more = new Int32Array(2 * this.at.length);
    more.set(this.at);
    this.at = more;
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) => new DataView(buffer, byteOffset, byteLength);

/** Names, or entries of a map from names to versions. */
export type EntryKind = "names" | "versions";

/** Entries that were read once, with a table by which the same in another order are found. */
export class EntryList {
  readonly bytes: number;
  readonly names: readonly string[];
  readonly versions: ReadonlyMap<string, string>;
  readonly #ranges: Ranges;
  /** Of each entry's end. Versions that are hashes tell their entries apart. */
  #hashedBytes = 8;
  /** Numbers of entries plus one, by their hash. */
  readonly #table: Int32Array;
  readonly #hashes: Int32Array;
  /** In which comparison an entry was found last. */
  readonly #found: Int32Array;
  #comparison = 0;
  readonly #isKnowable: boolean;

  constructor(ranges: Ranges, kind: EntryKind) {
    const own = ranges.copy();
    this.#ranges = own;
    this.bytes = own.bytes;
    this.names = kind === "names" ? namesIn(own) : [];
    this.versions = kind === "versions" ? versionsIn(own) : new Map();
    this.#hashes = new Int32Array(own.count);
    this.#found = new Int32Array(own.count);
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(own.count * 2 + 2)));
    this.#isKnowable = (kind === "versions" && this.#fill()) || this.#fill(Number.POSITIVE_INFINITY);
  }

  /** False: so many entries fall together that looking for them is not worth it. */
  #fill(hashedBytes = this.#hashedBytes): boolean {
    this.#hashedBytes = hashedBytes;
    this.#table.fill(0);
    const mask = this.#table.length - 1;
    let steps = maxSteps * this.#ranges.count;
    for (let entry = 0; entry < this.#ranges.count; entry++) {
      const hash = hashOf(this.#ranges, entry, this.#hashedBytes);
      this.#hashes[entry] = hash;
      let slot = hash & mask;
      while (this.#table[slot] && steps-- > 0) slot = (slot + 1) & mask;
      if (steps < 0) return false;
      this.#table[slot] = entry + 1;
    }
    return true;
  }

  /** The same entries, in any order. */
  isSame(other: Ranges): boolean {
    const own = this.#ranges;
    if (other.count !== own.count || other.bytes !== own.bytes) return false;
    if (Buffer.compare(own.source, other.span()) === 0) return true;
    if (!this.#isKnowable) return false;
    const [table, hashes, found, comparison] = [this.#table, this.#hashes, this.#found, ++this.#comparison];
    const [mask, hashedBytes, ends] = [table.length - 1, this.#hashedBytes, own.at];
    let steps = maxSteps * own.count;
    for (let entry = 0; entry < own.count; entry++) {
      const from = other.at[2 * entry] as number;
      const length = (other.at[2 * entry + 1] as number) - from;
      const hash = hashOf(other, entry, hashedBytes);
      // Each of ours counts once, so that equal numbers mean equal lists.
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const candidate = (table[slot] as number) - 1;
        if (candidate < 0 || steps-- <= 0) return false;
        if (hashes[candidate] !== hash || found[candidate] === comparison) continue;
        const start = ends[2 * candidate] as number;
        if ((ends[2 * candidate + 1] as number) - start !== length || !areSame(own, start, other, from, length))
          continue;
        found[candidate] = comparison;
        break;
      }
    }
    return true;
  }
}

/** Slots looked at, on average of the entries. */
const maxSteps = 16;

/** Nobody outside can tell which entries fall together. */
const seed = randomInt(2 ** 32);

/** As MurmurHash3 mixes four bytes at a time, of the last ones. https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp */
function hashOf({ source, view, at }: Ranges, entry: number, lastBytes: number): number {
  const end = at[2 * entry + 1] as number;
  let i = Math.max(at[2 * entry] as number, end - lastBytes);
  let hash = seed;
  for (; i + 4 <= end; i += 4) {
    const word = Math.imul(view.getInt32(i, true), 0xcc9e2d51);
    hash ^= Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ (source[i] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Of equal length. */
function areSame(a: Ranges, fromOfA: number, b: Ranges, fromOfB: number, length: number): boolean {
  const [one, other] = [a.view, b.view];
  const last = length - 8;
  // Eight bytes at a time; the last ones overlap those before.
  for (let i = 0; i < last; i += 8) {
    if (one.getInt32(fromOfA + i, true) !== other.getInt32(fromOfB + i, true)) return false;
    if (one.getInt32(fromOfA + i + 4, true) !== other.getInt32(fromOfB + i + 4, true)) return false;
  }
  if (last >= 0) {
    const [i, j] = [fromOfA + last, fromOfB + last];
    return (
      one.getInt32(i, true) === other.getInt32(j, true) && one.getInt32(i + 4, true) === other.getInt32(j + 4, true)
    );
  }
  for (let i = 0; i < length; i++) if (a.source[fromOfA + i] !== b.source[fromOfB + i]) return false;
  return true;
}

const textOf = (source: Uint8Array, from: number, to: number): string =>
  Buffer.from(source.buffer, source.byteOffset + from, to - from).toString("utf8");

function namesIn({ source, at, count }: Ranges): string[] {
  return Array.from({ length: count }, (_, i) => textOf(source, at[2 * i] ?? 0, at[2 * i + 1] ?? 0));
}

/** Entries of a map: key 1, value 2. Of a key that comes twice the last counts. */
function versionsIn({ source, at, count }: Ranges): Map<string, string> {
  const versions = new Map<string, string>();
  const reader = new VarintSource();
  for (let i = 0; i < 2 * count; i += 2) {
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

/** Where the value begins; the source is behind it then. https://protobuf.dev/programming-guides/encoding/#structure */
export function skipValue(source: VarintSource, wireType: number): number {
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
