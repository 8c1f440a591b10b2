import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** A file of JSON that its owner alone may read, replaced as a whole. */
export interface JsonFile {
  /** Undefined where there is no file yet. Throws an Error that names a file that can't be read. */
  read(): unknown;
  write(value: unknown): void;
}

export function jsonFile(path: string): JsonFile {
  return {
    read() {
      try {
        return JSON.parse(readFileSync(path, "utf8"));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw new Error(`${path} can't be read: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
    write(value) {
      const staged = `${path}.${process.pid}.new`;
      rmSync(staged, { force: true });
      writeFileSync(staged, `${JSON.stringify(value)}\n`, { mode: 0o600, flag: "wx", flush: true });
      renameSync(staged, path);
    },
  };
}
