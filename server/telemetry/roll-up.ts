import { LatencySketch } from "../lib/latency-sketch.ts";
import { type EdgeKey, edgeId, overflowEdge, type TrafficRecord } from "./record.ts";
import type { RollupEntry } from "./store.ts";

export interface RollUpLimits {
  /** Different edges in one batch; calls of further ones count for the overflow edge. */
  maxEdges: number;
  /** Entries in one batch; past it, what comes in counts for a second that is already open. Only a store that is down gets there. */
  maxEntries: number;
  /** A record older than this is late: it goes into a second that was thought settled. */
  lateMs: number;
  /** A record older than this counts for the oldest second that is still open to it. */
  maxLateMs: number;
}

/** Counts records per edge, code, flags, gRPC status and second, until drained. No record is lost: past a limit it is counted less precisely. */
export class RollUp {
  late = 0;
  overflowed = 0;
  #edges = new Map<string, EdgeEntries>();
  #entries = 0;
  /** The second that records count for while `maxEntries` is reached. */
  #overflowSecond: number | undefined;
  readonly #limits: RollUpLimits;

  constructor(limits: RollUpLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries;
  }

  add(record: TrafficRecord, nowMs: number): void {
    const edge = this.#edge(record.edge, record.count, record.sender);
    const second = this.#second(record, nowMs);
    const entry = isOf(edge.last, second, record) ? edge.last : this.#entry(edge, second, record);
    entry.count += record.count;
    entry.requestBytes += record.requestBytes;
    entry.responseBytes += record.responseBytes;
    entry.requestMessages += record.requestMessages;
    entry.responseMessages += record.responseMessages;
    entry.latency.add(record.durationMs, record.count);
  }

  /** Everything counted so far; counting starts anew. */
  drain(): RollupEntry[] {
    const drained = [...this.#edges.values()].flatMap((edge) => [...edge.entries.values()]);
    this.#edges = new Map();
    this.#entries = 0;
    this.#overflowSecond = undefined;
    return drained;
  }

  /** Gives up what is counted of one sender. */
  discard(sender: string): void {
    for (const [key, edge] of this.#edges) {
      if (edge.sender !== sender) continue;
      this.#edges.delete(key);
      this.#entries -= edge.entries.size;
    }
  }

  /** Counted apart for each sender that is told: what one sent may have to be given up. */
  #edge(edge: EdgeKey, count: number, sender: string | undefined): EdgeEntries {
    const id = edgeId(edge);
    const key = sender === undefined ? id : `${sender}\n${id}`;
    const known = this.#edges.get(key);
    if (known !== undefined) return known;
    if (this.#edges.size >= this.#limits.maxEdges && edge.service !== "overflow") {
      this.overflowed += count;
      return this.#edge(overflowEdge(edge), count, sender);
    }
    const fresh: EdgeEntries = { edge, id, sender, entries: new Map(), last: undefined };
    this.#edges.set(key, fresh);
    return fresh;
  }

  #entry(edge: EdgeEntries, second: number, record: TrafficRecord): RollupEntry {
    const key = `${second}:${record.code}:${record.flags}:${record.grpcStatus}`;
    let entry = edge.entries.get(key);
    if (entry === undefined) {
      entry = newEntry(edge, second, record);
      edge.entries.set(key, entry);
      this.#entries++;
    }
    edge.last = entry;
    return entry;
  }

  #second({ timeMs, count }: TrafficRecord, nowMs: number): number {
    if (timeMs < nowMs - this.#limits.lateMs) this.late += count;
    const oldest = nowMs - this.#limits.maxLateMs;
    // A clock that runs ahead must not write into seconds that are still to come.
    const second = Math.floor(Math.min(nowMs, Math.max(oldest, timeMs)) / 1000);
    if (this.#entries < this.#limits.maxEntries) return second;
    this.#overflowSecond ??= second;
    return this.#overflowSecond;
  }
}

interface EdgeEntries {
  edge: EdgeKey;
  id: string;
  sender: string | undefined;
  entries: Map<string, RollupEntry>;
  /** Which was counted in last: mostly it is the next one's, too. */
  last: RollupEntry | undefined;
}

const isOf = (entry: RollupEntry | undefined, second: number, record: TrafficRecord): entry is RollupEntry =>
  entry !== undefined &&
  entry.second === second &&
  entry.code === record.code &&
  entry.flags === record.flags &&
  entry.grpcStatus === record.grpcStatus;

function newEntry(edge: EdgeEntries, second: number, record: TrafficRecord): RollupEntry {
  return {
    edge: edge.edge,
    edgeId: edge.id,
    sender: edge.sender,
    second,
    code: record.code,
    flags: record.flags,
    grpcStatus: record.grpcStatus,
    count: 0,
    requestBytes: 0,
    responseBytes: 0,
    requestMessages: 0,
    responseMessages: 0,
    latency: new LatencySketch(),
  };
}
