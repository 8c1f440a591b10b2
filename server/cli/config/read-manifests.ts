import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseDocuments } from "../../config/kinds/index.ts";
import type { ConfigObject } from "../../config/object.ts";
import { count } from "../count.ts";
import { CliError, type CliIo } from "./io.ts";

/** An object and the file it was read from. */
export interface Manifest {
  file: string;
  object: ConfigObject;
}

/**
 * The objects of files, folders (their .yaml, .yml and .json files by name, not below) and `-` for standard input, in order.
 * Throws a CliError with every error of every file: `file:line: path: message`.
 */
export async function readManifests(paths: readonly string[], io: CliIo): Promise<Manifest[]> {
  const errors: string[] = [];
  const manifests: Manifest[] = [];
  for (const { file, text } of await readTexts(paths, io)) {
    const result = parseDocuments(text);
    if (result.ok) manifests.push(...result.value.map((object) => ({ file, object })));
    else {
      for (const { line, path, message } of result.errors) {
        const what = message.replace(/ \(document \d+, line \d+\)$/, ""); // the line stands in front already
        errors.push(`${file}:${line}: ${path ? `${path}: ` : ""}${what}`);
      }
    }
  }
  if (errors.length > 0) throw new CliError(...errors, `error: ${count(errors.length, "error")}; nothing was changed`);
  if (manifests.length === 0)
    throw new CliError(
      `error: no objects in ${paths.map((path) => (path === "-" ? "standard input" : path)).join(", ")}`,
    );
  return manifests;
}

async function readTexts(paths: readonly string[], io: CliIo): Promise<{ file: string; text: string }[]> {
  const texts: { file: string; text: string }[] = [];
  for (const path of paths) {
    if (path === "-") texts.push({ file: "<stdin>", text: await io.stdin() });
    else for (const file of await filesOf(path)) texts.push({ file, text: await readFile(file, "utf8") });
  }
  return texts;
}

async function filesOf(path: string): Promise<string[]> {
  if (/^https?:\/\//i.test(path)) {
    throw new CliError(`error: ${path} is a URL, and only files are read; try: curl -fsSL ${path} | limpid apply -f -`);
  }
  try {
    if (!(await stat(path)).isDirectory()) return [path];
  } catch (error) {
    throw new CliError(`error: ${path} can't be read: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
  const names = (await readdir(path)).filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
  return names.map((name) => join(path, name));
}
