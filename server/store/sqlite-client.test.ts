import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SqliteClient, SqliteError } from "./sqlite-client.ts";

let folder: string;
let client: SqliteClient;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "limpid-client-"));
  client = new SqliteClient(join(folder, "some.db"), 50);
  await client.executeMultiple(
    "PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, big BIGINT, b BLOB, s TEXT UNIQUE)",
  );
});
afterEach(() => {
  client.close();
  rmSync(folder, { recursive: true, force: true });
});

const insert = (s: string) => ({
  sql: "INSERT INTO t (big, b, s) VALUES (?, ?, ?)",
  args: [7n, new Uint8Array([1, 2]), s],
});
const openFiles = () =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false; // the one that lists them
    }
  }).length;

test("gives rows by place and by name, with the types as they were declared", async () => {
  expect(await client.execute(insert("x"))).toMatchObject({ rowsAffected: 1, lastInsertRowid: 1n });
  const { columns, columnTypes, rows } = await client.execute("SELECT id, big, b, s, 1.5 AS f, NULL AS n FROM t");
  expect(columns).toEqual(["id", "big", "b", "s", "f", "n"]);
  expect(columnTypes).toEqual(["INTEGER", "BIGINT", "BLOB", "TEXT", "", ""]);
  const bytes = new Uint8Array([1, 2]).buffer;
  expect(rows).toEqual([
    { length: 6, 0: 1, 1: 7, 2: bytes, 3: "x", 4: 1.5, 5: null, id: 1, big: 7, b: bytes, s: "x", f: 1.5, n: null },
  ]);
});

test("a number that JavaScript has no place for is refused, not rounded", async () => {
  await expect(client.execute("SELECT 9007199254740993")).rejects.toThrow("9007199254740993 is too large");
  await expect(client.execute({ sql: "SELECT ?", args: [Number.NaN] })).rejects.toThrow("NaN can't be stored");
  await expect(client.execute({ sql: "SELECT ?", args: [undefined] })).rejects.toThrow("type undefined");
});

test("SQLite's errors have its names and numbers", async () => {
  await client.execute(insert("x"));
  const error = await client.execute(insert("x")).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SqliteError);
  expect(error).toMatchObject({
    code: "SQLITE_CONSTRAINT",
    rawCode: 2067,
    message: "SQLITE_CONSTRAINT: UNIQUE constraint failed: t.s",
  });
});

test("a transaction is all or nothing, has the connection for itself, and ends once", async () => {
  const undone = await client.transaction();
  await undone.execute(insert("a"));
  await expect(client.execute("SELECT 1")).rejects.toMatchObject({ code: "TRANSACTION_ACTIVE" });
  undone.close();
  undone.close();
  const done = await client.transaction("deferred");
  await done.execute(insert("b"));
  await done.commit();
  await expect(done.execute(insert("c"))).rejects.toMatchObject({ code: "TRANSACTION_CLOSED" });
  expect((await client.execute("SELECT s FROM t")).rows.map(({ s }) => s)).toEqual(["b"]);
});

test("a transaction that another connection's write keeps out leaves nothing open", async () => {
  const other = new SqliteClient(join(folder, "some.db"), 50);
  const writing = await other.transaction();
  await expect(client.transaction()).rejects.toMatchObject({ code: "SQLITE_BUSY" });
  const deferred = await client.transaction("deferred");
  await expect(deferred.execute(insert("a"))).rejects.toMatchObject({ code: "SQLITE_BUSY" });
  await deferred.rollback();
  await writing.commit();
  const later = await client.transaction();
  await later.execute(insert("a"));
  await later.commit();
  other.close();
});

test("a transaction whose connection was renewed is rolled back, and doesn't end another one's", async () => {
  const lost = await client.transaction();
  await lost.execute(insert("a"));
  await client.reconnect();
  await expect(lost.commit()).rejects.toMatchObject({ code: "TRANSACTION_CLOSED" });
  const next = await client.transaction();
  lost.close();
  await next.execute(insert("b"));
  await next.commit();
  expect((await client.execute("SELECT s FROM t")).rows.map(({ s }) => s)).toEqual(["b"]);
});

test.skipIf(process.platform !== "linux")("what is closed leaves no file open", async () => {
  await client.execute(insert("a"));
  const before = openFiles();
  for (let round = 0; round < 20; round++) {
    await client.reconnect();
    await client.execute("SELECT * FROM t");
  }
  expect(openFiles()).toBe(before);
  client.close();
  expect(openFiles()).toBe(0);
});
