import type {
  ApplicationLogFilter,
  ApplicationLogQuery,
  ApplicationLogRow,
  AttributeValues,
  NewApplicationLogsQuery,
} from "../../query/reader.ts";
import { Conditions } from "./access-log-reader.ts";
import type { Row, Sql } from "./sql.ts";
import { fromHex } from "./trace-draft.ts";

/** Search of applications' own logs. */
export async function searchLogs(database: Sql, query: ApplicationLogQuery): Promise<ApplicationLogRow[]> {
  const where = conditionsOf(database, query);
  where.add("at_us >= ? AND at_us < ?", Math.floor(query.fromMs * 1000), Math.ceil(query.toMs * 1000));
  if (query.before !== undefined) where.add("(at_us, log.id) < (?, ?)", query.before.atUs, query.before.id);
  const sql = `${select} WHERE ${where.sql} ORDER BY at_us DESC, log.id DESC LIMIT ?`;
  return (await database.all(sql, ...where.values, query.limit)).map(logRow);
}

/** What was written since, in the order of writing. */
export async function newLogs(
  database: Sql,
  { afterId, limit, ...filter }: NewApplicationLogsQuery,
): Promise<{ rows: ApplicationLogRow[]; lastId: number }> {
  const newest = Number((await database.get("SELECT max(id) AS id FROM log"))?.id ?? 0);
  // Whoever begins, or held on to a file that was replaced, goes on from here.
  if (afterId <= 0 || afterId > newest) return { rows: [], lastId: newest };
  const where = conditionsOf(database, filter);
  where.add("log.id > ? AND log.id <= ?", afterId, newest);
  const sql = `${select} WHERE ${where.sql} ORDER BY log.id LIMIT ?`;
  const rows = (await database.all(sql, ...where.values, limit)).map(logRow);
  return { rows, lastId: rows.length < limit ? newest : (rows.at(-1)?.id ?? newest) };
}

const select = `SELECT log.id, at_us, service, severity, severity_text, body, event_name, lower(hex(trace_id)) AS trace_id,
    lower(hex(span_id)) AS span_id, scope, scope_attributes, log.attributes, resource.attributes AS resource
  FROM log LEFT JOIN resource ON resource.id = log.resource`;

function conditionsOf(database: Sql, query: ApplicationLogFilter): Conditions {
  const where = new Conditions();
  if (query.service !== undefined) where.add("service = ?", query.service);
  if (query.minSeverity !== undefined) where.add("severity >= ?", query.minSeverity);
  if (query.text !== undefined) where.add("instr(body, ?) > 0", query.text);
  if (query.traceId !== undefined)
    where.add(`trace_id = ? AND trace_id <> ${database.noBytes}`, fromHex(query.traceId));
  return where;
}

const logRow = (row: Row): ApplicationLogRow => ({
  id: Number(row.id),
  atUs: Number(row.at_us),
  service: String(row.service),
  severity: Number(row.severity),
  severityText: String(row.severity_text),
  body: String(row.body),
  eventName: String(row.event_name),
  traceId: String(row.trace_id),
  spanId: String(row.span_id),
  scope: String(row.scope),
  scopeAttributes: row.scope_attributes === "" ? {} : (JSON.parse(String(row.scope_attributes)) as AttributeValues),
  attributes: JSON.parse(String(row.attributes)) as AttributeValues,
  resource: row.resource === null ? {} : (JSON.parse(String(row.resource)) as AttributeValues),
});
