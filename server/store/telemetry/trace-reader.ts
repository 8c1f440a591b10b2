import type { OperationRow, SpanRow, TraceQuery, TraceRow } from "../../query/reader.ts";
import { noSpanDetail, type SpanDetail } from "../../telemetry/span.ts";
import { Conditions } from "./access-log-reader.ts";
import { encodedTerm, maxTermBytes } from "./span-terms.ts";
import type { Row, Sql } from "./sql.ts";
import { fromHex } from "./trace-draft.ts";

const maxSpansOfTrace = 5000;
/** Traces whose spans are read to see whether a tag is really theirs; few are read in vain. */
const maxLookedAt = 20_000;
const pageSize = 200;
/** Traces whose spans are asked for together: a server answers several questions at once. */
const atOnce = 10;

/** Search of traces, and one trace whole. */
export class TraceReader {
  readonly #db: Sql;

  constructor(database: Sql) {
    this.#db = database;
  }

  async search(query: TraceQuery): Promise<TraceRow[]> {
    const exact = Object.keys(query.tags ?? {}).length === 0;
    const found: TraceRow[] = [];
    let before: { id: string; startUs: number } | undefined;
    for (let lookedAt = 0; lookedAt < maxLookedAt; lookedAt += pageSize) {
      const page = await this.#candidates(query, exact ? Math.min(query.limit, pageSize) : pageSize, before);
      for (let at = 0; at < page.length; at += atOnce) {
        for (const spans of await Promise.all(page.slice(at, at + atOnce).map(({ id }) => this.#spans(id, !exact)))) {
          const row = traceRow(spans);
          if (row !== undefined && (exact || spans.some((span) => matches(span, query)))) found.push(row);
          if (found.length >= query.limit) return found;
        }
      }
      if (page.length < pageSize) break;
      before = page.at(-1);
    }
    return found;
  }

  /** Traces that may be what is searched for, newest first, from the one after `before`. */
  async #candidates(
    query: TraceQuery,
    limit: number,
    before: { id: string; startUs: number } | undefined,
  ): Promise<{ id: string; startUs: number }[]> {
    const where = conditionsOf(query);
    if (before !== undefined) where.add("(start_us, trace_id) < (?, ?)", before.startUs, fromHex(before.id));
    const sql = `SELECT lower(hex(trace_id)) AS id, start_us FROM trace WHERE ${where.sql} ORDER BY start_us DESC, trace_id DESC LIMIT ?`;
    const rows = await this.#db.all(sql, ...where.values, limit);
    return rows.map((row) => ({ id: String(row.id), startUs: Number(row.start_us) }));
  }

  spansOf(traceId: string): Promise<SpanRow[]> {
    return this.#spans(traceId, true);
  }

  async operations(): Promise<OperationRow[]> {
    const rows = await this.#db.all("SELECT service, name FROM operation ORDER BY service, name LIMIT 10000");
    const services = Map.groupBy(rows, (row) => String(row.service));
    return [...services].map(([service, names]) => ({ service, operations: names.map(({ name }) => String(name)) }));
  }

  async #spans(traceId: string, withAttributes: boolean): Promise<SpanRow[]> {
    const columns = withAttributes ? "span.attributes, detail, resource.attributes AS resource" : "'' AS detail";
    const join = withAttributes ? "LEFT JOIN resource ON resource.id = span.resource" : "";
    const sql = `SELECT lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id,
        lower(hex(parent_span_id)) AS parent_span_id, service, name, kind, start_us, duration_us, error, ${columns}
      FROM span ${join} WHERE trace_id = ? ORDER BY start_us, span.id LIMIT ${maxSpansOfTrace}`;
    return (await this.#db.all(sql, fromHex(traceId))).map(spanRow);
  }
}

/** What can be told by a trace's row alone; of tags, that they may be there. */
function conditionsOf({ fromMs, toMs, service, operation, tags, ...query }: TraceQuery): Conditions {
  const where = new Conditions();
  where.add("start_us >= ? AND start_us < ?", Math.floor(fromMs * 1000), Math.ceil(toMs * 1000));
  if (query.minDurationMs !== undefined) where.add("end_us - start_us >= ?", Math.floor(query.minDurationMs * 1000));
  if (query.maxDurationMs !== undefined) where.add("end_us - start_us <= ?", Math.ceil(query.maxDurationMs * 1000));
  if (query.errorsOnly) where.add("errors > 0");
  if (service !== undefined || operation !== undefined) {
    const text = `${service === undefined ? "" : `\n${service}`}\t${operation === undefined ? "" : `${operation}\n`}`;
    where.add("instr(operations, ?) > 0", text);
  }
  for (const [key, value] of Object.entries(tags ?? {})) {
    where.add(`(instr(terms, ?) > 0 OR length(terms) >= ${maxTermBytes})`, encodedTerm(key, value));
  }
  return where;
}

function matches(span: SpanRow, { service, operation, tags }: TraceQuery): boolean {
  if (service !== undefined && span.service !== service) return false;
  if (operation !== undefined && span.name !== operation) return false;
  const has = ([key, value]: [string, string]) =>
    String(span.attributes[key]) === value || String(span.resource[key]) === value;
  return Object.entries(tags ?? {}).every(has);
}

/** The first that nobody called; a child that began in the same millisecond was sent before it. Where that is missing, the first whose caller is. */
function rootOf(spans: readonly SpanRow[]): SpanRow | undefined {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return (
    spans.find(({ parentSpanId }) => parentSpanId === "") ??
    spans.find(({ parentSpanId }) => !ids.has(parentSpanId)) ??
    spans[0]
  );
}

/** Of a trace's spans by their start. */
export function traceRow(spans: readonly SpanRow[]): TraceRow | undefined {
  const root = rootOf(spans);
  const [first] = spans;
  if (root === undefined || first === undefined) return undefined;
  const end = spans.reduce((latest, span) => Math.max(latest, span.startUs + span.durationUs), 0);
  return {
    traceId: root.traceId,
    startMs: first.startUs / 1000,
    durationMs: (end - first.startUs) / 1000,
    spans: spans.length,
    errors: spans.filter((span) => span.error).length,
    services: [...new Set(spans.map((span) => span.service))],
    root: { name: root.name, service: root.service },
  };
}

const parsed = <T>(text: unknown): T | undefined => (text ? (JSON.parse(String(text)) as T) : undefined);

const spanRow = (row: Row): SpanRow => ({
  traceId: String(row.trace_id),
  spanId: String(row.span_id),
  parentSpanId: String(row.parent_span_id),
  service: String(row.service),
  name: String(row.name),
  kind: Number(row.kind),
  startUs: Number(row.start_us),
  durationUs: Number(row.duration_us),
  error: Boolean(row.error),
  attributes: parsed(row.attributes) ?? {},
  resource: parsed(row.resource) ?? {},
  ...(parsed<SpanDetail>(row.detail) ?? noSpanDetail),
});
