import type {
  Graph,
  LatencyHeatmap,
  MetricCatalog,
  MetricResult,
  MutualTlsTrend,
  OutboundMetrics,
  Overview,
  Saturation,
  ServiceList,
  ServiceMetrics,
  WorkloadList,
  WorkloadMetrics,
  WorkloadView,
} from "../contract/index.ts";
import type { LiveHosts } from "./live-hosts.ts";
import type { MetricQuestion } from "./metric-groups.ts";
import type { TrendOf } from "./mutual-tls-trend.ts";
import type {
  ApplicationLogFilter,
  ApplicationLogQuery,
  ApplicationLogRow,
  LogFilter,
  LogQuery,
  LogRow,
  MetricSeriesQuery,
  MetricSeriesRow,
  OperationRow,
  RollupSum,
  SpanRow,
  TraceQuery,
  TraceRow,
} from "./reader.ts";
import type { LinesQuery, RecordedCalls, RecordedCallsQuery } from "./recorded-calls.ts";

/** The read models. Windows and steps are seconds, other times Unix milliseconds; all reject when the store can't be read. */
export interface Queries {
  /** `at` ends the window, for replay; left out, it ends with the last second that is known whole. */
  graph(query: { window: number; at?: number }): Promise<Graph>;
  serviceMetrics(query: ServiceMetricsQuery): Promise<ServiceMetrics>;
  /** What an application, or one of its workloads, calls. */
  outbound(query: OutboundQuery): Promise<OutboundMetrics>;
  serviceList(query: { window: number; at?: number }): Promise<ServiceList>;
  /** The registry's workloads, and gateways, with their traffic of both directions. */
  workloadList(query: {
    window: number;
    at?: number | undefined;
    workloads: readonly WorkloadView[];
  }): Promise<WorkloadList>;
  workloadMetrics(query: {
    window: number;
    at?: number | undefined;
    workload: Pick<WorkloadView, "namespace" | "app" | "version">;
    /** Its name, where others are of its version. */
    only?: string | undefined;
  }): Promise<WorkloadMetrics>;
  /** The mesh as a whole: the last minute, and the last hour in steps. */
  overview(query?: { window?: number | undefined; at?: number | undefined }): Promise<Overview>;
  /** How many requests took how long: of a service by its hostname, between two peers, or, without any of these, of what enters the mesh. */
  latencyHeatmap(
    query: { window: number; at?: number } & Pick<LogFilter, "service" | "source" | "destination">,
  ): Promise<LatencyHeatmap>;
  /** End of the newest request seen; null before the first. */
  freshAt(): Promise<number | null>;
  /** The same, with since when a collector that had more to tell has said nothing; null while all is well. */
  freshness(): Promise<{ freshAt: number | null; silentSince: number | null }>;
  /** Access logs, newest first; go on with the last row as `before`. At most 1,000 at a time. */
  logs(query: WithoutRange<LogQuery>): Promise<LogRow[]>;
  /** Access logs as they are written, in batches that are never empty, until the signal aborts. What is more than 500 at once is left out. */
  followLogs(filter: LogFilter, signal: AbortSignal): AsyncGenerator<LogRow[]>;
  traces(query: WithoutRange<TraceQuery>): Promise<TraceRow[]>;
  /** The spans of a trace by their start, in any case of letters; empty when it is unknown. */
  trace(traceId: string): Promise<SpanRow[]>;
  /** Services and what they do, for a form that searches traces. */
  operations(): Promise<OperationRow[]>;
  /** Applications' own, newest first; go on with the last row as `before`. At most 1,000 at a time. */
  applicationLogs(query: WithoutRange<ApplicationLogQuery>): Promise<ApplicationLogRow[]>;
  /** The same as they are written, as `followLogs` has it. */
  followApplicationLogs(filter: ApplicationLogFilter, signal: AbortSignal): AsyncGenerator<ApplicationLogRow[]>;
  metricSeries(query: MetricSeriesQuery): Promise<MetricSeriesRow[]>;
  metricCatalog(): Promise<MetricCatalog>;
  /** One metric by groups over a window; null where there is none of that name. */
  metricGroups(
    query: MetricQuestion & { window: number; step?: number | undefined; at?: number | undefined },
  ): Promise<MetricResult | null>;
  /** What each proxy says of its clusters' hosts right now. */
  liveHosts(): Promise<LiveHosts>;
  /** What was called in a window: every call counted, and the lines that are kept of them. */
  recordedCalls(query: RecordedCallsQuery): Promise<RecordedCalls>;
  /** Lines of a window that fit any of some filters, newest first. */
  lines(query: LinesQuery): Promise<Pick<RecordedCalls, "fromMs" | "toMs" | "rows" | "cut">>;
  /** How many calls of which edge, as told by both ends. */
  edgeCounts(query: {
    window: number;
    at?: number | undefined;
  }): Promise<{ fromMs: number; toMs: number; sums: RollupSum[] }>;
  /** How calls came over time: by mutual TLS, or in plain text. */
  mutualTlsTrend(query: { window: number; at?: number | undefined } & TrendOf): Promise<MutualTlsTrend>;
  /** How many connections fitted no filter chain of a listener, by its `<address>:<port>`. */
  turnedAway(query: { window: number; at?: number | undefined }): Promise<ReadonlyMap<string, number>>;
  /** How full each proxy was in the last minute before `at`. */
  saturation(query: { at?: number | undefined }): Promise<Saturation>;
  /** Values of series over a window, in about sixty steps unless `step` says how long each is, in seconds. */
  metrics(query: { series: number[]; window: number; step?: number; at?: number }): Promise<MetricValues>;
}

export interface ServiceMetricsQuery {
  namespace: string;
  /** Its hostname, or its resource's name. */
  name: string;
  window: number;
  step?: number;
  at?: number;
}

export interface OutboundQuery {
  namespace: string;
  app: string;
  workload?: string | undefined;
  window: number;
  at?: number | undefined;
}

export interface MetricValues {
  fromMs: number;
  stepSec: number;
  /** By series: what was stored of each step, or null where nothing was. */
  series: { id: number; steps: (MetricStep | null)[] }[];
}

export interface MetricStep {
  count: number;
  sum: number;
  min: number;
  max: number;
  last: number;
  /** Of histograms; null otherwise. In milliseconds where the series' unit is `s` or `ms`. */
  p50: number | null;
  p99: number | null;
}

/** A range may be left out: the last quarter of an hour. */
type WithoutRange<Q extends { fromMs: number; toMs: number }> = Omit<Q, "fromMs" | "toMs"> &
  Partial<Pick<Q, "fromMs" | "toMs">>;
