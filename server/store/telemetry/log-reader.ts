import type { ApplicationLogQuery, ApplicationLogRow, AttributeValues } from "../../query/reader.ts";
import { Conditions } from "./access-log-reader.ts";
import type { Sql } from "./sql.ts";
import { fromHex } from "./trace-draft.ts";

/** Search of applications' own logs. */
export async function searchLogs(database: Sql, query: ApplicationLogQuery): Promise<ApplicationLogRow[]> {
  const where = new Conditions();
  where.add("at_us >= ? AND at_us < ?", Math.floor(query.fromMs * 1000), Math.ceil(query.toMs * 1000));
  if (query.service !== undefined) where.add("service = ?", query.service);
  if (query.minSeverity !== undefined) where.add("severity >= ?", query.minSeverity);
  if (query.text !== undefined) where.add("instr(body, ?) > 0", query.text);
  if (query.traceId !== undefined)
    where.add(`trace_id = ? AND trace_id <> ${database.noBytes}`, fromHex(query.traceId));
  const sql = `SELECT log.id, at_us, service, severity, severity_text, body, event_name, lower(hex(trace_id)) AS trace_id,
      lower(hex(span_id)) AS span_id, scope, log.attributes, resource.attributes AS resource
    FROM log LEFT JOIN resource ON resource.id = log.resource
    WHERE ${where.sql} ORDER BY at_us DESC, log.id DESC LIMIT ?`;
  return (await database.all(sql, ...where.values, query.limit)).map((row) => ({
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
    attributes: JSON.parse(String(row.attributes)) as AttributeValues,
    resource: row.resource === null ? {} : (JSON.parse(String(row.resource)) as AttributeValues),
  }));
}
