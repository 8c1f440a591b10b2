import { isAbsolute, join, resolve } from "node:path";
import { hopelessExitCode } from "../fleet/child.ts";
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

/** `--data`, else LIMPID_DATA, else `data` (`data-<offset>` for a mesh with an offset) in the current folder. */
export function dataFolderOf(options: CommonOptions): string {
  const named = options.data ?? process.env.LIMPID_DATA;
  const offset = portOffsetOf(options);
  const folder = named || (offset === 0 ? "data" : `data-${offset}`);
  return isAbsolute(folder) ? folder : join(process.cwd(), folder);
}

/** Prints one sentence and ends with exit code 1, or `hopelessExitCode` for what no new start mends. */
export function failWith(error: unknown): never {
  process.stderr.write(`limpid: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof UnusableDatabaseError || error instanceof MigrationError ? hopelessExitCode : 1);
}
