import { join } from "node:path";
import type { ConfigStore } from "../config/store.ts";
import { readMarker, writeMarker } from "./config/mesh-marker.ts";
import { openPrismaConfigStore } from "./config/prisma-config-store.ts";
import { UnusableDatabaseError } from "./errors.ts";

export interface ConfigStorePlace {
  /** The data folder, which has `config.db`, or says which mesh is kept elsewhere. */
  data: string;
  /** The folder that has `prisma/`. */
  root: string;
  /** `postgres://user:password@host:5432/database`; empty or unset: SQLite in the data folder. */
  database: string | undefined;
}

/** The store that `LIMPID_CONFIG_DATABASE` names. Throws `UnusableDatabaseError` and `MigrationError`. */
export async function openConfigStore({ data, root, database }: ConfigStorePlace): Promise<ConfigStore> {
  if (!database) {
    return openPrismaConfigStore({
      url: `file:${join(data, "config.db")}`,
      migrations: join(root, "prisma/config/migrations"),
    });
  }
  if (!/^postgres(ql)?:\/\//.test(database)) {
    throw new UnusableDatabaseError(
      "LIMPID_CONFIG_DATABASE must be the address of a PostgreSQL database, such as postgres://limpid@db.example.com/limpid",
    );
  }
  const place = join(data, "postgres");
  const marker = readMarker(place);
  const { openPostgresConfigStore } = await import("./postgres/postgres-config-store.ts"); // few need its driver
  return openPostgresConfigStore({
    url: database,
    migrations: join(root, "prisma/config-postgres/migrations"),
    ...(marker && { mesh: marker.mesh }),
    onMesh: (mesh) => {
      if (marker === undefined) writeMarker(place, mesh, new Date().toISOString());
    },
  });
}
