import type { Direction } from "../wire/access-log-names.ts";
import type { Peer } from "../wire/peer.ts";
import type { Step } from "../wire/retention.ts";

/**
 * What the read models read. Implementations: memory and SQLite, held by one contract suite (server/store/telemetry/testing/contract/).
 * All times are Unix milliseconds unless named otherwise.
 */
export interface TelemetryReader {
  /**
   * The roll-up rows of the buckets that start in [fromMs, toMs), of length `stepSec` where compaction has got there, finer past it.
   * Both ends must be multiples of the step. Several rows of one bucket may tell of the same edge, code and flags.
   */
  rollups(range: RollupRange): Promise<RollupRow[]>;
  /**
   * The same requests as one row for each edge, code, gRPC status and set of flags of the whole range, read from the coarsest buckets that make it up.
   * Both ends must be full seconds, of times of which buckets as fine as they need are kept.
   */
  sums(range: SumRange): Promise<RollupSum[]>;
  collectors(): Promise<CollectorRow[]>;
  /** Start of the oldest bucket there is; null without any. */
  oldestAt(): Promise<number | null>;
  /** Stretches of time that touch [fromMs, toMs) and of which records may be missing, oldest first. */
  gaps(range: TimeRange): Promise<GapRow[]>;
  /** Access logs (all errors and a share of the rest), newest first. */
  logs(query: LogQuery): Promise<LogRow[]>;
  /** Access logs that were written after the row `afterId`, oldest first: for those who look on. `lastId` is where to go on from. */
  newLogs(query: NewLogsQuery): Promise<{ rows: LogRow[]; lastId: number }>;
  /** Traces that began in the range, newest first. */
  traces(query: TraceQuery): Promise<TraceRow[]>;
  /** A trace's spans by start; empty when it is unknown. */
  trace(traceId: string): Promise<SpanRow[]>;
  /** What services did, by name: for a form that searches traces. */
  operations(): Promise<OperationRow[]>;
  /** Applications' own logs, newest first. */
  applicationLogs(query: ApplicationLogQuery): Promise<ApplicationLogRow[]>;
  /** Those that were written after the row `afterId`, oldest first. `lastId` is where to go on from. */
  newApplicationLogs(query: NewApplicationLogsQuery): Promise<{ rows: ApplicationLogRow[]; lastId: number }>;
  /** The series of metrics that match, by name, service and instance. */
  metricSeries(query: MetricSeriesQuery): Promise<MetricSeriesRow[]>;
  /** What was stored of series in the buckets that start in [fromMs, toMs), in order; finer than `stepSec` where compaction has not got there. */
  metrics(query: MetricQuery): Promise<MetricRow[]>;
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
  /** 0 to 16; -1: none was told, or it is no gRPC. */
  grpcStatus: number;
  /** Envoy's response flags, short: `["DI", "FI"]`. */
  flags: readonly string[];
  count: number;
  requestBytes: number;
  responseBytes: number;
  /** Messages of gRPC, as who is called counted them. */
  requestMessages: number;
  responseMessages: number;
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

export interface TimeRange {
  fromMs: number;
  toMs: number;
}

export interface GapRow {
  fromMs: number;
  toMs: number;
  collector: string;
  /** `lost`: it ended without writing what it had, or stood still while proxies sent; `stopped`: nothing was taken in, and what proxies could keep came later. */
  cause: "lost" | "stopped";
}

export interface LogFilter {
  /** Hostname of the called service. */
  service?: string;
  source?: PeerFilter;
  destination?: PeerFilter;
  /** Node id of the proxy that told it. */
  proxy?: string;
  direction?: Direction;
  /** Status codes, both ends included; 0 is "no response". */
  codeFrom?: number;
  codeTo?: number;
  grpcStatus?: number;
  /** One of Envoy's response flags: `UF`. */
  flag?: string;
  method?: string;
  /** A part of the path, as it is written. */
  path?: string;
  /** A part of Envoy's response code details. */
  details?: string;
  minDurationMs?: number;
  maxDurationMs?: number;
  traceId?: string;
  requestId?: string;
  /** 4xx, 5xx, a gRPC status but OK, and no response only. */
  errorsOnly?: boolean;
}

export interface PeerFilter {
  namespace: string;
  app: string;
  version?: string;
}

export interface LogQuery extends LogFilter, TimeRange {
  /** Only rows before this one in the answer's order: the `cursor` of the last row that was read. */
  before?: LogCursor;
  limit: number;
}

export interface NewLogsQuery extends LogFilter {
  /** 0: begin with what comes from now on. */
  afterId: number;
  limit: number;
}

export interface LogCursor {
  atMs: number;
  id: number;
}

export interface LogRow {
  /** Grows with the order of writing. */
  id: number;
  /** End of the request. */
  atMs: number;
  edge: EdgeRow;
  direction: Direction;
  /** Node id of the proxy that told it. */
  proxy: string;
  code: number;
  /** 0 to 16; -1: none was told, or it is no gRPC. */
  grpcStatus: number;
  flags: readonly string[];
  durationMs: number;
  requestBytes: number;
  responseBytes: number;
  method: string;
  path: string;
  authority: string;
  requestId: string;
  /** Empty: unknown. */
  traceId: string;
  upstreamCluster: string;
  upstreamHost: string;
  /** Envoy's response code details. */
  details: string;
  /** The config object whose route it took, as an API path, and behind a `#` which rule of it: `…/virtual-service/reviews#http[0]`. Empty: unknown. */
  config: string;
}

export interface TraceQuery extends TimeRange {
  /** Some span is of this service … */
  service?: string;
  /** … with this name … */
  operation?: string;
  /** … and all of these attributes, its resource's among them; values as text. */
  tags?: Readonly<Record<string, string>>;
  /** Of the whole trace. */
  minDurationMs?: number;
  maxDurationMs?: number;
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
  /** Empty: a root. */
  parentSpanId: string;
  service: string;
  name: string;
  /** OTLP's SpanKind number: 2 is server, 3 is client. */
  kind: number;
  startUs: number;
  durationUs: number;
  error: boolean;
  attributes: AttributeValues;
  /** Attributes of what made it. */
  resource: AttributeValues;
  traceState: string;
  statusMessage: string;
  /** The library that made it; names may be empty, and attributes are left out where there are none. */
  scope: { name: string; version: string; attributes?: AttributeValues };
  events: readonly { atUs: number; name: string; attributes: AttributeValues }[];
  links: readonly { traceId: string; spanId: string; attributes: AttributeValues }[];
  /** How many it had more of, which nobody kept. */
  leftOut?: { attributes: number; events: number; links: number };
}

export type AttributeValues = Readonly<
  Record<string, string | number | boolean | readonly (string | number | boolean)[]>
>;

export interface OperationRow {
  service: string;
  operations: string[];
}

export interface ApplicationLogFilter {
  service?: string;
  /** OTLP's SeverityNumber at the least: 9 is info, 13 warn, 17 error. */
  minSeverity?: number;
  /** A part of the body. */
  text?: string;
  traceId?: string;
}

export interface ApplicationLogQuery extends ApplicationLogFilter, TimeRange {
  /** Only rows before this one in the answer's order. */
  before?: Pick<ApplicationLogRow, "atUs" | "id">;
  limit: number;
}

export interface NewApplicationLogsQuery extends ApplicationLogFilter {
  /** 0: begin with what comes from now on. */
  afterId: number;
  limit: number;
}

export interface ApplicationLogRow {
  id: number;
  /** Unix microseconds. */
  atUs: number;
  service: string;
  severity: number;
  severityText: string;
  body: string;
  eventName: string;
  /** Empty: of no trace. */
  traceId: string;
  spanId: string;
  scope: string;
  scopeAttributes: AttributeValues;
  attributes: AttributeValues;
  resource: AttributeValues;
}

export interface MetricSeriesQuery {
  name?: string;
  service?: string;
  instance?: string;
  limit: number;
}

export interface MetricSeriesRow {
  id: number;
  name: string;
  /** A counter's values are what it grew by; a histogram's are of its observations. */
  kind: "gauge" | "counter" | "histogram";
  unit: string;
  description: string;
  service: string;
  instance: string;
  labels: Readonly<Record<string, string>>;
}

export interface MetricQuery extends TimeRange {
  series: readonly number[];
  stepSec: 10 | 60 | 3600;
}

export interface MetricRow {
  atMs: number;
  series: number;
  /** Points, or observations of a histogram. */
  count: number;
  /** Of gauges, the values' sum; of counters, the increase; of histograms, the observations' sum. */
  sum: number;
  min: number;
  max: number;
  last: number;
  /** Of histograms, an encoded LatencySketch, in milliseconds where the unit is `s` or `ms`. */
  spread: Uint8Array | null;
}
