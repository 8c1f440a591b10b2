import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../lib/logger.ts";
import { runSidecar } from "../../sidecar/run.ts";
import { type EnvoyOptions, testBootstrap } from "../../xds/testing/envoy.ts";

/** Our own sidecar, in this process, on the bootstrap that `startEnvoy` would give to an Envoy. */
export async function startSidecar(options: EnvoyOptions): Promise<{ stop(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "limpid-sidecar-"));
  const configPath = join(dir, "bootstrap.json");
  await writeFile(configPath, JSON.stringify(testBootstrap(options)));
  const sidecar = await runSidecar({
    configPath,
    drainTimeMs: 100,
    version: "1.2.3",
    logger: silentLogger,
    logLevel: { get: () => "info", set: () => true },
  });
  return {
    async stop() {
      await sidecar.stop();
      await rm(dir, { recursive: true });
    },
  };
}
