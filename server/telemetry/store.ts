import type { LatencySketch } from "../lib/latency-sketch.ts";
import type { Retention } from "../wire/retention.ts";
import type { LogRecord } from "./log-record.ts";
import type { MetricEntry, MetricState } from "./metric-record.ts";
import type { EdgeKey, TrafficRecord } from "./record.ts";
import type { SpanRecord } from "./span.ts";

/** Where a collector writes. Implementations: memory and SQLite, held by one contract suite (server/store/telemetry/testing/contract/). */
export interface TelemetryStore {
  /** All or nothing. Writing a batch again that was already written, as after a failure of unknown outcome, changes nothing. */
  write(batch: TelemetryBatch): Promise<void>;
  /**
   * Folds finished buckets into the next step and forgets what is past its retention. A pass has a bounded amount of work; `more` says
   * that another is due at once. Idempotent: a pass cut off by a crash is repeated without counting anything twice.
   */
  compact(pass: CompactionPass): Promise<{ more: boolean }>;
  /** Up to which of their batches of access logs the senders of the last day are written; see {@link file://../wire/log-batches.ts}. */
  senders(): Promise<ReadonlyMap<string, number>>;
  /**
   * The same of some of them, as it is now; only of a store that other collectors write to as well. From here on what these senders send is counted
   * when it is written under this token, which is nobody else's; what another collector, or this one before, still holds of them is left out when it is written.
   */
  claim?(senders: readonly string[], token: string): Promise<ReadonlyMap<string, number>>;
  /** Of a store that other collectors write to as well: the way to tell them of traces that are kept here, and to be told of theirs, from here on. */
  shareKeptTraces?(onTold: (traceIds: readonly string[]) => void): (traceIds: readonly string[]) => void;
  /** What it knows of these series, by `seriesId`, of the last week. */
  metricStates(ids: readonly string[]): Promise<ReadonlyMap<string, MetricState>>;
  /** When this collector wrote last, in any of its runs; undefined: never. Unix milliseconds. */
  lastWriteMs(collector: string): Promise<number | undefined>;
  close(): Promise<void>;
}

/** That what was written before is gone, and the store was begun anew. */
export interface StoreReplaced {
  /** Unix milliseconds. */
  atMs: number;
  why: string;
}

export interface TelemetryBatch {
  /** Unique per batch and growing, over restarts too. */
  id: number;
  collector: CollectorState;
  rollups: readonly RollupEntry[];
  samples: readonly TrafficRecord[];
  spans: readonly SpanRecord[];
  /** Applications' own. */
  logs: readonly LogRecord[];
  metrics: readonly MetricEntry[];
  /** Up to where series that count since a start are counted by `metrics`. */
  metricStates: readonly MetricState[];
  /** Whose numbered batches of access logs are in it, and up to which: what is written and that it is written are one. */
  senders: ReadonlyMap<string, number>;
  /** Of a store that others write to: under which claim each of the senders was taken in. */
  claims: ReadonlyMap<string, string>;
}

/** What a collector says of itself with each batch; times in Unix milliseconds. */
export interface CollectorState {
  id: string;
  /**
   * When this run of it began. The first batch of a run ends the run before: from what that had written whole until now, what proxies sent
   * may be lost, which is stored as a gap.
   */
  startedAtMs: number;
  flushedAtMs: number;
  /** Everything that ended before this is in the store. */
  completeUntilMs: number;
  /** Nothing that ended before this will be written any more. */
  settledUntilMs: number;
  /** End of the newest request seen; null before the first. */
  freshAtMs: number | null;
  /** False: nothing more was waiting, so silence from here on means no traffic. */
  active: boolean;
  /** Left out but in the first batch after a time in which it stood still: what proxies sent meanwhile may be lost from here on. */
  stalledFromMs?: number;
}

/** Requests with the same code and flags, counted. */
export interface RequestCounts {
  code: number;
  /** As in TrafficRecord. */
  grpcStatus: number;
  /** Bits of {@link file://../wire/response-flags.ts}. */
  flags: number;
  count: number;
  requestBytes: number;
  responseBytes: number;
  /** As in TrafficRecord. */
  requestMessages: number;
  responseMessages: number;
  /** Milliseconds. */
  latency: LatencySketch;
}

/** The requests of one edge, code and set of flags that ended in one second. */
export interface RollupEntry extends RequestCounts {
  edge: EdgeKey;
  /** Of `edge`, as made by `edgeId`. */
  edgeId: string;
  /** Unix seconds. */
  second: number;
  /** As in TrafficRecord. */
  sender?: string | undefined;
}

export interface CompactionPass {
  nowMs: number;
  /** No record that ended before this will be written any more. */
  settledUntilMs: number;
  retention: Retention;
}
