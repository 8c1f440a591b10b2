import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Client } from "@libsql/client";

const migrations = resolve(import.meta.dirname, "../../../../prisma/telemetry/migrations");

export async function migrate(client: Client): Promise<void> {
  const { rows } = await client.execute("SELECT 1 FROM sqlite_master WHERE name = 'rollup'");
  if (rows.length > 0) return;
  for (const name of (await readdir(migrations)).sort()) {
    if (/^\d/.test(name)) await client.executeMultiple(await readFile(join(migrations, name, "migration.sql"), "utf8"));
  }
}

export async function temporaryDatabase(): Promise<{ path: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "limpid-telemetry-"));
  return { path: join(folder, "telemetry.db"), remove: () => rm(folder, { recursive: true, force: true }) };
}
