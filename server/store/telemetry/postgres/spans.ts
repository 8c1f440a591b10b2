import type { ClientBase } from "pg";
import type { Attributes } from "../../../telemetry/attributes.ts";
import type { SpanRecord } from "../../../telemetry/span.ts";
import { text } from "../columns/column.ts";
import { spanColumns, traceColumns } from "../columns/span.ts";
import { maxTermBytes } from "../span-terms.ts";
import { addTo, fromHex, maxOperationChars, operationsText, type TraceDraft } from "../trace-draft.ts";
import { copyIn } from "./copy-in.ts";
import { CopyRows, storable } from "./copy-rows.ts";
import { Dictionary } from "./dictionary.ts";

/** How long ago a trace may have begun to come in, for its later spans to be put to it and for one that is sent again to be known. */
const openMs = 3_600_000;

/** Spans, and for each of their traces the row that a search looks at; the caller holds the writers' turn. */
export class PostgresSpans {
  readonly operations = new Dictionary<string>({
    table: "operation",
    columns: [
      text("service", (operation) => operation.split("\t", 2)[0] ?? ""),
      text("name", (operation) => operation.split("\t", 2)[1] ?? ""),
    ],
    maxKnown: 10_000,
  });

  async write(
    client: ClientBase,
    spans: readonly SpanRecord[],
    resources: (resource: Attributes) => number,
    nowMs: number,
  ): Promise<void> {
    if (spans.length === 0) return;
    const open = await openTraces(client, spans, nowMs);
    const rows = new CopyRows(spanColumns);
    const traces = new Map<string, TraceDraft>();
    const seen = new Set<string>();
    for (const span of spans) {
      const key = span.traceId + span.spanId;
      // An exporter that got no answer sends again.
      if (seen.has(key) || open.spans.has(key)) continue;
      seen.add(key);
      rows.add({ span, resource: resources(span.resource), receivedAtMs: nowMs });
      addTo(traces, span);
    }
    await copyIn(client, "span_rows", rows);
    const fresh = new CopyRows(traceColumns);
    const later: [string, TraceDraft][] = [];
    for (const [id, trace] of traces) {
      if (open.traces.has(id)) later.push([id, trace]);
      else fresh.add({ traceId: id, trace, receivedAtMs: nowMs });
    }
    await copyIn(client, "trace_rows", fresh);
    await addToTraces(client, later, nowMs);
    const operations = [...traces.values()].flatMap((trace) => [...trace.operations]);
    await this.operations.idsOf(client, new Map(operations.map((operation) => [operation, operation])), nowMs);
  }
}

/** Those traces that came in before, and which spans there are of them. */
async function openTraces(client: ClientBase, spans: readonly SpanRecord[], nowMs: number) {
  const ids = [...new Set(spans.map(({ traceId }) => traceId))].map(fromHex);
  const since = nowMs - openMs;
  const known = await client.query<{ trace_id: Buffer }>(
    "SELECT trace_id FROM trace WHERE trace_id = ANY($1::bytea[]) AND received_at >= $2",
    [ids, since],
  );
  const traces = known.rows.map(({ trace_id: id }) => id);
  if (traces.length === 0) return { traces: new Set<string>(), spans: new Set<string>() };
  const { rows } = await client.query<{ trace_id: Buffer; span_id: Buffer }>(
    "SELECT trace_id, span_id FROM span WHERE trace_id = ANY($1::bytea[]) AND received_at >= $2",
    [traces, since],
  );
  return {
    traces: new Set(traces.map((id) => id.toString("hex"))),
    spans: new Set(rows.map((row) => row.trace_id.toString("hex") + row.span_id.toString("hex"))),
  };
}

async function addToTraces(client: ClientBase, traces: readonly [string, TraceDraft][], nowMs: number): Promise<void> {
  if (traces.length === 0) return;
  await client.query(
    `UPDATE trace SET start_us = least(trace.start_us, later.start_us),
       end_us = greatest(trace.end_us, later.end_us), errors = trace.errors + later.errors,
       operations = CASE WHEN length(trace.operations) < ${maxOperationChars}
         THEN trace.operations || substr(later.operations, 2) ELSE trace.operations END,
       terms = CASE WHEN length(trace.terms) < ${maxTermBytes} THEN trace.terms || later.terms ELSE trace.terms END,
       received_at = greatest(trace.received_at, $7)
     FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::integer[], $5::text[], $6::bytea[])
       AS later(trace_id, start_us, end_us, errors, operations, terms)
     WHERE trace.trace_id = later.trace_id AND trace.received_at >= $8`,
    [
      traces.map(([id]) => fromHex(id)),
      traces.map(([, trace]) => trace.startUs),
      traces.map(([, trace]) => trace.endUs),
      traces.map(([, trace]) => trace.errors),
      traces.map(([, trace]) => storable(operationsText(trace.operations))),
      traces.map(([, trace]) => Buffer.from(trace.terms.encode())),
      nowMs,
      nowMs - openMs,
    ],
  );
}
