import { join } from "node:path";
import type { AccessStore } from "../access/store.ts";
import { openSqliteAccessStore } from "./access/sqlite-access-store.ts";

export interface AccessStorePlace {
  /** The data folder. */
  data: string;
  /** The folder that has `prisma/`. */
  root: string;
  /** As `ConfigStorePlace.database`: where the config is kept on a server, people are, too. */
  database: string | undefined;
}

/** Throws `UnusableDatabaseError` and `MigrationError`. */
export async function openAccessStore({ data, root, database }: AccessStorePlace): Promise<AccessStore> {
  if (!database) {
    return openSqliteAccessStore({ path: join(data, "access.db"), migrations: join(root, "prisma/access/migrations") });
  }
  const { openPostgresAccessStore } = await import("./access/postgres-access-store.ts"); // few need its driver
  return openPostgresAccessStore({ url: database, migrations: join(root, "prisma/config-postgres/migrations") });
}
