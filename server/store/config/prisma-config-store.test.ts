import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { describeConfigStore } from "../../config/store.contract.ts";
import { StorageError } from "../../config/store.ts";
import { openSqlite } from "../sqlite.ts";
import { openPrismaConfigStore } from "./prisma-config-store.ts";

const migrations = resolve(import.meta.dirname, "../../../prisma/config/migrations");

describeConfigStore("SQLite through Prisma", () => {
  const folder = mkdtempSync(join(tmpdir(), "limpid-config-"));
  let opened = 0;
  const open = (file: string) => (options: { maxHistory?: number }) =>
    openPrismaConfigStore({ ...options, url: `file:${join(folder, file)}`, migrations });
  return {
    open: (options) => openPrismaConfigStore({ ...options, url: `file:${join(folder, `${++opened}.db`)}`, migrations }),
    reopen: open("1.db"),
    cleanup: async () => rmSync(folder, { recursive: true, force: true }),
  };
});

test("compaction leaves no rows of forgotten commits behind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "limpid-config-"));
  const url = `file:${join(folder, "config.db")}`;
  const store = await openPrismaConfigStore({ url, migrations, maxHistory: 3 });
  try {
    const key = { kind: "Namespace", namespace: "", name: "a" };
    const object = (step: number) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "a", namespace: "", labels: { step: String(step) } },
      spec: {},
    });
    for (let step = 0; step < 10; step++) await store.commit([{ op: "put", object: object(step) }], "ann");
    expect((await store.get(key))?.metadata.labels).toEqual({ step: "9" });
  } finally {
    await store.close();
  }
  const client = await openSqlite(url);
  try {
    for (const table of ["change", "commit"]) {
      expect((await client.execute(`SELECT count(*) AS count FROM "${table}"`)).rows).toMatchObject([{ count: 3 }]);
    }
  } finally {
    client.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("several stores on one file take turns, and a watch misses nothing of the others", async () => {
  const folder = mkdtempSync(join(tmpdir(), "limpid-config-"));
  const options = { url: `file:${join(folder, "config.db")}`, migrations };
  const stores = await Promise.all([openPrismaConfigStore(options), openPrismaConfigStore(options)]);
  try {
    const [first, second] = stores as [(typeof stores)[0], (typeof stores)[0]];
    const start = await first.revision();
    const put = (name: string) => ({
      op: "put" as const,
      object: { apiVersion: "v1", kind: "Namespace", metadata: { name, namespace: "" }, spec: {} },
    });
    for (let step = 0; step < 5; step++) {
      await second.commit([put(`second-${step}`)], "b");
      await first.commit([put(`first-${step}`)], "a");
    }
    const seen: number[] = [];
    for await (const commit of first.watch(start, new AbortController().signal)) {
      if (seen.push(commit.revision) === 10) break;
    }
    expect(seen).toEqual(Array.from({ length: 10 }, (_, index) => start + 1 + index));
    expect((await first.list()).items).toHaveLength(10);
  } finally {
    for (const store of stores) await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a watch that waits sees what another process commits, without a commit of its own", async () => {
  const folder = mkdtempSync(join(tmpdir(), "limpid-config-"));
  const url = `file:${join(folder, "config.db")}`;
  const store = await openPrismaConfigStore({ url, migrations });
  try {
    const names: string[] = [];
    const start = await store.revision();
    const watching = (async () => {
      for await (const commit of store.watch(start, new AbortController().signal)) {
        names.push(`${commit.author} ${commit.changes[0]?.key.name}`);
        if (names.length === 3) return;
      }
    })();
    const other = resolve(import.meta.dirname, "testing/commit-namespaces.ts");
    await promisify(execFile)(process.execPath, [other, url, migrations, "a", "b", "c"]);
    await watching;
    expect(names).toEqual(["other a", "other b", "other c"]);
    expect((await store.list()).items.map((object) => object.metadata.name)).toEqual(["a", "b", "c"]);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a store that can't write says so in SQLite's words, and everything is as it was", async () => {
  const folder = mkdtempSync(join(tmpdir(), "limpid-config-"));
  const url = `file:${join(folder, "config.db")}`;
  const store = await openPrismaConfigStore({ url, migrations });
  try {
    const object = { apiVersion: "v1", kind: "Namespace", metadata: { name: "a", namespace: "" }, spec: {} };
    const client = await openSqlite(url);
    await client.execute('ALTER TABLE "change" RENAME TO "elsewhere"');
    const error = await store.commit([{ op: "put", object }], "ann").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StorageError);
    expect(String(error)).toMatch(
      /the config database .*config\.db can't be written \(SQLITE_\w+: .*\); nothing was changed/,
    );
    expect((await store.list()).items).toEqual([]);
    await client.execute('ALTER TABLE "elsewhere" RENAME TO "change"');
    client.close();
    await store.commit([{ op: "put", object }], "ann");
    expect((await store.list()).items).toHaveLength(1);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the one file of a store that was closed is the whole of it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "limpid-config-"));
  const store = await openPrismaConfigStore({ url: `file:${join(folder, "config.db")}`, migrations });
  const object = { apiVersion: "v1", kind: "Namespace", metadata: { name: "a", namespace: "" }, spec: {} };
  await store.commit([{ op: "put", object }], "ann");
  await store.close();
  cpSync(join(folder, "config.db"), join(folder, "backup.db"));
  const backup = await openPrismaConfigStore({ url: `file:${join(folder, "backup.db")}`, migrations });
  try {
    expect((await backup.list()).items).toHaveLength(1);
  } finally {
    await backup.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a write that waited in vain for another process says so, and the next one is made", async () => {
  const folder = mkdtempSync(join(tmpdir(), "limpid-config-"));
  const url = `file:${join(folder, "config.db")}`;
  const store = await openPrismaConfigStore({ url, migrations, busyTimeoutMs: 20 });
  const other = await openSqlite(url);
  try {
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "a", namespace: "" }, spec: {} };
    const write = () => store.commit([{ op: "put", object: namespace }], "ann");
    const holding = await other.transaction("write");
    await expect(write()).rejects.toThrow("SQLITE_BUSY: database is locked");
    await expect(write()).rejects.toThrow("SQLITE_BUSY: database is locked");
    await holding.rollback();
    const { revision } = await write();
    expect((await store.list({})).items[0]?.metadata.resourceVersion).toBe(String(revision));
  } finally {
    other.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
