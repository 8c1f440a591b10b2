import { fork } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CompactedError, type ConfigStore, StorageError } from "../../config/store.ts";
import { UnusableDatabaseError } from "../errors.ts";
import { applyMigrations } from "../migrate.ts";
import { openSqlite } from "../sqlite.ts";
import { markerPath } from "./mesh-marker.ts";
import { openPrismaConfigStore } from "./prisma-config-store.ts";

const migrations = resolve(import.meta.dirname, "../../../prisma/config/migrations");
let folder: string;
let path: string;
const opened: ConfigStore[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "limpid-identity-"));
  path = join(folder, "config.db");
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(file = path): Promise<ConfigStore> {
  const store = await openPrismaConfigStore({ url: `file:${file}`, migrations });
  opened.push(store);
  return store;
}
const put = (name: string) => ({
  op: "put" as const,
  object: { apiVersion: "v1", kind: "Namespace", metadata: { name, namespace: "" }, spec: {} },
});
async function mesh(...names: string[]): Promise<void> {
  const store = await open();
  for (const name of names) await store.commit([put(name)], "ann");
  opened.splice(opened.indexOf(store), 1);
  await store.close();
}
const names = async (store: ConfigStore) => (await store.list()).items.map(({ metadata }) => metadata.name);
const failure = (run: Promise<unknown>): Promise<Error> =>
  run.then(
    () => new Error("it worked"),
    (error: Error) => error,
  );
const remove = () => {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
};

describe("at the start", () => {
  test.each([
    ["is gone", remove],
    ["is empty", () => writeFileSync(path, "")],
  ])("a file that %s is no fresh mesh, and nothing is made in its place", async (why, lose) => {
    await mesh("a");
    lose();
    const error = await failure(open());
    expect(error).toBeInstanceOf(UnusableDatabaseError);
    expect(error.message).toBe(
      `the database ${path} ${why}, and a mesh was kept in it: put the file or a backup of it in its place; to begin anew with an empty mesh, remove ${markerPath(path)}, too`,
    );
    expect(existsSync(path) ? statSync(path).size : 0).toBe(0);
    remove();
    rmSync(markerPath(path));
    expect(await names(await open())).toEqual([]);
  });

  test("a database of another mesh, or of none, is refused", async () => {
    await mesh("a");
    const other = join(folder, "other.db");
    await (await open(other)).commit([put("b")], "ann");
    for (const store of opened.splice(0)) await store.close();
    remove();
    copyFileSync(other, path);
    expect((await failure(open())).message).toContain("is of another mesh (");
    remove();
    (await openSqlite(`file:${path}`)).close();
    expect((await failure(open())).message).toContain("holds no mesh, and one was kept in it");
  });

  test("a backup is the same mesh, and a database of before gets its marker", async () => {
    await mesh("a");
    cpSync(path, join(folder, "backup"));
    remove();
    cpSync(join(folder, "backup"), path);
    rmSync(markerPath(path));
    expect(await names(await open())).toEqual(["a"]);
    expect(JSON.parse(readFileSync(markerPath(path), "utf8"))).toMatchObject({ mesh: expect.any(String) });
  });

  test("a database of a version without identities gets one, and keeps everything", async () => {
    const old = join(folder, "migrations");
    cpSync(join(migrations, "20261123000000_init"), join(old, "20261123000000_init"), { recursive: true });
    const client = await openSqlite(`file:${path}`);
    await applyMigrations({ client, directory: old });
    await client.execute('INSERT INTO "state" ("id", "revision") VALUES (1, 7)');
    client.close();
    const store = await open();
    expect(await store.revision()).toBe(7);
    await store.commit([put("a")], "ann");
    expect(JSON.parse(readFileSync(markerPath(path), "utf8"))).toMatchObject({ mesh: expect.any(String) });
    expect(await names(await open())).toEqual(["a"]);
  });

  test("damaged inner pages are refused with the file's name", async () => {
    await mesh(...Array.from({ length: 200 }, (_, index) => `namespace-${index}`));
    const file = openSync(path, "r+");
    for (let offset = 3 * 4096; offset < statSync(path).size; offset += 4096)
      writeSync(file, Buffer.alloc(2048, 0x5a), 0, 2048, offset);
    closeSync(file);
    const before = readFileSync(path);
    const error = await failure(open());
    expect(error).toBeInstanceOf(UnusableDatabaseError);
    expect(error.message).toContain(`the database ${path} can't be used: it is damaged`);
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

describe("while it is in use", () => {
  test.each([
    ["is gone", remove],
    ["is empty", () => truncateSync(path)],
  ])("a file that %s takes no writes; what was read stays, and the check says why", async (why, lose) => {
    const store = await open();
    await store.commit([put("a")], "ann");
    lose();
    const error = await failure(store.commit([put("b")], "ann"));
    expect(error).toBeInstanceOf(StorageError);
    expect(error.message).toBe(`the config database ${path} ${why} while it is in use; nothing was changed`);
    expect(await names(store)).toEqual(["a"]);
    expect(await store.revision()).toBeGreaterThan(1);
    expect((await failure(store.check())).message).toContain(why);
  });

  test("a file that was moved away and back is taken up again", async () => {
    const store = await open();
    await store.commit([put("a")], "ann");
    renameSync(path, `${path}.away`);
    await failure(store.commit([put("b")], "ann"));
    renameSync(`${path}.away`, path);
    await store.commit([put("b")], "ann");
    expect(await names(store)).toEqual(["a", "b"]);
  });

  test("a backup that is put in its place is taken up, and who follows begins anew", async () => {
    const store = await open();
    await store.commit([put("a")], "ann");
    await mesh(); // closes another connection: everything is in the one file
    const backup = join(folder, "backup");
    cpSync(path, backup);
    for (const suffix of ["-wal", "-shm"]) if (existsSync(path + suffix)) cpSync(path + suffix, backup + suffix);
    await store.commit([put("b")], "ann");
    const ended = failure(
      (async () => {
        for await (const _ of store.watch(await store.revision(), new AbortController().signal)) expect.unreachable();
      })(),
    );
    remove();
    for (const suffix of ["", "-wal", "-shm"]) if (existsSync(backup + suffix)) cpSync(backup + suffix, path + suffix);
    expect(await ended).toBeInstanceOf(CompactedError);
    expect(await names(store)).toEqual(["a"]);
    await store.commit([put("c")], "ann");
    expect(await names(store)).toEqual(["a", "c"]);
  });

  test("another mesh in its place is not", async () => {
    const store = await open();
    await store.commit([put("a")], "ann");
    const other = join(folder, "other.db");
    const second = await open(other);
    await second.commit([put("b")], "ann");
    opened.splice(opened.indexOf(second), 1);
    await second.close();
    remove();
    renameSync(other, path);
    const error = await failure(store.commit([put("c")], "ann"));
    expect(error.message).toContain(`the config database ${path} was replaced while it is in use: `);
    expect(error.message).toContain("another mesh");
    expect(await names(store)).toEqual(["a"]);
  });
});

test("the check writes for real", async () => {
  const store = await open();
  await store.check();
  const client = await openSqlite(`file:${path}`);
  const { rows } = await client.execute('SELECT "checkedAt" FROM "state"');
  expect(Number(rows[0]?.[0])).toBeGreaterThan(Date.parse("2020-01-01"));
  client.close();
});

test.each([
  ["file", () => chmodSync(path, 0o444), () => chmodSync(path, 0o666)],
  ["folder", () => chmodSync(folder, 0o555), () => chmodSync(folder, 0o777)],
])("a process that found its %s read-only is served from it, and writes as soon as it may", async (_, close, free) => {
  await mesh("a");
  const others = 65534; // whom the file doesn't belong to: root may write whatever the mode says
  const user = process.getuid?.() === 0 ? { uid: others, gid: others } : {};
  chmodSync(folder, 0o777);
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o666);
  close();
  const script = resolve(import.meta.dirname, "testing/read-only-process.ts");
  const child = fork(script, [`file:${path}`, migrations], { ...user, stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const answer = async () => (await once(child, "message"))[0] as string;
  expect(await answer()).toBe("opened with a");
  child.send("try");
  expect(await answer()).toMatch(/can't be written \(SQLITE_READONLY/);
  free();
  child.send("try");
  expect(await answer()).toBe("committed");
  await once(child, "exit");
});
