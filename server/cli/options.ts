import { mkdirSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { CertificateAuthorityError } from "../ca/errors.ts";
import { HopelessPartError, hopelessExitCode } from "../fleet/child.ts";
import { parsePortOffset } from "../fleet/ports.ts";
import { MigrationError, UnusableDatabaseError } from "../store/errors.ts";

/** Options that several commands share, as commander gives them. */
export interface CommonOptions {
  portOffset?: string;
  data?: string;
}

/** The repository's (or the installed package's) folder: the bundle lies in dist/server. */
export const packageRoot = resolve(import.meta.dirname, "../..");

export const portOffsetOf = (options: CommonOptions): number =>
  parsePortOffset(options.portOffset ?? process.env.LIMPID_PORT_OFFSET);

/** Of an option that may be given several times. Without a default, which commander's help would show as `[]`. */
export const collect = (value: string, before: string[] = []): string[] => [...before, value];

/** `--data`, else LIMPID_DATA, else `data` (`data-<offset>` for a mesh with an offset) in the current folder. */
export function dataFolderOf(options: CommonOptions): string {
  const named = options.data ?? process.env.LIMPID_DATA;
  const offset = portOffsetOf(options);
  const folder = named || (offset === 0 ? "data" : `data-${offset}`);
  return isAbsolute(folder) ? folder : join(process.cwd(), folder);
}

/** `dataFolderOf`, made where it is missing. Throws one sentence when it can't be. */
export function makeDataFolder(options: CommonOptions): string {
  const folder = dataFolderOf(options);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new Error(`the data folder ${folder} can't be made (${code}); choose another with --data or LIMPID_DATA.`);
  }
  return folder;
}

/** An error in a sentence for people. */
export function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // As Node says it, or gRPC around it.
  const taken = /EADDRINUSE[^[\]]*?((?:\d+\.){3}\d+:\d+)/.exec(message)?.[1];
  if (taken === undefined) return message;
  return `${taken} is taken by another process. Stop that one, or move every port with --port-offset 1000.`;
}

/** Prints one sentence and ends with exit code 1, or `hopelessExitCode` for what no new start mends. */
export function failWith(error: unknown): never {
  process.stderr.write(`limpid: ${sentenceOf(error)}\n`);
  process.exit(hopeless.some((kind) => error instanceof kind) ? hopelessExitCode : 1);
}

const hopeless = [UnusableDatabaseError, MigrationError, CertificateAuthorityError, HopelessPartError];
