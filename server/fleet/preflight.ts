import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

/** What stops a start, said in one sentence; nothing has been started when it is thrown. */
export class PreflightError extends Error {}

export interface NeededPort {
  part: string;
  host: string;
  port: number;
}

/** Tries every port, and names the first that is taken and how to move all of them. */
export async function checkPorts(needed: readonly NeededPort[]): Promise<void> {
  for (const { part, host, port } of needed) {
    if (port > 65_535)
      throw new PreflightError(
        `${part} would need port ${port}, which does not exist; choose a smaller --port-offset.`,
      );
    const code = await tryListen(host, port);
    if (code === undefined) continue;
    throw new PreflightError(
      code === "EADDRINUSE"
        ? `${part} needs ${host}:${port}, which is taken by another process. Stop that one, or move every port with --port-offset 1000.`
        : `${part} can't listen on ${host}:${port} (${code}).`,
    );
  }
}

function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** Makes the data folder and takes its lock; returns the release. */
export function lockDataFolder(folder: string): () => void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK | constants.X_OK);
    mkdirSync(join(folder, "logs"), { recursive: true, mode: 0o700 });
    mkdirSync(join(folder, "run"), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new PreflightError(
      `the data folder ${folder} can't be written (${(error as NodeJS.ErrnoException).code}); choose another with --data or LIMPID_DATA.`,
    );
  }
  const lock = join(folder, "limpid.lock");
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(lock, `${process.pid}\n`, { flag: "wx", mode: 0o600 });
      return () => rmSync(lock, { force: true });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== "EEXIST") throw new PreflightError(`the data folder ${folder} can't be written (${code}).`);
      const owner = Number(readFileSync(lock, "utf8"));
      if (isAlive(owner)) {
        throw new PreflightError(
          `the data folder ${folder} is in use by process ${owner}; stop it, or choose another with --data.`,
        );
      }
      rmSync(lock, { force: true }); // left by a process that was killed
    }
  }
  throw new PreflightError(`the lock ${lock} can't be taken.`);
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
