import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UnusableDatabaseError } from "./errors.ts";
import { openSqlite } from "./sqlite.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "limpid-sqlite-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a file that is no database is refused by name, with what to do, and left as it is", async () => {
  const path = join(folder, "config.db");
  const content = "no database ".repeat(1000);
  writeFileSync(path, content);
  const error = await openSqlite(`file:${path}`).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UnusableDatabaseError);
  expect(String(error)).toContain(`the database ${path} can't be used: SQLITE_NOTADB`);
  expect(String(error)).toContain("it was left as it is: put a backup in its place");
  expect(readFileSync(path, "utf8")).toBe(content);
});

test("a file in a folder that isn't there is refused with what to do", async () => {
  const path = join(folder, "nowhere/config.db");
  const error = await openSqlite(`file:${path}`).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UnusableDatabaseError);
  expect(String(error)).toContain("its folder must exist and be writable");
});
