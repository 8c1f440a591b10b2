import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export async function temporaryDatabase(): Promise<{ path: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "limpid-telemetry-"));
  return { path: join(folder, "telemetry.db"), remove: () => rm(folder, { recursive: true, force: true }) };
}
