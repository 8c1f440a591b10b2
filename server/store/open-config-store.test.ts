import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../lib/logger.ts";
import { UnusableDatabaseError } from "./errors.ts";
import { openConfigStore } from "./open-config-store.ts";

const root = resolve(import.meta.dirname, "../..");
let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "limpid-open-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

test("without a variable it is SQLite in the data folder", async () => {
  const store = await openConfigStore({ data, root, logger: silentLogger, database: "" });
  expect(existsSync(join(data, "config.db"))).toBe(true);
  await store.close();
});

test.each(["mysql://db/limpid", "db.example.com"])("%s is no address of a PostgreSQL database", async (database) => {
  await expect(openConfigStore({ data, root, logger: silentLogger, database })).rejects.toThrow(
    "LIMPID_CONFIG_DATABASE must be the address of a PostgreSQL database",
  );
});

test("a server that can't be reached is named, without the password", async () => {
  const error = await openConfigStore({
    data,
    root,
    logger: silentLogger,
    database: "postgres://limpid:secret@127.0.0.1:1/mesh",
  }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UnusableDatabaseError);
  expect(String(error)).toContain("the config database postgres://127.0.0.1:1/mesh can't be used: ");
  expect(String(error)).not.toContain("secret");
});
