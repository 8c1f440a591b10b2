import { Client, Pool } from "pg";
import type { AlertBook, Leadership } from "../../alerts/book.ts";
import { Notice, ReceiverRequest } from "../../contract/index.ts";
import { numbered, placeOf, reasonOf } from "../postgres/sql.ts";

const timeoutMs = 10_000;
/** Who tells has this lock of PostgreSQL for as long as its connection lives; the number is nobody else's. */
const lock = 7_125_630_114;

/**
 * Of dashboards of one mesh on several machines, beside its config (whose migrations made the tables). What the leader writes goes by the connection
 * that has the lock: when that is lost, nothing of it is written any more.
 */
export function postgresAlertBook(url: string): AlertBook {
  const settings = { connectionString: url, keepAlive: true, connectionTimeoutMillis: timeoutMs };
  const limits = { statement_timeout: timeoutMs, query_timeout: timeoutMs };
  const pool = new Pool({ ...settings, ...limits, max: 2 });
  pool.on("error", () => undefined); // an idle connection was lost: the next one is new
  const ask = async <T>(sql: string, ...values: unknown[]): Promise<T[]> => {
    try {
      return (await pool.query(numbered(sql), values)).rows as T[];
    } catch (error) {
      throw unreachable(url, error);
    }
  };
  return {
    async lead() {
      const client = new Client({ ...settings, ...limits });
      client.on("error", () => undefined); // its next statement says so
      try {
        await client.connect();
        const { rows } = await client.query<{ taken: boolean }>("SELECT pg_try_advisory_lock($1) AS taken", [lock]);
        if (rows[0]?.taken) return leadershipOf(client);
      } catch (error) {
        void client.end().catch(() => undefined);
        throw unreachable(url, error);
      }
      await client.end();
      return undefined;
    },
    async notices() {
      const rows = await ask<{ body: string }>(`SELECT "body" FROM "alert_notice"`);
      return rows.map(({ body }) => Notice.parse(JSON.parse(body)));
    },
    async receivers() {
      const rows = await ask<{ body: string }>(`SELECT "body" FROM "alert_receiver" ORDER BY "name"`);
      return rows.map(({ body }) => ReceiverRequest.parse(JSON.parse(body)));
    },
    async putReceiver(receiver, max) {
      const { name } = receiver;
      const written = await ask(
        `INSERT INTO "alert_receiver" ("name", "body") SELECT ?, ? WHERE (SELECT COUNT(*) FROM "alert_receiver" WHERE "name" <> ?) < ?
          ON CONFLICT ("name") DO UPDATE SET "body" = EXCLUDED."body" RETURNING "name"`,
        ...[name, JSON.stringify(receiver), name, max],
      );
      return written.length > 0;
    },
    async removeReceiver(name) {
      return (await ask(`DELETE FROM "alert_receiver" WHERE "name" = ? RETURNING "name"`, name)).length > 0;
    },
    close: () => pool.end(),
  };
}

function leadershipOf(client: Client): Leadership {
  /** What the table has by this one's hand; undefined: not read yet. */
  let written: Map<string, string> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const write = async (now: ReadonlyMap<string, string>): Promise<void> => {
    const before = written ?? (await bodies(client));
    const changed = [...now].filter(([id, body]) => before.get(id) !== body);
    const gone = [...before.keys()].filter((id) => !now.has(id));
    written = undefined;
    if (changed.length > 0)
      await client.query(
        `INSERT INTO "alert_notice" ("id", "body") SELECT * FROM unnest($1::text[], $2::text[])
          ON CONFLICT ("id") DO UPDATE SET "body" = EXCLUDED."body"`,
        [changed.map(([id]) => id), changed.map(([, body]) => body)],
      );
    if (gone.length > 0) await client.query(`DELETE FROM "alert_notice" WHERE "id" = ANY($1)`, [gone]);
    written = new Map(now);
  };
  return {
    holds: () =>
      client.query("SELECT 1").then(
        () => true,
        () => false,
      ),
    keep(notices) {
      const now = new Map(notices.map((notice) => [notice.id, JSON.stringify(notice)]));
      const mine = last.then(() => write(now));
      last = mine.catch(() => undefined);
      return mine;
    },
    async resign() {
      await last;
      await client.end().catch(() => undefined);
    },
  };
}

async function bodies(client: Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ id: string; body: string }>(`SELECT "id", "body" FROM "alert_notice"`);
  return new Map(rows.map(({ id, body }) => [id, body]));
}

const unreachable = (url: string, error: unknown): Error =>
  new Error(`alerts in the database ${placeOf(url)} can't be read or written: ${reasonOf(error)}`, { cause: error });
