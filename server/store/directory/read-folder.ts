import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { DocumentError } from "../../config/kinds/documents.ts";
import { parseDocumentsAside } from "../../config/kinds/yaml-aside.ts";
import { type ConfigObject, formatKey, keyOf } from "../../config/object.ts";

/** As many files and bytes as are read; whoever has more has pointed at something else. */
const maxFiles = 10_000;
const maxFileBytes = 16 * 1024 * 1024;
const maxDepth = 16;

/** One file as it was read the last time. */
export interface FolderFile {
  /** From the folder's root. */
  name: string;
  digest: string;
  /** Its objects; while it has errors, those of before. */
  objects: readonly ConfigObject[];
  errors: readonly string[];
}

/** The files by name. */
export type FolderFiles = ReadonlyMap<string, FolderFile>;

/**
 * Every `.yaml`, `.yml` and `.json` file below the folder, by name; hidden ones are left out, and what they link to is followed. A file that is
 * as it was is not parsed again; one with errors keeps its objects of before. Throws the system's error when the folder can't be read.
 */
export async function readFolder(folder: string, before: FolderFiles): Promise<FolderFiles> {
  const names: string[] = [];
  await collect(folder, folder, 0, names);
  const files = new Map<string, FolderFile>();
  for (const name of names.sort()) files.set(name, await readOne(folder, name, before.get(name)));
  return files;
}

async function collect(root: string, folder: string, depth: number, names: string[]): Promise<void> {
  if (depth > maxDepth) throw new Error(`${folder} is deeper than ${maxDepth} folders, or links to itself`);
  for (const entry of await readdir(folder)) {
    if (entry.startsWith(".")) continue;
    const path = join(folder, entry);
    const info = await stat(path).catch(() => undefined); // a link to nothing, or gone by now
    if (info?.isDirectory()) await collect(root, path, depth + 1, names);
    else if (info?.isFile() && /\.(ya?ml|json)$/.test(entry)) names.push(relative(root, path));
    if (names.length > maxFiles) throw new Error(`${root} has more than ${maxFiles} files`);
  }
}

async function readOne(folder: string, name: string, before: FolderFile | undefined): Promise<FolderFile> {
  const failed = (digest: string, ...errors: string[]): FolderFile => ({
    name,
    digest,
    objects: before?.objects ?? [],
    errors,
  });
  let text: string;
  try {
    const path = join(folder, name);
    const { size } = await stat(path);
    if (size > maxFileBytes) return failed("", `${name}: must have at most ${maxFileBytes} bytes, not ${size}`);
    text = await readFile(path, "utf8");
  } catch (error) {
    return failed("", `${name}: can't be read: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
  const digest = createHash("sha256").update(text).digest("hex");
  if (before?.digest === digest) return before;
  const result = await parseDocumentsAside(text).catch((error: Error) => error);
  if (result instanceof Error) return failed(digest, `${name}: ${result.message}`);
  if (result.ok) return { name, digest, objects: result.value, errors: [] };
  return failed(digest, ...result.errors.map((error) => describe(name, error)));
}

function describe(name: string, { line, path, message }: DocumentError): string {
  const what = message.replace(/ \(document \d+, line \d+\)$/, ""); // the line stands in front already
  return `${name}:${line}: ${path ? `${path}: ` : ""}${what}`;
}

/** The objects of all files, those that stand in several once, with what is wrong between files. */
export function gather(files: FolderFiles): { objects: Map<string, ConfigObject>; errors: string[] } {
  const objects = new Map<string, ConfigObject>();
  const places = new Map<string, string>();
  const errors: string[] = [];
  for (const file of files.values()) {
    errors.push(...file.errors);
    for (const object of file.objects) {
      const key = formatKey(keyOf(object));
      const first = places.get(key);
      if (first !== undefined) {
        errors.push(`${file.name}: ${key} stands in ${first}, too; that one counts`);
        continue;
      }
      places.set(key, file.name);
      objects.set(key, object);
    }
  }
  return { objects, errors };
}
