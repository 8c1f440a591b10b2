import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tryLockFile } from "./file-lock.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "limpid-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("one holds it, until it lets go", () => {
  const path = join(folder, "lock");
  const release = tryLockFile(path);
  expect(release).toBeDefined();
  expect(tryLockFile(path)).toBeUndefined();
  release?.();
  tryLockFile(path)?.();
});

test("a killed process holds nothing", async () => {
  const path = join(folder, "lock");
  const script = `import { tryLockFile } from ${JSON.stringify(new URL("./file-lock.ts", import.meta.url).href)};
    globalThis.held = tryLockFile(process.argv[1]); console.log("held"); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", script, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  expect(tryLockFile(path)).toBeUndefined();
  holder.kill("SIGKILL");
  await once(holder, "close");
  const release = tryLockFile(path);
  expect(release).toBeDefined();
  release?.();
});
