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
