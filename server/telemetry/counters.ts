/** What the collector counts of itself, shown on `/metrics` and by `stats()`. Totals since start unless said otherwise. */
export interface CollectorStats {
  httpRecords: number;
  tcpRecords: number;
  /** Log entries that no direction could be told of: not from a Limpid configuration. */
  ignoredEntries: number;
  lateRecords: number;
  overflowedRecords: number;
  shedSamples: number;
  spans: number;
  rejectedSpans: number;
  shedSpans: number;
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
}

const metrics: Record<keyof CollectorStats, [name: string, type: "counter" | "gauge", help: string, scale?: number]> = {
  httpRecords: ["http_records_total", "counter", "HTTP access log entries received"],
  tcpRecords: ["tcp_records_total", "counter", "TCP access log entries received"],
  ignoredEntries: ["ignored_entries_total", "counter", "Access log entries with a log name that is not Limpid's"],
  lateRecords: ["late_records_total", "counter", "Records that came too late for their own second"],
  overflowedRecords: ["overflowed_records_total", "counter", "Records counted for the overflow edge"],
  shedSamples: ["shed_samples_total", "counter", "Request samples dropped because the queue was full"],
  spans: ["spans_total", "counter", "Spans received"],
  rejectedSpans: ["rejected_spans_total", "counter", "Spans refused because their ids are not valid"],
  shedSpans: ["shed_spans_total", "counter", "Spans dropped because the queue was full"],
  flushes: ["flushes_total", "counter", "Batches written to the store"],
  failedFlushes: ["failed_flushes_total", "counter", "Writes to the store that failed and are tried again"],
  flushMs: ["flush_seconds_total", "counter", "Time spent writing batches", 1e-3],
  lastFlushMs: ["last_flush_seconds", "gauge", "Time the last batch took to write", 1e-3],
  compactionMs: ["compaction_seconds_total", "counter", "Time spent compacting the store", 1e-3],
  streams: ["streams", "gauge", "Open access log streams"],
  openEntries: ["open_entries", "gauge", "Roll-up entries not yet written"],
  waitingSamples: ["waiting_samples", "gauge", "Request samples not yet written"],
  waitingSpans: ["waiting_spans", "gauge", "Spans not yet written"],
};

/** Prometheus text format 0.0.4. https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function renderMetrics(stats: CollectorStats): string {
  const lines: string[] = [];
  for (const [key, [name, type, help, scale = 1]] of Object.entries(metrics)) {
    const full = `limpid_collector_${name}`;
    lines.push(`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`);
    lines.push(`${full} ${stats[key as keyof CollectorStats] * scale}`);
  }
  return `${lines.join("\n")}\n`;
}
