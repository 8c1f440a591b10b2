import { LatencySketch } from "../../lib/latency-sketch.ts";
import type {
  CollectorRow,
  EdgeRow,
  LogQuery,
  LogRow,
  PeerRow,
  RollupRange,
  RollupRow,
  RollupSum,
  SpanRow,
  SumRange,
  TelemetryReader,
  TraceQuery,
  TraceRow,
} from "../../query/reader.ts";
import { type EdgeKey, edgeId } from "../../telemetry/record.ts";
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

/** Both sides of a telemetry store in one process, for tests. Seconds are folded when they are read. */
export class MemoryTelemetryStore implements TelemetryStore, TelemetryReader {
  #batches = new Set<number>();
  #edges = new Map<string, EdgeRow>();
  #rollups: (RollupEntry & { encoded: Uint8Array })[] = [];
  #logs: LogRow[] = [];
  #spans = new Map<string, SpanRecord & { receivedAtMs: number }>();
  #collectors = new Map<string, CollectorState>();

  async write(batch: TelemetryBatch): Promise<void> {
    const before = this.#collectors.get(batch.collector.id)?.freshAtMs ?? null;
    this.#collectors.set(batch.collector.id, {
      ...batch.collector,
      freshAtMs: batch.collector.freshAtMs === null ? before : Math.floor(batch.collector.freshAtMs),
    });
    if (this.#batches.has(batch.id)) return;
    this.#batches.add(batch.id);
    for (const entry of batch.rollups) {
      this.#edge(entry.edge);
      this.#rollups.push({ ...entry, encoded: entry.latency.encode() });
    }
    for (const { timeMs, edge, flags, ...sample } of batch.samples) {
      this.#logs.push({ ...sample, atMs: Math.floor(timeMs), edge: this.#edge(edge), flags: flagNames(flags) });
    }
    for (const span of batch.spans) {
      const key = `${span.traceId}/${span.spanId}`;
      if (!this.#spans.has(key)) this.#spans.set(key, { ...span, receivedAtMs: batch.collector.flushedAtMs });
    }
  }

  async compact({ nowMs, retention }: CompactionPass): Promise<{ more: boolean }> {
    const oldest = nowMs / 1000 - Math.max(...steps.map((step) => retention.steps[step]));
    this.#rollups = this.#rollups.filter((entry) => entry.second >= oldest);
    this.#logs = this.#logs
      .filter((log) => log.atMs >= nowMs - retention.samplesSec * 1000)
      .toSorted((a, b) => b.atMs - a.atMs)
      .slice(0, retention.maxSamples);
    const spans = [...this.#spans]
      .filter(([, span]) => span.receivedAtMs >= nowMs - retention.spansSec * 1000)
      .toSorted(([, a], [, b]) => b.receivedAtMs - a.receivedAtMs);
    this.#spans = new Map(spans.slice(0, retention.maxSpans));
    return { more: false };
  }

  async rollups({ stepSec, edges = () => true, ...range }: RollupRange): Promise<RollupRow[]> {
    const bucketOf = (entry: RollupEntry) => Math.floor(entry.second / stepSec) * stepSec * 1000;
    return this.#folded(range, bucketOf).filter((row) => edges(row.edge));
  }

  async sums(range: SumRange): Promise<RollupSum[]> {
    return this.#folded(range, () => range.fromMs).map(({ atMs: _, ...sum }) => sum);
  }

  async collectors(): Promise<CollectorRow[]> {
    return [...this.#collectors.values()];
  }

  async oldestAt(): Promise<number | null> {
    return this.#rollups.reduce<number | null>(
      (oldest, { second }) => Math.min(oldest ?? Infinity, second * 1000),
      null,
    );
  }

  async logs(query: LogQuery): Promise<LogRow[]> {
    return this.#logs
      .filter((log) => log.atMs >= query.fromMs && log.atMs < query.toMs)
      .filter((log) => query.service === undefined || log.edge.service === query.service)
      .filter((log) => isPeer(log.edge.source, query.source) && isPeer(log.edge.destination, query.destination))
      .filter((log) => !query.errorsOnly || log.code === 0 || log.code >= 400)
      .toSorted((a, b) => b.atMs - a.atMs)
      .slice(0, query.limit);
  }

  async traces(query: TraceQuery): Promise<TraceRow[]> {
    const traces = Map.groupBy(this.#spansByStart(), (span) => span.traceId);
    const matches = (span: SpanRecord) =>
      span.startUs >= query.fromMs * 1000 &&
      span.startUs < query.toMs * 1000 &&
      (query.service === undefined || span.service === query.service) &&
      (!query.errorsOnly || span.error);
    return [...traces.values()]
      .filter((spans) => spans.some(matches))
      .flatMap(traceRow)
      .toSorted((a, b) => b.startMs - a.startMs)
      .slice(0, query.limit);
  }

  async trace(traceId: string): Promise<SpanRow[]> {
    return this.#spansByStart()
      .filter((span) => span.traceId === traceId)
      .map(({ receivedAtMs: _, ...span }) => span);
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
      const key = `${atMs}\n${entry.edgeId}\n${entry.code}\n${entry.flags}`;
      let row = rows.get(key);
      if (row === undefined) {
        const of = { atMs, edge: this.#edge(entry.edge), code: entry.code, flags: flagNames(entry.flags) };
        const sums = { count: 0, requestBytes: 0, responseBytes: 0, latency: new Uint8Array() };
        row = { ...of, ...sums, sketch: new LatencySketch() };
        rows.set(key, row);
      }
      row.count += entry.count;
      row.requestBytes += entry.requestBytes;
      row.responseBytes += entry.responseBytes;
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

const isPeer = (peer: PeerRow, wanted: LogQuery["source"]): boolean =>
  wanted === undefined ||
  (peer.namespace === wanted.namespace &&
    peer.app === wanted.app &&
    (wanted.version === undefined || peer.version === wanted.version));

function traceRow(spans: readonly SpanRecord[]): TraceRow[] {
  const root = spans[0];
  if (root === undefined) return [];
  const end = Math.max(...spans.map((span) => span.startUs + span.durationUs));
  return [
    {
      traceId: root.traceId,
      startMs: root.startUs / 1000,
      durationMs: (end - root.startUs) / 1000,
      spans: spans.length,
      errors: spans.filter((span) => span.error).length,
      services: [...new Set(spans.map((span) => span.service))],
      root: { name: root.name, service: root.service },
    },
  ];
}
