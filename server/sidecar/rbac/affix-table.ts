import { addBits, type Bits } from "./bits.ts";

/** How texts begin, or how they end. */
export interface Side {
  /** Texts that are alike from this side on stand together. */
  compare(a: string, b: string): number;
  has(text: string, affix: string): boolean;
}

export const beginning: Side = {
  compare: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  has: (text, affix) => text.startsWith(affix),
};

export const ending: Side = {
  compare(a, b) {
    for (let i = 1; i <= a.length && i <= b.length; i++) {
      const difference = a.charCodeAt(a.length - i) - b.charCodeAt(b.length - i);
      if (difference !== 0) return difference;
    }
    return a.length - b.length;
  },
  has: (text, affix) => text.endsWith(affix),
};

interface Entry {
  readonly affix: string;
  /** Of it and of all that it has itself. */
  readonly bits: Bits;
  /** The longest other one that it has. */
  readonly inner: Entry | undefined;
}

/**
 * Which of many beginnings (or endings) a text has, by halves: what it has is the last one that is not behind it, or what that one has, for all that begin alike stand
 * together.
 */
export class AffixTable {
  private readonly side: Side;
  private readonly entries: readonly Entry[];

  constructor(side: Side, bitsOf: ReadonlyMap<string, Bits>) {
    this.side = side;
    const entries: Entry[] = [];
    for (const [affix, own] of [...bitsOf].sort(([a], [b]) => side.compare(a, b))) {
      let inner = entries.at(-1);
      while (inner !== undefined && !side.has(affix, inner.affix)) inner = inner.inner;
      const bits = own.slice();
      if (inner !== undefined) addBits(bits, inner.bits);
      entries.push({ affix, bits, inner });
    }
    this.entries = entries;
  }

  /** Undefined: it has none of them. */
  find(text: string): Bits | undefined {
    const { side, entries } = this;
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (side.compare(entries[middle]?.affix ?? "", text) <= 0) low = middle + 1;
      else high = middle;
    }
    let entry = entries[low - 1];
    while (entry !== undefined && !side.has(text, entry.affix)) entry = entry.inner;
    return entry?.bits;
  }
}
