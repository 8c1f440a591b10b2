import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Child, type ChildSpec, HopelessPartError, hopelessExitCode, startChild } from "./child.ts";
import { probeHttp } from "./probe.ts";

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
  probe: async () => "ready",
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
  expect(child.ends).toEqual([
    { at: expect.any(Number), servedAt: expect.any(Number), cause: "ended", how: "SIGKILL" },
  ]);
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
    // A thread may end between the two looks.
    await vi.waitFor(() => expect(new Set(threads().map((thread) => getPriority(thread)))).toEqual(new Set([nicer])));
  },
);

test("one that never serves is reported with its last words", async () => {
  const child = start(
    node('console.error("no such table: edges"); setInterval(() => {}, 1000)', { probe: async () => "silent" }),
  );
  await vi.waitFor(() => expect(readFileSync(join(folder, "part.log"), "utf8")).toContain("edges"), { timeout: 5000 });
  await expect(child.whenReady(100)).rejects.toThrow(
    /part did not come up within 0.1 s. Its last words:\nno such table: edges/,
  );
});

test("one that the system can't start is told by the name of its error", async () => {
  const events: string[] = [];
  start(node("", { command: join(folder, "nothing"), probe: async () => "silent" }), events);
  await vi.waitFor(() => expect(events[0]).toContain("part ended (it could not be started: ENOENT); restarting"));
});

test("one that ends because starting it again can't help is reported at once, and not started again", async () => {
  const events: string[] = [];
  const script = `console.error("the database is damaged"); process.exit(${hopelessExitCode})`;
  const child = start(node(script, { probe: async () => "silent" }), events);
  const failure = /part can't start. Its last words:\nthe database is damaged/;
  await expect(child.whenReady(30_000)).rejects.toThrow(failure);
  await expect(child.whenReady(30_000)).rejects.toBeInstanceOf(HopelessPartError);
  expect({ events, restarts: child.restarts, state: child.state }).toEqual({
    events: [],
    restarts: 0,
    state: "stopped",
  });
});

/** Milliseconds instead of seconds. */
const quick = { everyMs: 20, unresponsiveProbes: 2, hungMs: 300, hungProbes: 4, startMs: 60_000 };

/** A part with a loop that can be stopped, and the real probe. */
const serving = async (events: string[], overrides: Partial<ChildSpec> = {}): Promise<Child> => {
  const port = await freePort();
  const script = `require("node:http").createServer((_, response) => {
    response.statusCode = require("node:fs").existsSync(${JSON.stringify(join(folder, "unwell"))}) ? 503 : 200;
    response.end();
  }).listen(${port}, "127.0.0.1")`;
  const probe: ChildSpec["probe"] = (signal) =>
    Promise.race([
      probeHttp("127.0.0.1", port, "/", signal),
      new Promise<"silent">((resolve) => setTimeout(resolve, 200, "silent")),
    ]);
  const child = start(node(script, { probe, liveness: quick, ...overrides }), events);
  await child.whenReady(20_000);
  return child;
};

test("a stopped process is seen, killed and started again", async () => {
  const events: string[] = [];
  const child = await serving(events);
  const first = child.pid as number;
  process.kill(first, "SIGSTOP");
  await vi.waitFor(() => expect(child.state).toBe("unresponsive"), { timeout: 10_000 });
  await vi.waitFor(() => expect([child.state, child.pid === first]).toEqual(["ready", false]), { timeout: 20_000 });
  // On a busy machine its successor may be found silent, too, for as short as is waited here.
  expect(child.restarts).toBeGreaterThan(0);
  expect(child.lastExit).toBe("hung, SIGKILL");
  expect(child.ends.map(({ cause }) => cause)).toContain("hung");
  expect(events).toContain(`part (pid ${first}) does not answer`);
  expect(events).toContainEqual(
    expect.stringMatching(new RegExp(`^part has given no answer for \\d+ s; pid ${first} is killed$`)),
  );
});

test("one that says it can't serve is shown so, and left alone", async () => {
  const events: string[] = [];
  const child = await serving(events, { liveness: { ...quick, unresponsiveProbes: 50, hungMs: 20_000 } });
  const { pid } = child;
  writeFileSync(join(folder, "unwell"), "");
  await vi.waitFor(() => expect(child.state).toBe("unready"), { timeout: 10_000 });
  rmSync(join(folder, "unwell"));
  await vi.waitFor(() => expect(child.state).toBe("ready"), { timeout: 10_000 });
  expect([child.pid, child.restarts]).toEqual([pid, 0]);
  expect(events).toEqual([
    `part (pid ${pid}) answers, but says that it can't serve`,
    `part (pid ${pid}) answers again, and serves`,
  ]);
});

test("a planned restart is no failure", async () => {
  const events: string[] = [];
  const child = await serving(events);
  const first = child.pid;
  await child.restart();
  await vi.waitFor(() => expect([child.state, child.pid === first]).toEqual(["ready", false]), { timeout: 10_000 });
  expect([child.restarts, events]).toEqual([0, []]);
  expect(child.ends).toEqual([{ at: expect.any(Number), servedAt: expect.any(Number), cause: "planned", how: null }]);
});

const overlapping = `
  const { appendFileSync } = require("node:fs");
  const note = (what) => appendFileSync(${"FILE"}, what + " " + process.pid + "\\n");
  process.on("message", ({ succession }) => {
    if (succession === "hand over") process.send({ succession: "sockets" });
    if (succession === "give way") { note("ends"); process.exit(0); }
  });
  setTimeout(() => { note("serves"); process.send({ succession: "serving" }); }, 100);`;

test("of those that know succession the successor serves before the old one is told to end", async () => {
  const file = join(folder, "notes");
  const notes = () => (existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []);
  const child = start(node(overlapping.replace("FILE", JSON.stringify(file)), { succeeds: true }));
  await vi.waitFor(() => expect(notes().length).toBe(1), { timeout: 10_000 });
  const first = child.pid;
  await child.restart();
  expect(notes()).toEqual([`serves ${first}`, `serves ${child.pid}`, `ends ${first}`]);
  expect([child.state, child.restarts]).toEqual(["ready", 0]);
});

test("a successor that does not come up leaves the old one in place", async () => {
  const events: string[] = [];
  const marker = join(folder, "marker");
  const script = `
    const fs = require("node:fs");
    if (fs.existsSync(${JSON.stringify(marker)})) { console.error("no such file"); process.exit(1); }
    process.on("message", () => process.send({ succession: "sockets" }));
    fs.writeFileSync(${JSON.stringify(marker)}, "");`;
  const child = start(node(script, { succeeds: true }), events);
  await vi.waitFor(() => expect(existsSync(marker)).toBe(true), { timeout: 10_000 });
  const { pid } = child;
  await child.restart();
  expect(child.pid).toBe(pid);
  expect(events).toEqual(["part goes on as it was: its successor did not come up. Its last words:\nno such file"]);
});

/** Ends its predecessor when it serves; FILE notes who did what, BROKEN has successors end at once. */
const handingOver = (file: string, broken: boolean): string => `
  const fs = require("node:fs");
  const epoch = Number(process.argv[1]);
  const note = (what) => fs.appendFileSync(${JSON.stringify(file)}, what + " " + process.pid + "\\n");
  if (${broken} && epoch > 0) { console.error("no room"); process.exit(1); }
  const before = epoch > 0 ? Number(fs.readFileSync(${JSON.stringify(`${file}.pid`)}, "utf8")) : 0;
  fs.writeFileSync(${JSON.stringify(`${file}.pid`)}, String(process.pid));
  process.on("SIGUSR2", () => { note("gives way"); process.exit(0); });
  process.on("SIGTERM", () => { note("is told to end"); process.exit(0); });
  note("epoch " + epoch);
  if (before > 0) setTimeout(() => process.kill(before, "SIGUSR2"), 50);
  setInterval(() => {}, 1000);`;

test("one that hands over to its successor is not told to end, and a crash begins a new line", async () => {
  const file = join(folder, "notes");
  const notes = () => (existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []);
  const child = start(node(handingOver(file, false), { handsOver: (epoch) => [String(epoch)] }));
  await vi.waitFor(() => expect(notes().length).toBe(1), { timeout: 10_000 });
  const pids = [child.pid];
  for (let i = 0; i < 2; i++) {
    await child.restart();
    pids.push(child.pid);
  }
  expect(notes()).toEqual([
    `epoch 0 ${pids[0]}`,
    `epoch 1 ${pids[1]}`,
    `gives way ${pids[0]}`,
    `epoch 2 ${pids[2]}`,
    `gives way ${pids[1]}`,
  ]);
  expect([child.state, child.restarts]).toEqual(["ready", 0]);
  process.kill(pids[2] as number, "SIGKILL");
  await vi.waitFor(() => expect(notes().at(-1)).toBe(`epoch 0 ${child.pid}`), { timeout: 10_000 });
});

test("when nobody takes over it is started anew", async () => {
  const events: string[] = [];
  const file = join(folder, "notes");
  const child = start(node(handingOver(file, true), { handsOver: (epoch) => [String(epoch)] }), events);
  await vi.waitFor(() => expect(existsSync(file)).toBe(true), { timeout: 10_000 });
  const { pid } = child;
  await child.restart();
  expect(events).toEqual(["part is started anew: its successor did not take over. Its last words:\nno room"]);
  await vi.waitFor(() => expect(child.state).toBe("ready"), { timeout: 10_000 });
  expect(child.pid).not.toBe(pid);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
