import { LatencySketch } from "../../lib/latency-sketch.ts";
import type {
  ApplicationLogFilter,
  ApplicationLogQuery,
  ApplicationLogRow,
  CollectorRow,
  EdgeRow,
  GapRow,
  LogFilter,
  LogQuery,
  LogRow,
  MetricQuery,
  MetricRow,
  MetricSeriesQuery,
  MetricSeriesRow,
  NewApplicationLogsQuery,
  NewLogsQuery,
  OperationRow,
  PeerRow,
  RollupRange,
  RollupRow,
  RollupSum,
  SpanRow,
  SumRange,
  TelemetryReader,
  TimeRange,
  TraceQuery,
  TraceRow,
} from "../../query/reader.ts";
import type { MetricState, MetricSum } from "../../telemetry/metric-record.ts";
import { type EdgeKey, edgeId } from "../../telemetry/record.ts";
import { isError } from "../../telemetry/samples.ts";
import type { SpanRecord } from "../../telemetry/span.ts";
import type {
  CollectorState,
  CompactionPass,
  RollupEntry,
  TelemetryBatch,
  TelemetryStore,
} from "../../telemetry/store.ts";
import { flagNames } from "../../wire/response-flags.ts";
import { steps } from "../../wire/retention.ts";
import { directionOf } from "./access-log-reader.ts";
import { fairShare } from "./log-shares.ts";
import { addMetric } from "./metric-bucket.ts";
import { metricStateMs } from "./metric-states.ts";
import { traceRow } from "./trace-reader.ts";

/** Both sides of a telemetry store in one process, for tests. Seconds are folded when they are read. */
export class MemoryTelemetryStore implements TelemetryStore, TelemetryReader {
  #batches = new Set<number>();
  #edges = new Map<string, EdgeRow>();
  #rollups: (RollupEntry & { encoded: Uint8Array })[] = [];
  #logs: (LogRow & { error: boolean })[] = [];
  #applicationLogs: ApplicationLogRow[] = [];
  #series = new Map<string, MetricSeriesRow>();
  #metrics: (MetricSum & { series: number; second: number })[] = [];
  #gaps: GapRow[] = [];
  #rows = 0;
  #spans = new Map<string, SpanRecord & { receivedAtMs: number }>();
  #collectors = new Map<string, CollectorState>();
  readonly #senders = new Map<string, number>();
  readonly #metricStates = new Map<string, { state: MetricState; seenAtMs: number }>();

  async write(batch: TelemetryBatch): Promise<void> {
    const last = this.#collectors.get(batch.collector.id);
    const before = last?.freshAtMs ?? null;
    if (last !== undefined && last.startedAtMs !== batch.collector.startedAtMs) {
      const fromMs = last.active ? last.completeUntilMs : last.flushedAtMs;
      const toMs = batch.collector.startedAtMs;
      const cause = last.active ? "lost" : "stopped";
      if (toMs - fromMs >= 1000) this.#gaps.push({ fromMs, toMs, collector: last.id, cause });
    }
    const { stalledFromMs, ...state } = batch.collector;
    if (stalledFromMs !== undefined && !this.#batches.has(batch.id)) {
      this.#gaps.push({ fromMs: stalledFromMs, toMs: state.flushedAtMs, collector: state.id, cause: "lost" });
    }
    this.#collectors.set(batch.collector.id, {
      ...state,
      freshAtMs: batch.collector.freshAtMs === null ? before : Math.floor(batch.collector.freshAtMs),
    });
    if (this.#batches.has(batch.id)) return;
    this.#batches.add(batch.id);
    for (const [sender, last] of batch.senders) this.#senders.set(sender, last);
    for (const entry of batch.rollups) {
      this.#edge(entry.edge);
      this.#rollups.push({ ...entry, encoded: entry.latency.encode() });
    }
    for (const record of batch.samples) {
      const { timeMs, edge, flags, count: _, detailed: __, ...sample } = record;
      const row = this.#edge(edge);
      const of = { id: ++this.#rows, edge: row, direction: directionOf(row), error: isError(record) };
      this.#logs.push({ ...sample, ...of, atMs: Math.floor(timeMs), flags: flagNames(flags) });
    }
    for (const log of batch.logs) this.#applicationLogs.push({ ...log, id: ++this.#rows });
    for (const { seriesId, series, ...sum } of batch.metrics) {
      const row = this.#series.get(seriesId) ?? { ...series, id: this.#series.size + 1 };
      this.#series.set(seriesId, row);
      this.#metrics.push({ ...sum, series: row.id });
    }
    const seenAtMs = batch.collector.flushedAtMs;
    for (const state of batch.metricStates) this.#metricStates.set(state.seriesId, { state, seenAtMs });
    for (const span of batch.spans) {
      const key = `${span.traceId}/${span.spanId}`;
      if (!this.#spans.has(key)) this.#spans.set(key, { ...span, receivedAtMs: batch.collector.flushedAtMs });
    }
  }

  async compact({ nowMs, retention }: CompactionPass): Promise<{ more: boolean }> {
    const oldest = nowMs / 1000 - Math.max(...steps.map((step) => retention.steps[step]));
    this.#rollups = this.#rollups.filter((entry) => entry.second >= oldest);
    const logs = this.#logs
      .filter((log) => log.atMs >= nowMs - retention.samplesSec * 1000)
      .toSorted((a, b) => b.atMs - a.atMs);
    this.#logs = [
      ...logs.filter((log) => log.error).slice(0, retention.maxErrorSamples),
      ...logs.filter((log) => !log.error).slice(0, retention.maxSamples),
    ];
    const lines = this.#applicationLogs
      .filter((log) => log.atUs >= (nowMs - retention.logsSec * 1000) * 1000)
      .toSorted((a, b) => b.atUs - a.atUs);
    const ofServices = [...Map.groupBy(lines, ({ service }) => service).values()];
    const share = fairShare(
      ofServices.map(({ length }) => length),
      retention.maxLogs,
    );
    this.#applicationLogs = ofServices.flatMap((own) => own.slice(0, share));
    const spans = [...this.#spans]
      .filter(([, span]) => span.receivedAtMs >= nowMs - retention.spansSec * 1000)
      .toSorted(([, a], [, b]) => b.receivedAtMs - a.receivedAtMs);
    this.#spans = new Map(spans.slice(0, retention.maxSpans));
    const statesFrom = nowMs - metricStateMs;
    for (const [id, { seenAtMs }] of this.#metricStates) if (seenAtMs < statesFrom) this.#metricStates.delete(id);
    return { more: false };
  }

  async senders(): Promise<ReadonlyMap<string, number>> {
    return new Map(this.#senders);
  }

  async metricStates(ids: readonly string[]): Promise<ReadonlyMap<string, MetricState>> {
    const states = ids.flatMap((id) => this.#metricStates.get(id)?.state ?? []);
    return new Map(states.map((state) => [state.seriesId, state]));
  }

  async lastWriteMs(collector: string): Promise<number | undefined> {
    return this.#collectors.get(collector)?.flushedAtMs;
  }

  async rollups({ stepSec, edges = () => true, ...range }: RollupRange): Promise<RollupRow[]> {
    const bucketOf = (entry: RollupEntry) => Math.floor(entry.second / stepSec) * stepSec * 1000;
    return this.#folded(range, bucketOf).filter((row) => edges(row.edge));
  }

  async sums(range: SumRange): Promise<RollupSum[]> {
    return this.#folded(range, () => range.fromMs).map(({ atMs: _, ...sum }) => sum);
  }

  async collectors(): Promise<CollectorRow[]> {
    return [...this.#collectors.values()].map(({ startedAtMs: _, ...collector }) => collector);
  }

  async oldestAt(): Promise<number | null> {
    return this.#rollups.reduce<number | null>(
      (oldest, { second }) => Math.min(oldest ?? Infinity, second * 1000),
      null,
    );
  }

  async gaps({ fromMs, toMs }: TimeRange): Promise<GapRow[]> {
    return this.#gaps.filter((gap) => gap.toMs > fromMs && gap.fromMs < toMs);
  }

  async logs({ fromMs, toMs, before, limit, ...filter }: LogQuery): Promise<LogRow[]> {
    return this.#logs
      .filter((log) => log.atMs >= fromMs && log.atMs < toMs && matchesLog(log, filter))
      .filter(({ atMs, id }) => !before || atMs < before.atMs || (atMs === before.atMs && id < before.id))
      .toSorted((a, b) => b.atMs - a.atMs || b.id - a.id)
      .slice(0, limit)
      .map(({ error: _, ...log }) => log);
  }

  async newLogs({ afterId, limit, ...filter }: NewLogsQuery): Promise<{ rows: LogRow[]; lastId: number }> {
    const lastId = this.#logs.reduce((newest, { id }) => Math.max(newest, id), 0);
    if (afterId <= 0) return { rows: [], lastId };
    const found = this.#logs.filter((log) => log.id > afterId && matchesLog(log, filter)).slice(0, limit);
    const rows = found.map(({ error: _, ...log }) => log);
    return { rows, lastId: rows.length < limit ? lastId : (rows.at(-1)?.id ?? lastId) };
  }

  async traces(query: TraceQuery): Promise<TraceRow[]> {
    return [...Map.groupBy(this.#spansByStart(), (span) => span.traceId).values()]
      .filter((spans) => matchesTrace(spans, query))
      .flatMap((spans) => traceRow(spans) ?? [])
      .filter(({ durationMs }) => durationMs >= (query.minDurationMs ?? 0))
      .filter(({ durationMs }) => durationMs <= (query.maxDurationMs ?? Number.POSITIVE_INFINITY))
      .toSorted((a, b) => b.startMs - a.startMs)
      .slice(0, query.limit);
  }

  async trace(traceId: string): Promise<SpanRow[]> {
    return this.#spansByStart()
      .filter((span) => span.traceId === traceId)
      .map(({ receivedAtMs: _, ...span }) => span);
  }

  async operations(): Promise<OperationRow[]> {
    const services = Map.groupBy(this.#spansByStart(), (span) => span.service);
    return [...services]
      .map(([service, spans]) => ({ service, operations: [...new Set(spans.map((span) => span.name))].toSorted() }))
      .toSorted((a, b) => (a.service < b.service ? -1 : 1));
  }

  async applicationLogs(query: ApplicationLogQuery): Promise<ApplicationLogRow[]> {
    const { before } = query;
    return this.#applicationLogs
      .filter((log) => log.atUs >= query.fromMs * 1000 && log.atUs < query.toMs * 1000)
      .filter((log) => matchesLine(log, query))
      .filter(({ atUs, id }) => !before || atUs < before.atUs || (atUs === before.atUs && id < before.id))
      .toSorted((a, b) => b.atUs - a.atUs || b.id - a.id)
      .slice(0, query.limit);
  }

  async newApplicationLogs({ afterId, limit, ...filter }: NewApplicationLogsQuery) {
    const lastId = this.#applicationLogs.reduce((newest, { id }) => Math.max(newest, id), 0);
    if (afterId <= 0) return { rows: [], lastId };
    const rows = this.#applicationLogs
      .filter((log) => log.id > afterId && matchesLine(log, filter))
      .toSorted((a, b) => a.id - b.id)
      .slice(0, limit);
    return { rows, lastId: rows.length < limit ? lastId : (rows.at(-1)?.id ?? lastId) };
  }

  async metricSeries({ name, service, instance, limit }: MetricSeriesQuery): Promise<MetricSeriesRow[]> {
    return [...this.#series.values()]
      .filter((series) => name === undefined || series.name === name)
      .filter((series) => service === undefined || series.service === service)
      .filter((series) => instance === undefined || series.instance === instance)
      .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id - b.id))
      .slice(0, limit);
  }

  async metrics({ fromMs, toMs, series, stepSec }: MetricQuery): Promise<MetricRow[]> {
    const sums = new Map<string, MetricSum & { series: number; atMs: number }>();
    for (const { second, ...entry } of this.#metrics) {
      const atMs = Math.floor(second / stepSec) * stepSec * 1000;
      if (atMs < fromMs || atMs >= toMs || !series.includes(entry.series)) continue;
      const key = `${entry.series} ${atMs}`;
      const sum = sums.get(key);
      if (sum === undefined) sums.set(key, { ...entry, atMs });
      else addMetric(sum, entry);
    }
    return [...sums.values()].map(({ spread, ...sum }) => ({ ...sum, spread: spread?.encode() ?? null }));
  }

  async close(): Promise<void> {}

  #spansByStart() {
    return [...this.#spans.values()].toSorted((a, b) => a.startUs - b.startUs);
  }

  /** Sums by bucket, edge, code and flags. */
  #folded({ fromMs, toMs }: SumRange, atMsOf: (entry: RollupEntry) => number): RollupRow[] {
    const rows = new Map<string, RollupRow & { sketch: LatencySketch }>();
    for (const entry of this.#rollups) {
      if (entry.second * 1000 < fromMs || entry.second * 1000 >= toMs) continue;
      const atMs = atMsOf(entry);
      const key = `${atMs}\n${entry.edgeId}\n${entry.code}\n${entry.flags}\n${entry.grpcStatus}`;
      let row = rows.get(key);
      if (row === undefined) {
        const of = { atMs, edge: this.#edge(entry.edge), code: entry.code, grpcStatus: entry.grpcStatus };
        const sums = {
          flags: flagNames(entry.flags),
          count: 0,
          requestBytes: 0,
          responseBytes: 0,
          requestMessages: 0,
          responseMessages: 0,
          latency: new Uint8Array(),
        };
        row = { ...of, ...sums, sketch: new LatencySketch() };
        rows.set(key, row);
      }
      row.count += entry.count;
      row.requestBytes += entry.requestBytes;
      row.responseBytes += entry.responseBytes;
      row.requestMessages += entry.requestMessages;
      row.responseMessages += entry.responseMessages;
      row.sketch.mergeEncoded(entry.encoded);
    }
    return [...rows.values()].map(({ sketch, ...row }) => ({ ...row, latency: sketch.encode() }));
  }

  #edge(edge: EdgeKey): EdgeRow {
    const id = edgeId(edge);
    let row = this.#edges.get(id);
    if (row === undefined) {
      row = { ...edge, id: this.#edges.size + 1 };
      this.#edges.set(id, row);
    }
    return row;
  }
}

function matchesLog(log: LogRow & { error: boolean }, filter: LogFilter): boolean {
  const is = <T>(wanted: T | undefined, value: T) => wanted === undefined || wanted === value;
  return (
    is(filter.service, log.edge.service) &&
    isPeer(log.edge.source, filter.source) &&
    isPeer(log.edge.destination, filter.destination) &&
    is(filter.proxy, log.proxy) &&
    is(filter.direction, log.direction) &&
    is(filter.grpcStatus, log.grpcStatus) &&
    is(filter.method, log.method) &&
    is(filter.traceId, log.traceId) &&
    is(filter.requestId, log.requestId) &&
    log.code >= (filter.codeFrom ?? 0) &&
    log.code <= (filter.codeTo ?? Number.POSITIVE_INFINITY) &&
    (filter.flag === undefined || log.flags.includes(filter.flag)) &&
    log.path.includes(filter.path ?? "") &&
    log.details.includes(filter.details ?? "") &&
    log.durationMs >= (filter.minDurationMs ?? 0) &&
    log.durationMs <= (filter.maxDurationMs ?? Number.POSITIVE_INFINITY) &&
    (!filter.errorsOnly || log.error)
  );
}

const isPeer = (peer: PeerRow, wanted: LogFilter["source"]): boolean =>
  wanted === undefined ||
  (peer.namespace === wanted.namespace &&
    peer.app === wanted.app &&
    (wanted.version === undefined || peer.version === wanted.version));

function matchesTrace(spans: readonly SpanRecord[], query: TraceQuery): boolean {
  const startUs = Math.min(...spans.map((span) => span.startUs));
  if (startUs < query.fromMs * 1000 || startUs >= query.toMs * 1000) return false;
  if (query.errorsOnly && !spans.some((span) => span.error)) return false;
  return spans.some(
    (span) =>
      (query.service === undefined || span.service === query.service) &&
      (query.operation === undefined || span.name === query.operation) &&
      Object.entries(query.tags ?? {}).every(
        ([key, value]) => String(span.attributes[key]) === value || String(span.resource[key]) === value,
      ),
  );
}

const matchesLine = (log: ApplicationLogRow, filter: ApplicationLogFilter): boolean =>
  (filter.service === undefined || log.service === filter.service) &&
  log.severity >= (filter.minSeverity ?? 0) &&
  log.body.includes(filter.text ?? "") &&
  (filter.traceId === undefined || log.traceId === filter.traceId);
