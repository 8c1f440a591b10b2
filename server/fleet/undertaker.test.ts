import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";

const spawned: ChildProcess[] = [];
afterEach(() => {
  for (const child of spawned.splice(0)) child.kill("SIGKILL");
});

/** A supervisor that watches two sleepers, forgets one of them, and is killed. Prints their pids. */
const supervisor = `
  import { spawn } from "node:child_process";
  import { startUndertaker } from ${JSON.stringify(new URL("./undertaker.ts", import.meta.url).href)};
  const sleeper = () => spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
  const undertaker = startUndertaker(1);
  const [hung, other] = [sleeper(), sleeper()];
  undertaker.watch(hung.pid);
  undertaker.watch(other.pid);
  undertaker.forget(other.pid);
  console.log(JSON.stringify([hung.pid, other.pid, undertaker.pid]));
  if (process.argv[1] === "dismiss") { undertaker.dismiss(); hung.unref(); other.unref(); process.exit(0); }
  setInterval(() => {}, 1000);
`;

async function run(...args: string[]): Promise<{ pids: number[]; child: ChildProcess }> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", supervisor, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  spawned.push(child);
  const [chunk] = (await once(child.stdout as NonNullable<typeof child.stdout>, "data")) as [Buffer];
  return { pids: JSON.parse(chunk.toString()) as number[], child };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test.skipIf(process.platform !== "linux")("a stopped part does not outlive its killed supervisor", async () => {
  const { pids, child } = await run();
  const [hung = 0, other = 0, undertaker = 0] = pids;
  process.kill(hung, "SIGSTOP");
  child.kill("SIGKILL");
  await vi.waitFor(() => expect([hung, undertaker].map(isRunning)).toEqual([false, false]), { timeout: 20_000 });
  expect(isRunning(other)).toBe(true);
  process.kill(other, "SIGKILL");
});

test.skipIf(process.platform !== "linux")("dismissed, it ends and kills nothing", async () => {
  const { pids } = await run("dismiss");
  const [hung = 0, other = 0, undertaker = 0] = pids;
  await vi.waitFor(() => expect(isRunning(undertaker)).toBe(false), { timeout: 20_000 });
  expect([hung, other].map(isRunning)).toEqual([true, true]);
  for (const pid of [hung, other]) process.kill(pid, "SIGKILL");
});
