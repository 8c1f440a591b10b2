import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { defaultRetention } from "../../wire/retention.ts";
import { openTelemetryFile } from "./database.ts";
import { openSqliteTelemetryReader } from "./sqlite-reader.ts";
import { openSqliteTelemetryStore } from "./sqlite-store.ts";
import { batch, edge, rollup } from "./testing/records.ts";
import { temporaryDatabase } from "./testing/temporary-database.ts";

const t0 = 1_767_225_600;
const all = { fromMs: t0 * 1000, toMs: (t0 + 3600) * 1000, stepSec: 1 } as const;
const key = edge("productpage", "reviews/v1");
const one = (second: number) => batch({ rollups: [rollup(key, t0 + second)] });

let database: Awaited<ReturnType<typeof temporaryDatabase>>;
const replaced: string[] = [];
const open = () => openSqliteTelemetryStore({ path: database.path, onReplaced: (why) => replaced.push(why) });
beforeEach(async () => {
  database = await temporaryDatabase();
  replaced.length = 0;
});
afterEach(() => database.remove());

it.each([
  ["with its journal", ["", "-wal", "-shm"]],
  ["without", [""]],
])("a file deleted %s while it is written and read is made again", async (_, suffixes) => {
  const store = await open();
  const reader = await openSqliteTelemetryReader({ path: database.path });
  await store.write(one(1));
  expect(await reader.rollups(all)).toHaveLength(1);
  for (const suffix of suffixes) rmSync(database.path + suffix);
  await store.write(one(2));
  await store.write(one(3));
  expect((await reader.rollups(all)).map((row) => row.atMs / 1000 - t0)).toEqual([2, 3]);
  expect(replaced).toEqual(["it was deleted"]);
  await reader.close();
  await store.close();
});

it("a file that breaks is put aside, and the batch is written to the next one", async () => {
  const store = await open();
  for (let second = 0; second < 200; second++) await store.write(one(second));
  const client = await openTelemetryFile({ path: database.path });
  client.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  client.close();
  truncateSync(database.path, 8192);
  writeFileSync(database.path, Buffer.alloc(4096, 7), { flag: "r+" });
  await store.write(one(300)).catch(() => store.write(one(300)));
  const reader = await openSqliteTelemetryReader({ path: database.path });
  expect((await reader.rollups(all)).map((row) => row.atMs / 1000 - t0)).toEqual([300]);
  expect(existsSync(`${database.path}.damaged`)).toBe(true);
  expect(replaced).toHaveLength(1);
  await reader.close();
  await store.close();
});

it("what is no database at all does not keep the collector from starting", async () => {
  writeFileSync(database.path, "no database".repeat(1000));
  const store = await open();
  await store.write(one(1));
  expect(replaced).toEqual([expect.stringContaining("not a database")]);
  await store.close();
});

it("a file that another program has locked fails the write soon, and takes it later", async () => {
  const store = await open();
  await store.write(one(1));
  const script = `
    const { DatabaseSync } = require("node:sqlite");
    const db = new DatabaseSync(${JSON.stringify(database.path)});
    db.exec("BEGIN IMMEDIATE");
    console.log("locked");
    process.stdin.once("end", () => db.exec("COMMIT")).resume();`;
  const other = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
  await once(other.stdout, "data");
  await expect(store.write(one(2))).rejects.toMatchObject({ errcode: 5 });
  other.stdin.end();
  await once(other, "exit");
  await store.write(one(2));
  await store.close();
});

it("a full disk fails the write and leaves what is there; with room again everything is taken", async () => {
  const store = await open();
  await store.write(one(1));
  const client = await openTelemetryFile({ path: database.path });
  // A trigger says what SQLite says when the disk is full: the whole batch is undone.
  client.exec("CREATE TRIGGER full BEFORE INSERT ON rollup BEGIN SELECT RAISE(ABORT, 'full'); END");
  await expect(store.write(one(2))).rejects.toThrow("full");
  client.exec("DROP TRIGGER full");
  client.close();
  await store.write(one(2));
  const reader = await openSqliteTelemetryReader({ path: database.path });
  expect(await reader.rollups(all)).toHaveLength(2);
  await reader.close();
  await store.close();
});

it("names that came and went make room again", async () => {
  const store = await openSqliteTelemetryStore({ path: database.path, maxEdges: 10 });
  const named = (name: string, second: number) => batch({ rollups: [rollup(edge(name, "reviews/v1"), t0 + second)] });
  for (let i = 0; i < 20; i++) await store.write(named(`client-${i}`, i));
  const day = 86_400_000;
  const steps = { 1: 0, 10: 0, 60: 0, 3600: 0 };
  const retention = { ...defaultRetention, steps };
  const pass = { nowMs: t0 * 1000 + day, settledUntilMs: t0 * 1000 + day, retention };
  for (let i = 0; i < 20; i++) await store.compact(pass);
  await store.write(named("newcomer", 86_400));
  const reader = await openSqliteTelemetryReader({ path: database.path });
  const day2 = { fromMs: t0 * 1000 + day, toMs: t0 * 1000 + 2 * day, stepSec: 1 } as const;
  expect((await reader.rollups(day2)).map((row) => row.edge.source.app)).toEqual(["newcomer"]);
  await reader.close();
  await store.close();
});
