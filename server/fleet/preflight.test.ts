import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
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
    `dashboard needs 127.0.0.1:${port}, which is taken by another process${process.platform === "linux" ? ` (pid ${process.pid}: ` : ""}`,
  );
  await expect(checkPorts([{ part: "dashboard", host: "127.0.0.1", port }])).rejects.toThrow(
    /Stop that one, or move every port with --port-offset 1000\.$/,
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

test("a lock left behind is taken over, whatever pid stands in it: in a container that is always 1", () => {
  writeFileSync(join(folder, "limpid.lock"), `${process.pid}\n`);
  lockDataFolder(folder)();
  mkdirSync(join(folder, "run"), { recursive: true });
  writeFileSync(join(folder, "run/up.lock"), "not a lock".repeat(100));
  lockDataFolder(folder)();
});

test.skipIf(process.platform !== "linux")("a port whose holder is leaving is waited for", async () => {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const asked: number[] = [];
  await checkPorts([{ part: "dashboard", host: "127.0.0.1", port }], {
    timeoutMs: 10_000,
    isLeaving(pid) {
      asked.push(pid);
      server.close();
      return true;
    },
  });
  expect(asked[0]).toBe(process.pid);
});

const lockAndSleep = `
  import { lockDataFolder } from ${JSON.stringify(new URL("./preflight.ts", import.meta.url).href)};
  lockDataFolder(process.argv[1]);
  console.log("locked by", process.pid);
  setInterval(() => {}, 1000);`;
const canUnshare = spawnSync("unshare", ["-pf", "true"]).status === 0;

test.skipIf(!canUnshare)(
  `a killed supervisor that was pid 1 of a container can start again${canUnshare ? "" : " (skipped: no right to unshare)"}`,
  async () => {
    for (let start = 0; start < 2; start++) {
      const container = spawn("unshare", ["-pf", process.execPath, "--input-type=module", "-e", lockAndSleep, folder], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      let output = "";
      for (const stream of [container.stdout, container.stderr]) {
        stream.on("data", (chunk) => {
          output += chunk;
        });
      }
      await vi.waitFor(() => expect(output).toContain("locked by 1\n"), { timeout: 10_000 });
      // Held, for a process that sees other pids, too.
      expect(() => lockDataFolder(folder)).toThrow("is in use by process 1;");
      const inside = Number(readFileSync(`/proc/${container.pid}/task/${container.pid}/children`, "utf8"));
      process.kill(inside, "SIGKILL");
      await once(container, "close");
    }
  },
);

test("a data folder that cannot be made is one sentence", () => {
  writeFileSync(join(folder, "file"), "");
  expect(() => lockDataFolder(join(folder, "file/data"))).toThrow(
    /can't be written \(ENOTDIR\); choose another with --data or LIMPID_DATA/,
  );
});
