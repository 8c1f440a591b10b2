import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Child, type ChildSpec, hopelessExitCode, startChild } from "./child.ts";

let folder: string;
const children: Child[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "limpid-child-"));
});
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const node = (script: string, overrides: Partial<ChildSpec> = {}): ChildSpec => ({
  name: "part",
  command: process.execPath,
  args: ["-e", script],
  env: process.env,
  logFile: join(folder, "part.log"),
  ready: async () => true,
  ...overrides,
});

function start(spec: ChildSpec, events: string[] = []): Child {
  const child = startChild(spec, (message) => events.push(message));
  children.push(child);
  return child;
}

test("a killed process comes back, and says so", async () => {
  const events: string[] = [];
  const child = start(node("setInterval(() => {}, 1000)"), events);
  await child.whenReady(5000);
  const first = child.pid as number;
  process.kill(first, "SIGKILL");
  await vi.waitFor(() => expect(child.pid !== undefined && child.pid !== first && child.state === "ready").toBe(true), {
    timeout: 5000,
  });
  expect(child.restarts).toBe(1);
  expect(events[0]).toMatch(/^part ended \(SIGKILL\); restarting in 200 ms/);
  expect(events[1]).toBe(`part is back, pid ${child.pid}`);
});

test("stop ends the process, also one that ignores SIGTERM, and nothing comes back", async () => {
  const child = start(
    node('process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)', { graceMs: 200 }),
  );
  await vi.waitFor(() => expect(readFileSync(join(folder, "part.log"), "utf8")).toContain("up"), { timeout: 5000 });
  const pid = child.pid as number;
  await child.stop();
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  expect(child.state).toBe("stopped");
});

test.skipIf(process.platform === "win32")(
  "a part that may wait is nicer than its starter, its threads too",
  async () => {
    const child = start(node("setInterval(() => {}, 1000)", { niceness: 5 }));
    const pid = child.pid as number;
    const nicer = Math.min(19, getPriority() + 5);
    expect(getPriority(pid)).toBe(nicer);
    if (process.platform !== "linux") return;
    const threads = () => readdirSync(`/proc/${pid}/task`).map(Number);
    await vi.waitFor(() => expect(threads().length).toBeGreaterThan(1), { timeout: 5000 });
    expect(new Set(threads().map((thread) => getPriority(thread)))).toEqual(new Set([nicer]));
  },
);

test("one that never serves is reported with its last words", async () => {
  const child = start(
    node('console.error("no such table: edges"); setInterval(() => {}, 1000)', { ready: async () => false }),
  );
  await vi.waitFor(() => expect(readFileSync(join(folder, "part.log"), "utf8")).toContain("edges"), { timeout: 5000 });
  await expect(child.whenReady(100)).rejects.toThrow(
    /part did not come up within 0.1 s. Its last words:\nno such table: edges/,
  );
});

test("one that ends because starting it again can't help is reported at once, and not started again", async () => {
  const events: string[] = [];
  const script = `console.error("the database is damaged"); process.exit(${hopelessExitCode})`;
  const child = start(node(script, { ready: async () => false }), events);
  const failure = /part can't start. Its last words:\nthe database is damaged/;
  await expect(child.whenReady(30_000)).rejects.toThrow(failure);
  await expect(child.whenReady(30_000)).rejects.toThrow(failure);
  expect({ events, restarts: child.restarts, state: child.state }).toEqual({
    events: [],
    restarts: 0,
    state: "stopped",
  });
});
