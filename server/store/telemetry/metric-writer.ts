import type { MetricEntry, MetricSeries, MetricState } from "../../telemetry/metric-record.ts";
import { insertInto, valuesOf } from "./columns/column.ts";
import { metricSeriesColumns } from "./columns/metric-series.ts";
import { dictionaryMs, floorTo, insertBucket, markSql, metricBuckets } from "./compaction.ts";
import type { TelemetryDatabase } from "./database.ts";
import { encodeMetrics } from "./metric-bucket.ts";
import { stateRows } from "./metric-states.ts";

const maxKnown = 50_000;

/** Metrics: the dictionary of series, held in memory by its only writer, and a row for each bucket of time. */
export class MetricWriter {
  readonly #db: TelemetryDatabase;
  readonly #known = new Map<string, { id: number; seenAtMs: number }>();

  constructor(database: TelemetryDatabase) {
    this.#db = database;
  }

  write(batch: number, metrics: readonly MetricEntry[], nowMs: number): void {
    const entries = metrics.map((entry) => ({ ...entry, series: this.#idOf(entry, nowMs) }));
    const coarser = entries.length > 0 ? ([60, 3600] as const) : [];
    for (const [second, ofBucket] of Map.groupBy(entries, (entry) => floorTo(entry.second, 10))) {
      insertBucket(this.#db, "metric_bucket", 10, second, batch, encodeMetrics(ofBucket));
    }
    for (const step of coarser) {
      // As with the roll-up: what comes after its bucket was folded is a part of its own in the coarser one.
      const mark = Number(this.#db.get(markSql(metricBuckets), step)?.until ?? 0);
      const folded = entries.filter(({ second }) => second < mark);
      for (const [at, ofBucket] of Map.groupBy(folded, ({ second }) => floorTo(second, step))) {
        insertBucket(this.#db, "metric_bucket", step, at, batch, encodeMetrics(ofBucket));
      }
    }
  }

  writeStates(states: readonly MetricState[], nowMs: number): void {
    for (const row of stateRows(states)) this.#db.run(upsertState, ...row, nowMs);
  }

  forget(): void {
    this.#known.clear();
  }

  #idOf({ series, seriesId }: { series: MetricSeries; seriesId: string }, nowMs: number): number {
    const known = this.#known.get(seriesId);
    if (known !== undefined && nowMs - known.seenAtMs < dictionaryMs) return known.id;
    const id = Number(this.#db.get(upsertSeries, seriesId, ...valuesOf(metricSeriesColumns, series), nowMs)?.id);
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.set(seriesId, { id, seenAtMs: nowMs });
    return id;
  }
}

const seriesColumns = [{ name: "identity" }, ...metricSeriesColumns, { name: "seen_at" }];
const upsertSeries = `${insertInto("metric_series", seriesColumns)}
  ON CONFLICT (identity) DO UPDATE SET seen_at = excluded.seen_at, description = excluded.description RETURNING id`;

const upsertState = `INSERT INTO metric_state (identity, time_ms, start_ms, value, histogram, seen_at) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (identity) DO UPDATE SET time_ms = excluded.time_ms, start_ms = excluded.start_ms, value = excluded.value,
    histogram = excluded.histogram, seen_at = excluded.seen_at`;
