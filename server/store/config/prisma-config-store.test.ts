import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describeConfigStore } from "../../config/store.contract.ts";
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
