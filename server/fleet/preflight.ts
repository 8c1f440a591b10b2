import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { tryLockFile } from "../lib/file-lock.ts";
import { environmentOf, type PortHolder, portHolder } from "./kernel-view.ts";

/** What stops a start, said in one sentence; nothing has been started when it is thrown. */
export class PreflightError extends Error {}

export interface NeededPort {
  part: string;
  host: string;
  port: number;
}

export interface PortPatience {
  /** Whether the process that holds a port is about to leave it. */
  isLeaving(pid: number): boolean;
  timeoutMs: number;
}

/** Tries every port, waits for those whose holder is leaving, and names the first that stays taken, who holds it and how to move all of them. */
export async function checkPorts(needed: readonly NeededPort[], patience?: PortPatience): Promise<void> {
  const deadline = performance.now() + (patience?.timeoutMs ?? 0);
  for (const { part, host, port } of needed) {
    if (port > 65_535)
      throw new PreflightError(
        `${part} would need port ${port}, which does not exist; choose a smaller --port-offset.`,
      );
    for (let unseen = 0; ; ) {
      const code = await tryListen(host, port);
      if (code === undefined) break;
      if (code !== "EADDRINUSE") throw new PreflightError(`${part} can't listen on ${host}:${port} (${code}).`);
      const holder = portHolder(host, port);
      // Nobody to be seen: it has ended between the two looks, or is another user's.
      unseen = holder === undefined ? unseen + 1 : 0;
      const leaves = holder === undefined ? unseen < maxUnseen : patience?.isLeaving(holder.pid);
      if (leaves && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        continue;
      }
      throw new PreflightError(
        `${part} needs ${host}:${port}, which is taken by another process${nameOf(holder)}. Stop that one, or move every port with --port-offset 1000.`,
      );
    }
  }
}

const maxUnseen = 5;

const nameOf = (holder: PortHolder | undefined): string =>
  holder === undefined ? "" : ` (pid ${holder.pid}: ${holder.command})`;

/** Whether a process is a part of the mesh in this data folder. For whoever holds the folder's lock: a part of a supervisor that is gone. */
export const isPartOf = (pid: number, data: string): boolean =>
  environmentOf(pid, "LIMPID_LEASH") === "1" && environmentOf(pid, "LIMPID_DATA") === data;

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
    return takeLock(folder);
  } catch (error) {
    if (error instanceof PreflightError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new PreflightError(
      `the data folder ${folder} can't be written (${code ?? message}); choose another with --data or LIMPID_DATA.`,
    );
  }
}

/**
 * The kernel's lock on one file decides; another says whose it is, for people. A pid alone would not do: in a container the supervisor is
 * pid 1 each time, so that one which was killed would be found alive by its successor.
 */
function takeLock(folder: string): () => void {
  const owner = join(folder, "limpid.lock");
  const release = tryLockFile(join(folder, "run", "up.lock"));
  if (release === undefined) {
    throw new PreflightError(
      `the data folder ${folder} is in use by process ${ownerIn(owner)}; stop it, or choose another with --data.`,
    );
  }
  try {
    writeFileSync(owner, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    release();
    throw error;
  }
  return () => {
    rmSync(owner, { force: true });
    release();
  };
}

function ownerIn(file: string): string {
  try {
    return readFileSync(file, "utf8").trim().slice(0, 20) || "(unknown)";
  } catch {
    return "(unknown)";
  }
}
