import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqliteTelemetryStore } from "./sqlite-store.ts";
import { batch, edge, rollup } from "./testing/records.ts";
import { temporaryDatabase } from "./testing/temporary-database.ts";

// Locks keep other processes out; within one process SQLite shares them. So each reader here is a process.
const t0 = 1_767_225_600;
const one = (second: number) => batch({ rollups: [rollup(edge("productpage", "reviews/v1"), t0 + second)] });

let database: Awaited<ReturnType<typeof temporaryDatabase>>;
const replaced: string[] = [];
const children: ChildProcess[] = [];
const open = () =>
  openSqliteTelemetryStore({ path: database.path, patienceMs: 100, onReplaced: (why) => replaced.push(why) });

beforeEach(async () => {
  database = await temporaryDatabase();
  replaced.length = 0;
});
afterEach(async () => {
  for (const child of children.splice(0)) if (child.kill("SIGKILL")) await once(child, "exit");
  await database.remove();
});

/** A process that reads as the dashboard does; each call gives the seconds that it sees. */
function startReader(): () => Promise<number[]> {
  const script = join(import.meta.dirname, "testing/reader-process.ts");
  const child = spawn(process.execPath, [script, database.path, String(t0)], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    child.stdin.write("\n");
    const { value, done } = await lines.next();
    if (done) throw new Error("the reader ended");
    return JSON.parse(value);
  };
}

/** A process that does this in a transaction, and then nothing any more. */
async function startStuck(sql: string): Promise<void> {
  const script = `
    const db = new (require("node:sqlite").DatabaseSync)(${JSON.stringify(database.path)});
    db.exec(${JSON.stringify(sql)});
    console.log("stuck");
    process.stdin.resume();`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  await once(child.stdout, "data");
}

async function writeOnce(second: number): Promise<void> {
  const store = await open();
  await store.write(one(second));
  await store.close();
}

/** A file with a row, its writer ended; the reader that is left has kept the log from being written into the file. */
async function readFile(): Promise<() => Promise<number[]>> {
  const store = await open();
  const seconds = startReader();
  await store.write(one(1));
  expect(await seconds()).toEqual([1]);
  await store.close();
  return seconds;
}

describe("a telemetry file that another process reads", () => {
  it("is begun anew when it was emptied and its writer ended, and is read on", async () => {
    const seconds = await readFile();
    for (const suffix of ["-wal", "-shm"]) rmSync(database.path + suffix);
    truncateSync(database.path, 0);
    const next = await open();
    await next.write(one(2));
    expect(await seconds()).toEqual([2]);
    expect(replaced).toEqual([expect.stringContaining("locked")]);
    await next.close();
  });

  it.each([
    ["file, its log and the log's index", ["", "-wal", "-shm"]],
    ["log and the log's index", ["-wal", "-shm"]],
    ["log", ["-wal"]],
    ["log's index", ["-shm"]],
  ])("is read on when the %s was deleted and its writer ended", async (_, suffixes) => {
    const seconds = await readFile();
    for (const suffix of suffixes) rmSync(database.path + suffix);
    const next = await open();
    // A batch that meets a broken log is tried again by the collector.
    for (const second of [2, 3]) await next.write(one(second)).catch(() => next.write(one(second)));
    expect(await seconds()).toEqual(expect.arrayContaining([2, 3]));
    await next.close();
  });
});

it.each([
  ["log and the log's index", ["-wal", "-shm"]],
  ["log", ["-wal"]],
  ["log's index", ["-shm"]],
])("what is written after the %s was deleted is seen by those who read, and by those who come", async (_, suffixes) => {
  const store = await open();
  const seconds = startReader();
  await store.write(one(1));
  expect(await seconds()).toEqual([1]);
  for (const suffix of suffixes) rmSync(database.path + suffix);
  for (const second of [2, 3]) await store.write(one(second));
  expect(await seconds()).toEqual([1, 2, 3]);
  expect(await startReader()()).toEqual([1, 2, 3]);
  expect(replaced).toEqual([]);
  await store.close();
});

describe("a telemetry file that a process holds which stands still", () => {
  it.each([
    ["for reading", "BEGIN; SELECT * FROM rollup"],
    ["in the middle of a read of an old state", "BEGIN; SELECT * FROM edge"],
  ])("is written, held %s", async (_, sql) => {
    await writeOnce(1);
    await startStuck(sql);
    const next = await open();
    await next.write(one(2));
    expect(replaced).toEqual([]);
    await next.close();
  });

  it.each([
    ["for writing", "BEGIN IMMEDIATE"],
    ["for itself alone", "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM gap"],
  ])("is put aside whole, held %s", async (_, sql) => {
    await writeOnce(1);
    await startStuck(sql);
    const next = await open();
    await next.write(one(2));
    expect(await startReader()()).toEqual([2]);
    expect(replaced).toEqual([expect.stringContaining("locked")]);
    await next.close();
    for (const child of children.splice(0)) if (child.kill("SIGKILL")) await once(child, "exit");
    expect(existsSync(`${database.path}.locked`)).toBe(true);
    const aside = new DatabaseSync(`${database.path}.locked`);
    expect(aside.prepare("SELECT count(*) AS rows FROM rollup").get()).toEqual({ rows: 1 });
    aside.close();
  });
});
