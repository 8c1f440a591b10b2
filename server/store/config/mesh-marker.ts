import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { UnusableDatabaseError } from "../errors.ts";

/** What lies beside a config database and outlives it, so that a mesh whose file is gone is not taken for a new one. */
const Marker = z.object({ mesh: z.string().min(1), since: z.string().optional() });
export type Marker = z.infer<typeof Marker>;

/** `data/config-mesh.json` of `data/config.db`: no `config.db*` that somebody deletes takes it along. */
export function markerPath(database: string): string {
  const name = basename(database);
  return join(dirname(database), `${name.replace(/\.[^.]*$/, "")}-mesh.json`);
}

/** Undefined when there is none. Throws `UnusableDatabaseError` when it can't be read. */
export function readMarker(database: string): Marker | undefined {
  const path = markerPath(database);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new UnusableDatabaseError(`${path}, which says whose database ${database} is, can't be read: ${error}`);
  }
  try {
    return Marker.parse(JSON.parse(text));
  } catch {
    throw new UnusableDatabaseError(
      `${path}, which says whose database ${database} is, is damaged; remove it to take the database as it is`,
    );
  }
}

/** Written beside and put in place at once: a power cut leaves none, or a whole one. */
export function writeMarker(database: string, mesh: string, since: string): void {
  const path = markerPath(database);
  const about = `A mesh is kept in ${basename(database)}. Remove this file, with the database, to begin with an empty one.`;
  const draft = `${path}.${randomUUID()}`;
  try {
    writeFileSync(draft, `${JSON.stringify({ mesh, since, about }, undefined, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new UnusableDatabaseError(`${path}, which says whose database ${database} is, can't be written: ${error}`);
  }
}

/** What a database file is by now, by its name alone. */
export type FileState = { exists: true; device: number; inode: number; born: number } | { exists: false; why: string };

export function fileState(database: string): FileState {
  const stat = statSync(database, { throwIfNoEntry: false });
  if (stat === undefined) return { exists: false, why: "is gone" };
  if (stat.size === 0) return { exists: false, why: "is empty" };
  return { exists: true, device: stat.dev, inode: stat.ino, born: stat.birthtimeMs };
}

export const beginAnew = (database: string, instead = "remove"): string =>
  `put the file or a backup of it in its place; to begin anew with an empty mesh, ${instead} ${markerPath(database)}, too`;

/** Throws `UnusableDatabaseError` where a mesh was kept and its file is gone or empty: what would be made there is no mesh of anybody. */
export function refuseMissing(database: string): Marker | undefined {
  const marker = readMarker(database);
  if (marker === undefined) return undefined;
  const state = fileState(database);
  if (state.exists) return marker;
  throw new UnusableDatabaseError(
    `the database ${database} ${state.why}, and a mesh was kept in it: ${beginAnew(database)}`,
  );
}
