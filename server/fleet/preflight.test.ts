import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkPorts, lockDataFolder } from "./preflight.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "limpid-preflight-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a taken port is named with the part that needs it and the way out", async () => {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await expect(checkPorts([{ part: "dashboard", host: "127.0.0.1", port }])).rejects.toThrow(
    `dashboard needs 127.0.0.1:${port}, which is taken by another process. Stop that one, or move every port with --port-offset 1000.`,
  );
  await new Promise((resolve) => server.close(resolve));
  await checkPorts([{ part: "dashboard", host: "127.0.0.1", port }]);
});

test("the lock is exclusive while its owner lives, and gone after its release", () => {
  const release = lockDataFolder(folder);
  expect(() => lockDataFolder(folder)).toThrow(`is in use by process ${process.pid}`);
  release();
  expect(existsSync(join(folder, "limpid.lock"))).toBe(false);
  lockDataFolder(folder)();
});

test("a lock left by a killed process is taken over", () => {
  writeFileSync(join(folder, "limpid.lock"), "999999999\n");
  lockDataFolder(folder)();
});

test("a data folder that cannot be made is one sentence", () => {
  writeFileSync(join(folder, "file"), "");
  expect(() => lockDataFolder(join(folder, "file/data"))).toThrow(
    /can't be written \(ENOTDIR\); choose another with --data or LIMPID_DATA/,
  );
});
