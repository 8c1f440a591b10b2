import { join, resolve } from "node:path";
import type { ConfigStore } from "../config/store.ts";
import type { Logger } from "../lib/logger.ts";
import { readMarker, writeMarker } from "./config/mesh-marker.ts";
import { openPrismaConfigStore } from "./config/prisma-config-store.ts";
import { openDirectoryConfigStore } from "./directory/directory-config-store.ts";
import { UnusableDatabaseError } from "./errors.ts";
import { postgresAddress } from "./postgres/address.ts";

export interface ConfigStorePlace {
  /** The data folder, which has `config.db`, or says which mesh is kept elsewhere. */
  data: string;
  /** The folder that has `prisma/`. */
  root: string;
  /** `postgres://user:password@host:5432/database`; empty or unset: SQLite in the data folder. */
  database: string | undefined;
  /** A folder of YAML files that is read and watched, and never written. */
  folder?: string | undefined;
  logger: Logger;
}

/** The store that `LIMPID_CONFIG_DATABASE` or `LIMPID_CONFIG_DIRECTORY` names. Throws `UnusableDatabaseError` and `MigrationError`. */
export async function openConfigStore(place: ConfigStorePlace): Promise<ConfigStore> {
  const { data, root, database, folder, logger } = place;
  if (folder) {
    if (database)
      throw new UnusableDatabaseError("LIMPID_CONFIG_DIRECTORY and LIMPID_CONFIG_DATABASE can't both be set");
    return openDirectoryConfigStore({ folder: resolve(folder), logger });
  }
  const url = postgresAddress("LIMPID_CONFIG_DATABASE", database);
  if (url === undefined) {
    return openPrismaConfigStore({
      url: `file:${join(data, "config.db")}`,
      migrations: join(root, "prisma/config/migrations"),
    });
  }
  const markerOf = join(data, "postgres");
  const marker = readMarker(markerOf);
  const { openPostgresConfigStore } = await import("./postgres/postgres-config-store.ts"); // few need its driver
  return openPostgresConfigStore({
    url,
    migrations: join(root, "prisma/config-postgres/migrations"),
    ...(marker && { mesh: marker.mesh }),
    onMesh: (mesh) => {
      if (marker === undefined) writeMarker(markerOf, mesh, new Date().toISOString());
    },
  });
}
