import type { ClientBase } from "pg";
import type { MigrationClient, MigrationDialect } from "../migrate.ts";
import { numbered } from "./sql.ts";

/** Two processes that start at once take turns by this lock of PostgreSQL; the number is nobody else's. */
const lock = 7_125_630_112;

/** The columns and types of Prisma's own table. https://github.com/prisma/prisma-engines, sql-schema-connector, flavour/postgres */
export const postgresDialect: MigrationDialect = {
  createTable: `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum"              VARCHAR(64) NOT NULL,
    "finished_at"           TIMESTAMPTZ,
    "migration_name"        VARCHAR(255) NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        TIMESTAMPTZ,
    "started_at"            TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count"   INTEGER NOT NULL DEFAULT 0
)`,
  time: (ms) => new Date(ms).toISOString(),
};

/** PostgreSQL's transactions hold changes of the schema, too, so that all migrations are applied or none. */
export function migrationClient(client: ClientBase): MigrationClient {
  return {
    async transaction() {
      await client.query("BEGIN");
      await client.query("SELECT pg_advisory_xact_lock($1)", [lock]);
      let isOpen = true;
      return {
        async execute(statement) {
          if (typeof statement === "string") return { rows: (await client.query(statement)).rows };
          return { rows: (await client.query(numbered(statement.sql), statement.args)).rows };
        },
        async executeMultiple(sql) {
          await client.query(sql);
        },
        async commit() {
          await client.query("COMMIT");
          isOpen = false;
        },
        close() {
          if (isOpen) void client.query("ROLLBACK").catch(() => undefined);
        },
      };
    },
  };
}
