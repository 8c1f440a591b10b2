import type { SpanRecord } from "../../telemetry/span.ts";
import { insertInto, valuesOf } from "./columns/column.ts";
import { spanColumns, traceColumns } from "./columns/span.ts";
import { dictionaryMs } from "./compaction.ts";
import type { TelemetryDatabase } from "./database.ts";
import type { Resources } from "./resources.ts";
import { maxTermBytes } from "./span-terms.ts";
import { addTo, maxOperationChars, type TraceDraft } from "./trace-draft.ts";

const maxOperations = 10_000;

/** Spans, and for each of their traces the row that a search looks at. */
export class SpanWriter {
  readonly #db: TelemetryDatabase;
  readonly #resources: Resources;
  /** When each service's operations were last written down. */
  readonly #operations = new Map<string, number>();

  constructor(database: TelemetryDatabase, resources: Resources) {
    this.#db = database;
    this.#resources = resources;
  }

  write(spans: readonly SpanRecord[], nowMs: number): void {
    const resources = this.#resources.idsOf(
      spans.map((span) => span.resource),
      nowMs,
    );
    const traces = new Map<string, TraceDraft>();
    for (const span of spans) {
      const row = { span, resource: resources.get(span.resource) ?? 0, receivedAtMs: nowMs };
      const added = this.#db.run(insertSpan, ...valuesOf(spanColumns, row));
      if (added > 0) addTo(traces, span); // an exporter that got no answer sends again
    }
    for (const [traceId, trace] of traces) this.#writeTrace(traceId, trace, nowMs);
  }

  forget(): void {
    this.#operations.clear();
  }

  #writeTrace(traceId: string, trace: TraceDraft, nowMs: number): void {
    this.#db.run(upsertTrace, ...valuesOf(traceColumns, { traceId, trace, receivedAtMs: nowMs }));
    for (const operation of trace.operations) {
      const seenMs = this.#operations.get(operation);
      if (seenMs !== undefined && nowMs - seenMs < dictionaryMs) continue;
      if (this.#operations.size >= maxOperations) this.#operations.clear();
      this.#operations.set(operation, nowMs);
      const [service = "", name = ""] = operation.split("\t");
      this.#db.run(upsertOperation, service, name, nowMs);
    }
  }
}

const insertSpan = `${insertInto("span", spanColumns)} ON CONFLICT DO NOTHING`;

const upsertTrace = `${insertInto("trace", traceColumns)}
  ON CONFLICT (trace_id) DO UPDATE SET start_us = min(start_us, excluded.start_us), end_us = max(end_us, excluded.end_us),
    errors = errors + excluded.errors, received_at = max(received_at, excluded.received_at),
    operations = CASE WHEN length(operations) < ${maxOperationChars}
      THEN operations || substr(excluded.operations, 2) ELSE operations END,
    terms = CASE WHEN length(terms) < ${maxTermBytes} THEN CAST(terms || excluded.terms AS BLOB) ELSE terms END`;

const upsertOperation = `INSERT INTO operation (service, name, seen_at) VALUES (?, ?, ?)
  ON CONFLICT (service, name) DO UPDATE SET seen_at = excluded.seen_at`;
