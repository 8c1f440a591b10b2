import { Pool } from "pg";
import { remember } from "../../../lib/remember.ts";
import type { TelemetryReader } from "../../../query/reader.ts";
import { placeOf, reasonOf } from "../../postgres/sql.ts";
import { readerOf } from "../reading.ts";
import type { RollupSql } from "../rollup-reader.ts";
import type { Row, Value } from "../sql.ts";
import { connectionTo, connectTelemetry, isLasting, PostgresSql, setSchema, type TelemetryServer } from "./database.ts";

const maxConnections = 4;

/**
 * The read side of telemetry on a PostgreSQL server. Settled buckets of the roll-up are kept. A server that is away is tried again with each question.
 * Throws `MigrationError` and `UnusableDatabaseError` where no other try would mend it.
 */
export async function openPostgresTelemetryReader(server: TelemetryServer): Promise<TelemetryReader> {
  const pool = new Pool({
    ...connectionTo(server.url),
    max: maxConnections,
    onConnect: (client) => setSchema(client) as unknown as undefined, // is waited for
  });
  pool.on("error", () => undefined); // an idle connection was lost: the next one is new
  const sql = new ReaderSql(new PostgresSql(pool), server);
  await sql.prepare().catch((error: unknown) => {
    if (isLasting(error)) throw error;
  });
  return { ...readerOf(sql), close: () => pool.end() };
}

class ReaderSql implements RollupSql {
  readonly noBytes: string;
  readonly #sql: PostgresSql;
  readonly #server: TelemetryServer;
  /** That the schema is up to date; looked at once. */
  readonly prepare: () => Promise<void>;

  constructor(sql: PostgresSql, server: TelemetryServer) {
    this.#sql = sql;
    this.#server = server;
    this.noBytes = sql.noBytes;
    this.prepare = remember(async () => (await connectTelemetry(server)).end(), Number.POSITIVE_INFINITY);
  }

  all(sql: string, ...values: Value[]): Promise<Row[]> {
    return this.#readable(() => this.#sql.all(sql, ...values));
  }

  get(sql: string, ...values: Value[]): Promise<Row | undefined> {
    return this.#readable(() => this.#sql.get(sql, ...values));
  }

  run(sql: string, ...values: Value[]): Promise<number> {
    return this.#readable(() => this.#sql.run(sql, ...values));
  }

  marks(): Promise<Row[]> {
    return this.all(
      `SELECT step, until FROM compaction UNION ALL
       SELECT 0, coalesce((SELECT min(settled_until) FROM waited_for), (SELECT max(settled_until) FROM collector)) / 1000 UNION ALL
       SELECT -1, (SELECT coalesce(sum(writes), 0) FROM collector) + (SELECT coalesce(sum(until), 0) FROM compaction) UNION ALL
       SELECT -2, sum(late_writes) FROM collector`,
    );
  }

  async #readable<T>(ask: () => Promise<T>): Promise<T> {
    await this.prepare();
    try {
      return await ask();
    } catch (error) {
      throw new Error(`the telemetry database ${placeOf(this.#server.url)} can't be read: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }
}
