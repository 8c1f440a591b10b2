import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openSqliteAccessStore } from "./sqlite-access-store.ts";
import { accessStoreContract } from "./testing/contract.ts";

const migrations = resolve(import.meta.dirname, "../../../prisma/access/migrations");
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "limpid-access-"));
  path = join(folder, "access.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

accessStoreContract(
  () => openSqliteAccessStore({ path, migrations }),
  async (sql) => {
    const db = new DatabaseSync(path);
    try {
      db.exec(sql);
    } finally {
      db.close();
    }
  },
);

it("is shared by processes, and read by its owner alone", async () => {
  const [one, other] = [
    await openSqliteAccessStore({ path, migrations }),
    await openSqliteAccessStore({ path, migrations }),
  ];
  await one.addLink({ hash: "l", userName: "ann", endsAt: 5 });
  expect(await other.takeLink("l")).toEqual({ hash: "l", userName: "ann", endsAt: 5 });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await one.close();
  await other.close();
});

it("says that it has written once the disk has it, which it waits for once for all who write meanwhile", async () => {
  const waits: PromiseWithResolvers<void>[] = [];
  const datasync = () => {
    const wait = Promise.withResolvers<void>();
    waits.push(wait);
    return wait.promise;
  };
  const store = await openSqliteAccessStore({
    path,
    migrations,
    openFile: async () => ({ datasync, close: async () => undefined }),
  });
  let written = 0;
  const write = (hash: string) =>
    store.addLink({ hash, userName: null, endsAt: 5 }).then(() => {
      written++;
    });
  const first = write("first");
  await expect.poll(() => waits.length).toBe(1);
  const others = Array.from({ length: 50 }, (_, i) => write(String(i)));
  expect(written).toBe(0);
  waits[0]?.resolve();
  await first;
  await expect.poll(() => waits.length).toBe(2);
  expect(written).toBe(1);
  waits[1]?.resolve();
  await Promise.all(others);
  // Who only reads waits for nobody.
  expect(await store.tokens()).toEqual([]);
  expect(waits).toHaveLength(2);
  await store.close();
});

it("waits for another process that is making the file", async () => {
  // Not the contract's own file, which has its write-ahead log already.
  const fresh = join(folder, "fresh.db");
  const other = new DatabaseSync(fresh);
  other.exec("CREATE TABLE made (it INTEGER); BEGIN IMMEDIATE");
  const opening = openSqliteAccessStore({ path: fresh, migrations });
  // It has asked once by now, and was told at once that the file is busy.
  other.exec("COMMIT; DROP TABLE made");
  other.close();
  await (await opening).close();
});
