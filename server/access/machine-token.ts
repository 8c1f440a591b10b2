import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { newSecret } from "./secrets.ts";

/** Its name in the data folder. */
export const machineTokenFile = "admin-token";

/** Undefined: there is none, or it can't be read by this user. */
export function readMachineToken(data: string): string | undefined {
  try {
    return readFileSync(join(data, machineTokenFile), "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * The token that stands for this machine's owner: whoever can read this file can read the mesh's keys beside it, too. Made by whichever process comes
 * first, in one step, so that no other ever reads a half of it.
 */
export function ensureMachineToken(data: string): string {
  const path = join(data, machineTokenFile);
  const found = readMachineToken(data);
  if (found !== undefined) {
    // Only where it is open to others: nothing is written to a file system that can only be read, and all can start on it.
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
    return found;
  }
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const token = `limpid_machine_${newSecret()}`;
  const staged = `${path}.${process.pid}.new`;
  rmSync(staged, { force: true });
  const file = openSync(staged, "wx", 0o600);
  try {
    writeSync(file, `${token}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(staged, path);
    return token;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const other = readMachineToken(data);
    if (other === undefined) throw new Error(`${path} is empty or can't be read; remove it`);
    return other;
  } finally {
    rmSync(staged, { force: true });
  }
}
