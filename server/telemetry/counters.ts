import type { ExportStats } from "./export/exporter.ts";
import type { SamplingStats } from "./tail-sampler.ts";

/** What the collector counts of itself, shown on `/metrics` and by `stats()`. Totals since start unless said otherwise. */
export interface CollectorStats {
  httpRecords: number;
  tcpRecords: number;
  /** Log entries that count for nothing; `/healthz` says whose they are. */
  ignoredEntries: number;
  /** Records whose caller's header was not believed. */
  disbelievedCallers: number;
  lateRecords: number;
  /** Requests, spans and log records. */
  misdatedRecords: number;
  overflowedRecords: number;
  shedSamples: number;
  spans: number;
  rejectedSpans: number;
  shedSpans: number;
  /** Applications' logs. */
  logs: number;
  shedLogs: number;
  metricPoints: number;
  refusedMetricPoints: number;
  flushes: number;
  failedFlushes: number;
  /** Milliseconds of all flushes, and of the last one. */
  flushMs: number;
  lastFlushMs: number;
  compactionMs: number;
  /** Now. */
  streams: number;
  openEntries: number;
  waitingSamples: number;
  waitingSpans: number;
  waitingLogs: number;
  metricSeries: number;
}

type Metric = [name: string, type: "counter" | "gauge", help: string, scale?: number];

const metrics: Record<keyof CollectorStats, Metric> = {
  httpRecords: ["http_records_total", "counter", "HTTP access log entries received"],
  tcpRecords: ["tcp_records_total", "counter", "TCP access log entries received"],
  ignoredEntries: ["ignored_entries_total", "counter", "Access log entries that count for nothing"],
  disbelievedCallers: [
    "disbelieved_callers_total",
    "counter",
    "Records whose caller was not believed to be who it said",
  ],
  lateRecords: ["late_records_total", "counter", "Records that came too late for their own second"],
  misdatedRecords: [
    "misdated_records_total",
    "counter",
    "Requests, spans and log records whose time was none, or to come; they are dated when they came",
  ],
  overflowedRecords: ["overflowed_records_total", "counter", "Records counted for the overflow edge"],
  shedSamples: ["shed_samples_total", "counter", "Request samples dropped because the queue was full"],
  spans: ["spans_total", "counter", "Spans received"],
  rejectedSpans: ["rejected_spans_total", "counter", "Spans refused because their ids are not valid"],
  shedSpans: ["shed_spans_total", "counter", "Spans dropped because the queue was full"],
  logs: ["logs_total", "counter", "Log records of applications received"],
  shedLogs: ["shed_logs_total", "counter", "Log records dropped because the queue was full"],
  metricPoints: ["metric_points_total", "counter", "Points of metrics received"],
  refusedMetricPoints: ["refused_metric_points_total", "counter", "Points refused because there are too many series"],
  flushes: ["flushes_total", "counter", "Batches written to the store"],
  failedFlushes: ["failed_flushes_total", "counter", "Writes to the store that failed and are tried again"],
  flushMs: ["flush_seconds_total", "counter", "Time spent writing batches", 1e-3],
  lastFlushMs: ["last_flush_seconds", "gauge", "Time the last batch took to write", 1e-3],
  compactionMs: ["compaction_seconds_total", "counter", "Time spent compacting the store", 1e-3],
  streams: ["streams", "gauge", "Open access log streams"],
  openEntries: ["open_entries", "gauge", "Roll-up entries not yet written"],
  waitingSamples: ["waiting_samples", "gauge", "Request samples not yet written"],
  waitingSpans: ["waiting_spans", "gauge", "Spans not yet written"],
  waitingLogs: ["waiting_logs", "gauge", "Log records not yet written"],
  metricSeries: ["metric_series", "gauge", "Series of metrics that are told of"],
};

const samplingMetrics: Record<keyof SamplingStats, Metric> = {
  keptErrors: ["sampling_kept_error_traces_total", "counter", "Traces kept for an error"],
  keptSlow: ["sampling_kept_slow_traces_total", "counter", "Traces kept as the slowest of an operation"],
  keptRandom: ["sampling_kept_random_traces_total", "counter", "Traces kept by chance"],
  keptElsewhere: [
    "sampling_kept_elsewhere_traces_total",
    "counter",
    "Traces kept because another collector keeps its spans of them",
  ],
  droppedTraces: ["sampling_dropped_traces_total", "counter", "Traces not kept"],
  droppedSpans: ["sampling_dropped_spans_total", "counter", "Spans of traces not kept"],
  truncatedSpans: ["sampling_truncated_spans_total", "counter", "Spans of traces with more than one may have"],
  earlyRounds: ["sampling_early_rounds_total", "counter", "Rounds that ended early because more came than is held"],
  lateSpans: ["sampling_late_spans_total", "counter", "Spans that came after their trace was decided"],
  heldTraces: ["sampling_held_traces", "gauge", "Traces not yet decided"],
  heldSpans: ["sampling_held_spans", "gauge", "Spans of traces not yet decided"],
};

const exportMetrics: Record<Exclude<keyof ExportStats, "signal" | "endpoint" | "lastError">, Metric> = {
  sent: ["exported_total", "counter", "Spans, points and log records that the backend took"],
  dropped: ["export_dropped_total", "counter", "Those left out because the export queue was full"],
  refused: [
    "export_refused_total",
    "counter",
    "Those that the backend refused, or that were left when the collector ended",
  ],
  retries: ["export_retries_total", "counter", "Attempts that failed and were made again"],
  waiting: ["export_waiting", "gauge", "Spans, points and log records not yet passed on"],
};

/** By signal; empty where nothing is passed on. */
export function renderExportMetrics(exports: readonly ExportStats[]): string {
  if (exports.length === 0) return "";
  const lines = Object.entries(exportMetrics).flatMap(([key, [name, type, help]]) => {
    const full = `limpid_collector_${name}`;
    const samples = exports.map((of) => `${full}{signal="${of.signal}"} ${of[key as keyof typeof exportMetrics]}`);
    return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...samples];
  });
  return `${lines.join("\n")}\n`;
}

/** Prometheus text format 0.0.4. https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const renderMetrics = (stats: CollectorStats): string => render(metrics, stats);

export const renderSamplingMetrics = (stats: SamplingStats): string => render(samplingMetrics, stats);

function render<K extends string>(of: Readonly<Record<K, Metric>>, values: Readonly<Record<K, number>>): string {
  const lines: string[] = [];
  for (const [key, [name, type, help, scale = 1]] of Object.entries<Metric>(of)) {
    const full = `limpid_collector_${name}`;
    lines.push(`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`);
    lines.push(`${full} ${values[key as K] * scale}`);
  }
  return `${lines.join("\n")}\n`;
}
