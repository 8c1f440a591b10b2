import { binOf, minValue } from "../../lib/latency-sketch.ts";
import { getJoined } from "../http/headers.ts";
import type { RequestRecord } from "../record.ts";
import type { EntryOptions } from "./encode-entry.ts";

/** `count` requests that a roll-up cannot tell apart, told by the record of one of them; its bytes are those of all. */
export interface FoldedEntry {
  readonly record: RequestRecord;
  readonly options: EntryOptions;
  count: number;
}

/**
 * Requests whose details are given up are still counted: they are folded by all that a roll-up keys on, the second they ended in and the 1 % bin of their latency.
 * The table is bounded. Past that the bins of latency get coarser, by twos up to one for all, then the seconds; what is counted is never given up as long as
 * edges, codes and flags alone don't fill the table.
 */
export class FoldedCounts {
  readonly #limit: number;
  #entries = new Map<string, FoldedEntry>();
  /** How many times bins and seconds were put together in pairs. */
  #binShift = 0;
  #secondShift = 0;

  constructor(limit = 4_096) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @returns false when there is no place left for it */
  add(record: RequestRecord, options: EntryOptions): boolean {
    for (;;) {
      const entry = this.#entries.get(this.#keyOf(record, options));
      if (entry !== undefined) {
        merge(entry, record, 1);
        return true;
      }
      if (this.#entries.size < this.#limit) break;
      if (!this.#coarsen()) return false;
    }
    this.#entries.set(this.#keyOf(record, options), {
      record: withoutDetails(record),
      options: countedFields(options),
      count: 1,
    });
    return true;
  }

  /** Takes the oldest out; with the last of them the table is fine again. */
  take(): FoldedEntry | undefined {
    const [first] = this.#entries;
    if (first === undefined) return undefined;
    const [key, entry] = first;
    this.#entries.delete(key);
    if (this.#entries.size === 0) {
      this.#binShift = 0;
      this.#secondShift = 0;
    }
    return entry;
  }

  /** @returns false when everything that may be put together is */
  #coarsen(): boolean {
    if (this.#binShift < maxShift) this.#binShift++;
    else if (this.#secondShift < maxShift) this.#secondShift++;
    else return false;
    const before = this.#entries;
    this.#entries = new Map();
    for (const entry of before.values()) {
      const key = this.#keyOf(entry.record, entry.options);
      const known = this.#entries.get(key);
      if (known === undefined) this.#entries.set(key, entry);
      else merge(known, entry.record, entry.count);
    }
    return true;
  }

  #keyOf(record: RequestRecord, options: EntryOptions): string {
    const second = Math.floor((record.startMs + record.durationMs) / 1000);
    const bin = record.durationMs < minValue ? -1 : binOf(record.durationMs);
    let key = `${Math.floor(second / 2 ** this.#secondShift)} ${Math.floor(bin / 2 ** this.#binShift)}`;
    key += `\n${record.protocol}\n${record.responseCode}\n${record.responseFlags}\n${record.upstreamCluster}\n${record.routeName}`;
    key += `\n${record.upstreamRemoteAddress}:${record.upstreamRemotePort}\n${record.downstreamTls?.peer?.uris.join() ?? ""}`;
    // The host that a request names is the client's word, and without bound; it counts where no cluster is known.
    if (record.upstreamCluster === "" && record.routedCluster === "") key += `\n${record.authority}`;
    for (const tag of options.customTags) key += `\n${tag.read(record)}`;
    for (const name of countedHeaders) {
      key += `\n${getJoined(record.requestHeaders, name) ?? ""}\n${getJoined(record.responseHeaders, name) ?? ""}`;
    }
    if (record.responseTrailers !== undefined) key += `\n${getJoined(record.responseTrailers, "grpc-status") ?? ""}`;
    return key;
  }
}

/** Headers that say whose request it was and of which kind. */
const countedHeaders = ["x-limpid-peer", "content-type", "grpc-status"];

/** 2^32 bins or seconds are one. */
const maxShift = 32;

const counted = (names: readonly string[]): readonly string[] => names.filter((name) => countedHeaders.includes(name));

const countedFields = ({
  requestHeaders,
  responseHeaders,
  responseTrailers,
  customTags,
}: EntryOptions): EntryOptions => ({
  requestHeaders: counted(requestHeaders),
  responseHeaders: counted(responseHeaders),
  responseTrailers: counted(responseTrailers),
  customTags,
});

/** The loggers are given records that live on; the sums need one of their own. */
const withoutDetails = (record: RequestRecord): RequestRecord => ({
  ...record,
  requestId: "",
  traceId: "",
  spanId: "",
});

function merge(entry: FoldedEntry, record: RequestRecord, count: number): void {
  entry.count += count;
  entry.record.requestHeadersBytes += record.requestHeadersBytes;
  entry.record.requestBodyBytes += record.requestBodyBytes;
  entry.record.responseHeadersBytes += record.responseHeadersBytes;
  entry.record.responseBodyBytes += record.responseBodyBytes;
}
