import type { Peer } from "../wire/peer.ts";
import type { Step } from "../wire/retention.ts";

/**
 * What the read models read. Implementations: memory and SQLite, held by one contract suite (server/store/telemetry/testing/contract.ts).
 * All times are Unix milliseconds unless named otherwise.
 */
export interface TelemetryReader {
  /**
   * The roll-up rows of the buckets that start in [fromMs, toMs), of length `stepSec` where compaction has got there, finer past it.
   * Both ends must be multiples of the step. Several rows of one bucket may tell of the same edge, code and flags.
   */
  rollups(range: RollupRange): Promise<RollupRow[]>;
  /**
   * The same requests as one row for each edge, code and set of flags of the whole range, read from the coarsest buckets that make it up.
   * Both ends must be full seconds, of times of which buckets as fine as they need are kept.
   */
  sums(range: SumRange): Promise<RollupSum[]>;
  collectors(): Promise<CollectorRow[]>;
  /** Start of the oldest bucket there is; null without any. */
  oldestAt(): Promise<number | null>;
  /** Sampled requests, newest first. */
  logs(query: LogQuery): Promise<LogRow[]>;
  /** Traces with a span in the range, newest first. */
  traces(query: TraceQuery): Promise<TraceRow[]>;
  /** A trace's spans by start; empty when it is unknown. */
  trace(traceId: string): Promise<SpanRow[]>;
  close(): Promise<void>;
}

export interface RollupRange {
  fromMs: number;
  toMs: number;
  stepSec: Step;
  /** Only rows of these; left out: of all. */
  edges?: (edge: EdgeRow) => boolean;
}

export interface SumRange {
  fromMs: number;
  toMs: number;
  /** False: latencies are left empty, which saves most of the work. */
  withLatency?: boolean;
}

export interface EdgeRow {
  id: number;
  reporter: "source" | "destination";
  gateway: boolean;
  source: PeerRow;
  service: string;
  destination: PeerRow;
  protocol: "http" | "grpc" | "tcp";
  mtls: boolean;
}

/** What is not known is empty. A destination without a workload was not reached. */
export type PeerRow = Peer;

export interface RollupRow extends RollupSum {
  atMs: number;
}

export interface RollupSum {
  /** The same object for the same edge. */
  edge: EdgeRow;
  code: number;
  /** Envoy's response flags, short: `["DI", "FI"]`. */
  flags: readonly string[];
  count: number;
  requestBytes: number;
  responseBytes: number;
  /** An encoded LatencySketch, in milliseconds. */
  latency: Uint8Array;
}

export interface CollectorRow {
  id: string;
  flushedAtMs: number;
  /** Everything that ended before this can be read. */
  completeUntilMs: number;
  /** Nothing that ended before this will be added. */
  settledUntilMs: number;
  freshAtMs: number | null;
  /** False: its silence means that there is no traffic. */
  active: boolean;
}

export interface LogQuery {
  fromMs: number;
  toMs: number;
  /** Hostname of the called service. */
  service?: string;
  source?: { namespace: string; app: string; version?: string };
  destination?: { namespace: string; app: string; version?: string };
  /** 4xx, 5xx and no response only. */
  errorsOnly?: boolean;
  limit: number;
}

export interface LogRow {
  atMs: number;
  edge: EdgeRow;
  code: number;
  flags: readonly string[];
  durationMs: number;
  requestBytes: number;
  responseBytes: number;
  method: string;
  path: string;
  authority: string;
  requestId: string;
  traceId: string;
  upstreamCluster: string;
  upstreamHost: string;
  details: string;
  config: string;
}

export interface TraceQuery {
  fromMs: number;
  toMs: number;
  service?: string;
  errorsOnly?: boolean;
  limit: number;
}

export interface TraceRow {
  traceId: string;
  startMs: number;
  durationMs: number;
  spans: number;
  errors: number;
  services: string[];
  /** The earliest span's name and service. */
  root: { name: string; service: string };
}

export interface SpanRow {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  service: string;
  name: string;
  kind: number;
  startUs: number;
  durationUs: number;
  error: boolean;
  attributes: Record<string, string | number | boolean>;
}
