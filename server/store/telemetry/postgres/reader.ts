import { Pool } from "pg";
import type { TelemetryReader } from "../../../query/reader.ts";
import { placeOf, reasonOf } from "../../postgres/sql.ts";
import { readerOf } from "../reading.ts";
import type { RollupSql } from "../rollup-reader.ts";
import type { Row, Value } from "../sql.ts";
import { connectionTo, connectTelemetry, PostgresSql, setSchema, type TelemetryServer } from "./database.ts";

const maxConnections = 4;

/** The read side of telemetry on a PostgreSQL server. Settled buckets of the roll-up are kept. */
export async function openPostgresTelemetryReader(server: TelemetryServer): Promise<TelemetryReader> {
  await (await connectTelemetry(server)).end();
  const pool = new Pool({ ...connectionTo(server.url), max: maxConnections });
  pool.on("error", () => undefined); // an idle connection was lost: the next one is new
  pool.on("connect", (client) => void setSchema(client).catch(() => undefined));
  return {
    ...readerOf(new ReaderSql(new PostgresSql(pool), placeOf(server.url))),
    close: () => pool.end(),
  };
}

class ReaderSql implements RollupSql {
  readonly noBytes: string;
  readonly #sql: PostgresSql;
  readonly #place: string;

  constructor(sql: PostgresSql, place: string) {
    this.#sql = sql;
    this.#place = place;
    this.noBytes = sql.noBytes;
  }

  all(sql: string, ...values: Value[]): Promise<Row[]> {
    return this.#readable(this.#sql.all(sql, ...values));
  }

  get(sql: string, ...values: Value[]): Promise<Row | undefined> {
    return this.#readable(this.#sql.get(sql, ...values));
  }

  run(sql: string, ...values: Value[]): Promise<number> {
    return this.#readable(this.#sql.run(sql, ...values));
  }

  marks(): Promise<Row[]> {
    return this.all(
      `SELECT step, until FROM compaction UNION ALL
       SELECT 0, coalesce((SELECT min(settled_until) FROM waited_for), (SELECT max(settled_until) FROM collector)) / 1000 UNION ALL
       SELECT -1, (SELECT coalesce(sum(writes), 0) FROM collector) + (SELECT coalesce(sum(until), 0) FROM compaction) UNION ALL
       SELECT -2, sum(late_writes) FROM collector`,
    );
  }

  async #readable<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw new Error(`the telemetry database ${this.#place} can't be read: ${reasonOf(error)}`, { cause: error });
    }
  }
}
