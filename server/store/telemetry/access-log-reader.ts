import type { EdgeRow, LogFilter, LogQuery, LogRow, NewLogsQuery, PeerFilter } from "../../query/reader.ts";
import type { Direction } from "../../wire/access-log-names.ts";
import { flagBitsOf, flagNames } from "../../wire/response-flags.ts";
import type { Row, Sql, Value } from "./sql.ts";

/** Search of access logs. */
export class AccessLogReader {
  readonly #db: Sql;
  readonly #edgesById: (ids: ReadonlySet<number>) => Promise<(id: number) => EdgeRow>;

  constructor(database: Sql, edgesById: (ids: ReadonlySet<number>) => Promise<(id: number) => EdgeRow>) {
    this.#db = database;
    this.#edgesById = edgesById;
  }

  async search({ fromMs, toMs, before, limit, ...filter }: LogQuery): Promise<LogRow[]> {
    const where = await this.#conditions(filter);
    if (where === undefined) return [];
    where.add("at >= ? AND at < ?", Math.floor(fromMs), Math.ceil(toMs));
    if (before !== undefined) where.add("(at, rowid) < (?, ?)", before.atMs, before.id);
    const sql = `SELECT rowid AS id, * FROM access_log WHERE ${where.sql} ORDER BY at DESC, rowid DESC LIMIT ?`;
    return this.#logRows(await this.#db.all(sql, ...where.values, limit));
  }

  async after({ afterId, limit, ...filter }: NewLogsQuery): Promise<{ rows: LogRow[]; lastId: number }> {
    const newest = Number((await this.#db.get("SELECT max(rowid) AS id FROM access_log"))?.id ?? 0);
    // Whoever begins, or held on to a file that was replaced, goes on from here.
    if (afterId <= 0 || afterId > newest) return { rows: [], lastId: newest };
    const where = await this.#conditions(filter);
    if (where === undefined) return { rows: [], lastId: newest };
    where.add("rowid > ? AND rowid <= ?", afterId, newest);
    const sql = `SELECT rowid AS id, * FROM access_log WHERE ${where.sql} ORDER BY rowid LIMIT ?`;
    const rows = await this.#logRows(await this.#db.all(sql, ...where.values, limit));
    return { rows, lastId: rows.length < limit ? newest : (rows.at(-1)?.id ?? newest) };
  }

  /** Undefined when there can be nothing. */
  async #conditions(filter: LogFilter): Promise<Conditions | undefined> {
    const where = new Conditions();
    const edges = await this.#edgesOf(filter);
    if (edges?.length === 0) return undefined;
    if (edges !== undefined) where.add(`edge IN (${edges.join(",")})`);
    if (filter.errorsOnly) where.add("error = 1");
    if (filter.proxy !== undefined) where.add("proxy = ?", filter.proxy);
    if (filter.codeFrom !== undefined) where.add("code >= ?", filter.codeFrom);
    if (filter.codeTo !== undefined) where.add("code <= ?", filter.codeTo);
    if (filter.grpcStatus !== undefined) where.add("grpc_status = ?", filter.grpcStatus);
    if (filter.method !== undefined) where.add("method = ?", filter.method);
    if (filter.path !== undefined) where.add("instr(path, ?) > 0", filter.path);
    if (filter.details !== undefined) where.add("instr(details, ?) > 0", filter.details);
    if (filter.minDurationMs !== undefined) where.add("duration_us >= ?", Math.floor(filter.minDurationMs * 1000));
    if (filter.maxDurationMs !== undefined) where.add("duration_us <= ?", Math.ceil(filter.maxDurationMs * 1000));
    if (filter.traceId !== undefined) where.add("trace_id = ? AND trace_id <> ''", filter.traceId.toLowerCase());
    if (filter.requestId !== undefined) where.add("request_id = ?", filter.requestId);
    if (filter.flag !== undefined) {
      const bits = flagBitsOf([filter.flag]);
      if (bits === 0) return undefined; // no such flag, so nobody has it
      where.add("flags & ? <> 0", bits);
    }
    return where;
  }

  async #edgesOf({ service, source, destination, direction }: LogFilter): Promise<number[] | undefined> {
    const where = new Conditions();
    if (service !== undefined) where.add("service = ?", service);
    if (source !== undefined) addPeer(where, "source", source);
    if (destination !== undefined) addPeer(where, "destination", destination);
    if (direction === "gateway") where.add("gateway = 1");
    else if (direction !== undefined) {
      where.add("gateway = 0 AND reporter = ?", direction === "outbound" ? "source" : "destination");
    }
    if (where.empty) return undefined;
    const rows = await this.#db.all(`SELECT id FROM edge WHERE ${where.sql}`, ...where.values);
    return rows.map((row) => Number(row.id));
  }

  async #logRows(rows: readonly Row[]): Promise<LogRow[]> {
    const edgeOf = await this.#edgesById(new Set(rows.map((row) => Number(row.edge))));
    return rows.map((row) => logRow(row, edgeOf(Number(row.edge))));
  }
}

function logRow(row: Row, edge: EdgeRow): LogRow {
  const text = (column: string) => String(row[column]);
  return {
    id: Number(row.id),
    atMs: Number(row.at),
    edge,
    direction: directionOf(edge),
    proxy: text("proxy"),
    code: Number(row.code),
    grpcStatus: Number(row.grpc_status),
    flags: flagNames(Number(row.flags)),
    durationMs: Number(row.duration_us) / 1000,
    requestBytes: Number(row.request_bytes),
    responseBytes: Number(row.response_bytes),
    method: text("method"),
    path: text("path"),
    authority: text("authority"),
    requestId: text("request_id"),
    traceId: text("trace_id"),
    upstreamCluster: text("upstream_cluster"),
    upstreamHost: text("upstream_host"),
    details: text("details"),
    config: text("config"),
  };
}

export const directionOf = ({ gateway, reporter }: Pick<EdgeRow, "gateway" | "reporter">): Direction =>
  gateway ? "gateway" : reporter === "source" ? "outbound" : "inbound";

function addPeer(where: Conditions, side: "source" | "destination", { namespace, app, version }: PeerFilter): void {
  where.add(`${side}_namespace = ? AND ${side}_app = ?`, namespace, app);
  if (version !== undefined) where.add(`${side}_version = ?`, version);
}

/** The terms of a WHERE and the values for their places, in order. */
export class Conditions {
  readonly values: Value[] = [];
  readonly #terms: string[] = [];

  add(term: string, ...values: Value[]): void {
    this.#terms.push(term);
    this.values.push(...values);
  }

  get empty(): boolean {
    return this.#terms.length === 0;
  }

  get sql(): string {
    return this.empty ? "1 = 1" : this.#terms.join(" AND ");
  }
}
