import { readVarint, VarintSource } from "../lib/varint.ts";
import { type EntryKind, EntryList, maxEntries, Ranges, skipValue } from "./entry-list.ts";
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

  /** Throws RangeError for what is no message. Keeps nothing of `bytes`, whose room is used again. */
  read(protocol: Protocol, bytes: Uint8Array): LargeRequest {
    const node = leadingNode(bytes, fieldNumbers[protocol].node);
    const behind = bytes.subarray(node?.end ?? 0);
    const key = `${protocol} ${behind.length}`;
    const latest = this.#latest.get(key);
    if (latest && Buffer.compare(latest.bytes, behind) === 0) return { ...latest.request, node: node?.value };
    const request = this.#parse(protocol, behind);
    if (!latest || !isAlike(latest.request, request)) this.#remember(key, behind, request);
    return node ? { ...request, node: node.value } : request;
  }

  #remember(key: string, bytes: Uint8Array, request: LargeRequest): void {
    const entries = Math.max(request.subscribe.length, request.versions.size);
    if (request.node || bytes.length > maxBytes / maxLatest || entries > maxEntries) return;
    this.#latest.delete(key);
    this.#latest.set(key, { bytes: Buffer.from(bytes), request });
    const [oldest] = this.#latest.keys();
    if (this.#latest.size > maxLatest && oldest !== undefined) this.#latest.delete(oldest);
  }

  #parse(protocol: Protocol, bytes: Uint8Array): LargeRequest {
    const numbers = fieldNumbers[protocol];
    const rest: Uint8Array[] = [];
    let node: Uint8Array | undefined;
    const names = nameRanges.reset(bytes);
    const versions = versionRanges.reset(bytes);
    for (const source = sourceOf(bytes); source.at < bytes.length; ) {
      const start = source.at;
      const key = readVarint(source);
      const from = skipValue(source, key & 7);
      const field = key >> 3;
      if (source.at > bytes.length) throw new RangeError("a field is cut off");
      if ((key & 7) !== 2) rest.push(bytes.subarray(start, source.at));
      else if (field === numbers.subscribe) names.add(start, from, source.at);
      else if (field === numbers.versions) versions.add(start, from, source.at);
      else if (field === numbers.node && node === undefined) node = Buffer.from(bytes.subarray(from, source.at));
      else rest.push(bytes.subarray(start, source.at));
    }
    const subscribe = this.#list(names, "names").names;
    const held = this.#list(versions, "versions").versions;
    for (const ranges of [names, versions]) ranges.reset(new Uint8Array()); // the message is not kept with them
    return { rest: Buffer.concat(rest), node, subscribe, versions: held };
  }

  #list(ranges: Ranges, kind: EntryKind): EntryList {
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

/** In another order: one of an order that will not come again is no better to remember than another. */
const isAlike = (a: LargeRequest, b: LargeRequest): boolean => a.subscribe === b.subscribe && a.versions === b.versions;

/** Messages that are remembered whole. */
const maxLatest = 16;

/** Whoever writes fields in their order, as all do, writes the node before names and versions. */
function leadingNode(bytes: Uint8Array, field: number): { value: Uint8Array; end: number } | undefined {
  const source = sourceOf(bytes);
  if (bytes.length === 0 || readVarint(source) !== ((field << 3) | 2)) return undefined;
  const from = skipValue(source, 2);
  return { value: Buffer.from(bytes.subarray(from, source.at)), end: source.at };
}

/** Lists of one size that are remembered: what differs in a version has the same size. */
const maxAlike = 4;

const sourceOf = (bytes: Uint8Array): VarintSource => {
  const source = new VarintSource();
  source.reset(bytes);
  return source;
};

/** Of the message that is being read. */
const nameRanges = new Ranges();
const versionRanges = new Ranges();

const nothing = new EntryList(new Ranges(), "names");
