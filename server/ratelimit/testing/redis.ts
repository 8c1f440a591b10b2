import { execFileSync } from "node:child_process";

/** A real redis-server; tests that need it are skipped where there is none. */
export const redisPath = process.env.LIMPID_REDIS ?? "redis-server";
export const redisMissing = isMissing();

function isMissing(): boolean {
  try {
    execFileSync(redisPath, ["--version"], { stdio: "ignore" });
    return false;
  } catch {
    return true;
  }
}
