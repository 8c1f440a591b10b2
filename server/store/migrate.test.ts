import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MigrationError } from "./errors.ts";
import { applyMigrations } from "./migrate.ts";
import { openSqlite } from "./sqlite.ts";

const shipped = resolve(import.meta.dirname, "../../prisma/config/migrations");
const shippedCount = () => readdirSync(shipped, { withFileTypes: true }).filter((entry) => entry.isDirectory()).length;
let folder: string;
let directory: string;
let url: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "limpid-migrate-"));
  directory = join(folder, "migrations");
  cpSync(shipped, directory, { recursive: true });
  url = `file:${join(folder, "test.db")}`;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function addMigration(name: string, sql: string): void {
  mkdirSync(join(directory, name));
  writeFileSync(join(directory, name, "migration.sql"), sql);
}

async function query(sql: string) {
  const client = await openSqlite(url);
  try {
    return (await client.execute(sql)).rows;
  } finally {
    client.close();
  }
}

test("applies what lacks, in order and once, and keeps Prisma's books", async () => {
  const [first = ""] = await applyMigrations({ url, directory });
  addMigration("29990102000000_second", 'ALTER TABLE "b" ADD COLUMN "c" TEXT;');
  addMigration("29990101000000_first", 'CREATE TABLE "b" ("id" INTEGER);\nINSERT INTO "b" VALUES (1);');
  expect(await applyMigrations({ url, directory })).toEqual(["29990101000000_first", "29990102000000_second"]);
  expect(await applyMigrations({ url, directory })).toEqual([]);
  expect(await query('SELECT * FROM "b"')).toMatchObject([{ id: 1, c: null }]);
  const [row] = await query("SELECT * FROM _prisma_migrations ORDER BY migration_name");
  const sql = readFileSync(join(directory, first, "migration.sql"));
  expect(row).toMatchObject({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    migration_name: first,
    checksum: createHash("sha256").update(sql).digest("hex"),
    applied_steps_count: 1,
    rolled_back_at: null,
    logs: null,
  });
  expect(Number(row?.finished_at)).toBeGreaterThan(Date.parse("2020-01-01"));
});

test("a migration that fails leaves nothing behind", async () => {
  addMigration("29990101000000_good", 'CREATE TABLE "b" ("id" INTEGER);');
  addMigration("29990102000000_bad", 'CREATE TABLE "c" ("id" INTEGER);\nINSERT INTO "nowhere" VALUES (1);');
  await expect(applyMigrations({ url, directory })).rejects.toThrow(/29990102000000_bad failed: .*nowhere/);
  expect(await query("SELECT name FROM sqlite_master WHERE type = 'table'")).toEqual([]);
  rmSync(join(directory, "29990102000000_bad"), { recursive: true });
  expect(await applyMigrations({ url, directory })).toHaveLength(shippedCount() + 1);
});

test("refuses a database that doesn't fit the files", async () => {
  const [first = ""] = await applyMigrations({ url, directory });
  appendFileSync(join(directory, first, "migration.sql"), "-- edited\n");
  await expect(applyMigrations({ url, directory })).rejects.toThrow(/was changed after it was applied/);
  cpSync(shipped, directory, { recursive: true });
  addMigration("29990101000000_newer", 'CREATE TABLE "b" ("id" INTEGER);');
  await applyMigrations({ url, directory });
  await expect(applyMigrations({ url, directory: shipped })).rejects.toThrow(
    /29990101000000_newer, which this version of Limpid doesn't know/,
  );
  await query("UPDATE _prisma_migrations SET finished_at = NULL");
  await expect(applyMigrations({ url, directory })).rejects.toThrow(/begun and not finished/);
  mkdirSync(join(folder, "empty"));
  await expect(applyMigrations({ url, directory: join(folder, "empty") })).rejects.toThrow(MigrationError);
});

test("several processes may start on a new database at once", async () => {
  const script = join(folder, "apply.ts");
  const module = JSON.stringify(resolve(import.meta.dirname, "migrate.ts"));
  writeFileSync(
    script,
    `import { applyMigrations } from ${module};
     process.once("message", async (target) => process.send(await applyMigrations(target).catch((error) => String(error)), () => process.exit()));
     process.send("ready");`,
  );
  const children = Array.from({ length: 4 }, () => fork(script, { stdio: ["ignore", "inherit", "inherit", "ipc"] }));
  await Promise.all(children.map((child) => once(child, "message")));
  const answers = children.map((child) => once(child, "message"));
  for (const child of children) child.send({ url, directory });
  const applied = (await Promise.all(answers)).map(([answer]) => answer as string[]);
  expect(applied.map((names) => names.length).sort()).toEqual([0, 0, 0, shippedCount()]);
});

test("a database survives with write-ahead log and full synchronisation", async () => {
  await applyMigrations({ url, directory });
  const client = await openSqlite(url);
  try {
    const pragma = async (name: string) => Object.values((await client.execute(`PRAGMA ${name}`)).rows[0] ?? {})[0];
    expect(await pragma("journal_mode")).toBe("wal");
    expect(await pragma("synchronous")).toBe(2);
    expect(await pragma("busy_timeout")).toBeGreaterThan(0);
  } finally {
    client.close();
  }
});

test("says which file can't be used, and why", async () => {
  const file = join(folder, "text.db");
  writeFileSync(file, "this is no database, however long one looks at it ".repeat(100));
  await expect(openSqlite(`file:${file}`)).rejects.toThrow(`the database ${file} can't be used: `);
  const nowhere = join(folder, "no/such/folder/a.db");
  await expect(applyMigrations({ url: `file:${nowhere}`, directory })).rejects.toThrow(
    `the database ${nowhere} can't be used: `,
  );
});
