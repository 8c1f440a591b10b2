import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FleetStatus } from "../server/fleet/fleet-api.ts";
import { meshPorts } from "../server/fleet/ports.ts";
import {
  eventually,
  getThrough,
  isRunning,
  limpid,
  randomOffset,
  reviewVersions,
  root,
  runLimpid,
  startMesh,
  statusAt,
  type TestMesh,
} from "./mesh.ts";

/** On a busy machine with two cores a process may take its time to start and to end; one that never does still ends the test. */
const patience = 60_000;

describe("a running mesh", () => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await startMesh();
  });
  afterAll(async () => {
    await mesh?.stop();
  });

  test("prints a line per part and the dashboard's address, and serves the application", async () => {
    for (const part of [
      "control-plane",
      "collector",
      "dashboard",
      "productpage-v1",
      "reviews-v3 proxy",
      "istio-ingressgateway",
    ]) {
      expect(mesh.output()).toMatch(new RegExp(`^ {2}${part} .*pid \\d+$`, "m"));
    }
    expect(mesh.output()).toContain(`dashboard    ${mesh.dashboard}`);
    const page = await getThrough(mesh.gateway, "/productpage");
    expect(page.status).toBe(200);
    expect(page.body).toContain("The Comedy of Errors");
    expect(page.body).toContain("William Shakespeare");
  });

  test("Bookinfo's API answers, by version", async () => {
    const seen = await reviewVersions(mesh, 60);
    expect(Object.keys(seen).sort()).toEqual(["v1", "v2", "v3"]);
    const details = JSON.parse((await getThrough(mesh.gateway, "/api/v1/products/0")).body) as { author: string };
    expect(details.author).toBe("William Shakespeare");
    expect((await getThrough(mesh.gateway, "/nothing-here")).status).toBe(404);
  });

  test("status says what runs where, as text and JSON, with every part ready", async () => {
    const offset = ["--port-offset", String(mesh.portOffset)];
    const text = await limpid(["status", ...offset]);
    expect(text).toMatchObject({ code: 0, err: "" });
    expect(text.out).toMatch(/^control-plane +control-plane +ready +\d+ +http:\/\/127\.0\.0\.1:\d+/m);
    const json = JSON.parse((await limpid(["status", "-o", "json", ...offset])).out) as FleetStatus;
    expect(json.started).toBe(true);
    expect(json.parts.length).toBe(16);
    expect(json.parts.every((part) => part.state === "ready")).toBe(true);
  });

  test("the traffic's rate is set while it runs", async () => {
    const answer = await limpid(["traffic", "5", "--port-offset", String(mesh.portOffset)]);
    expect(answer.out).toMatch(/^5 requests\/s/);
    expect((await mesh.status()).traffic.rate).toBe(5);
    const refused = await limpid(["traffic", "abc", "--port-offset", String(mesh.portOffset)]);
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toContain('traffic rate "abc": must be a number of requests per second from 0 to 2000');
  });

  test("a killed sidecar comes back and resyncs", async () => {
    const before = (await mesh.status()).parts.find((part) => part.name === "reviews-v2 proxy");
    process.kill(before?.pid as number, "SIGKILL");
    await eventually(
      async () => {
        const now = (await mesh.status()).parts.find((part) => part.name === "reviews-v2 proxy");
        return now?.state === "ready" && now.pid !== before?.pid && now.restarts === 1;
      },
      patience,
      "the sidecar is back",
    );
    await eventually(async () => ((await reviewVersions(mesh, 20)).v2 ?? 0) > 0, patience, "reviews v2 answers again");
  });

  test("the control plane restarts under traffic and no request fails", async () => {
    const before = (await mesh.status()).parts.find((part) => part.name === "control-plane");
    let failures = 0;
    let sent = 0;
    let done = false;
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!done) {
          sent++;
          const answer = await getThrough(mesh.gateway, "/productpage").catch(() => ({ status: 0, body: "" }));
          if (answer.status !== 200 || answer.body.includes("unavailable")) failures++;
        }
      }),
    );
    process.kill(before?.pid as number, "SIGTERM");
    await eventually(
      async () => {
        const now = (await mesh.status()).parts.find((part) => part.name === "control-plane");
        return now?.state === "ready" && now.pid !== before?.pid;
      },
      patience,
      "the control plane is back",
    );
    const sentAtReturn = sent;
    await eventually(() => sent > sentAtReturn + 50, patience, "traffic after its return");
    done = true;
    await load;
    expect({ failures, enough: sent > 100 }).toEqual({ failures: 0, enough: true });
  });

  test("a hung sidecar and a hung workload are shown, and started again", { timeout: 150_000 }, async () => {
    const names = ["ratings-v1", "ratings-v1 proxy"];
    const seen = async () => (await mesh.status()).parts.filter(({ name }) => names.includes(name));
    const before = (await seen()).map(({ pid }) => pid ?? 0);
    for (const pid of before) process.kill(pid, "SIGSTOP");
    await eventually(
      async () => (await seen()).every(({ state }) => state === "unresponsive"),
      60_000,
      "both are seen",
    );
    const status = await limpid(["status", "--port-offset", String(mesh.portOffset)]);
    expect(status.code).toBe(2);
    expect(status.out).toMatch(/^ratings-v1 proxy +sidecar +unresponsive /m);
    await eventually(
      async () => (await seen()).every(({ state, pid }) => state === "ready" && !before.includes(pid ?? 0)),
      90_000,
      "both are back",
    );
  });

  test("a planned restart of the gateway loses no request, and is no failure", async () => {
    const part = async () => (await mesh.status()).parts.find(({ name }) => name === "istio-ingressgateway");
    const before = await part();
    let done = false;
    const failures: string[] = [];
    let sent = 0;
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!done) {
          sent++;
          await getThrough(mesh.gateway, "/productpage").then(
            ({ status }) => status === 200 || failures.push(String(status)),
            (error: Error) => failures.push(error.message),
          );
        }
      }),
    );
    const answer = await limpid(["restart", "istio-ingressgateway", "--port-offset", String(mesh.portOffset)]);
    const sentAtReturn = sent;
    await eventually(() => sent > sentAtReturn + 100, patience, "traffic after its return");
    done = true;
    await load;
    expect(answer).toMatchObject({ code: 0, err: "" });
    expect(failures).toEqual([]);
    expect((await part())?.pid).not.toBe(before?.pid);
    expect((await part())?.restarts).toBe(before?.restarts);
    const unknown = await limpid(["restart", "nobody", "--port-offset", String(mesh.portOffset)]);
    expect(unknown.err).toContain('there is no part "nobody"; there are control-plane, collector');
  });

  test("no request ends the supervisor", async () => {
    const { pid } = await mesh.status();
    for (const target of ["//[", "/%ff", "http://[", "*"]) {
      const socket = connect(meshPorts(mesh.portOffset).fleet, "127.0.0.1");
      let answer = "";
      socket.on("data", (chunk) => {
        answer += chunk;
      });
      socket.end(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      await once(socket, "close");
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect((await mesh.status()).pid).toBe(pid);
  });

  test("a second mesh on the same ports is refused in one sentence, and the first goes on", async () => {
    const data = mkdtempSync(join(tmpdir(), "limpid-e2e-"));
    const second = await limpid(["up", "--port-offset", String(mesh.portOffset), "--data", data]);
    rmSync(data, { recursive: true });
    expect(second.code).toBe(1);
    expect(second.err).toMatch(
      /limpid: supervisor needs 127\.0\.0\.1:\d+, which is taken by another process( \(pid \d+: .*\))?\. Stop that one, or move every port/,
    );
    if (process.platform === "linux") expect(second.err).toContain(`(pid ${(await mesh.status()).pid}: `);
    expect((await getThrough(mesh.gateway, "/productpage")).status).toBe(200);
  });

  test("a data folder in use is refused", async () => {
    const second = await limpid(["up", "--port-offset", "0", "--data", mesh.data]);
    expect(second.code).toBe(1);
    expect(second.err).toContain(`is in use by process`);
  });
});

test("Ctrl-C leaves no process, port or lock behind", async () => {
  const mesh = await startMesh(["--no-dashboard"]);
  const pids = (await mesh.status()).parts.flatMap((part) => part.pid ?? []);
  expect(pids.length).toBe(15);
  expect(pids.every(isRunning)).toBe(true);
  const lock = join(mesh.data, "limpid.lock");
  expect(existsSync(lock)).toBe(true);
  mesh.process.kill("SIGINT");
  await eventually(() => mesh.process.exitCode !== null, patience, "the mesh has ended");
  expect(mesh.process.exitCode).toBe(0);
  expect(pids.filter(isRunning)).toEqual([]);
  expect(existsSync(lock)).toBe(false);
  const { xds, configApi, gateway } = meshPorts(mesh.portOffset);
  for (const port of [xds, configApi, gateway]) await listens(port);
  await mesh.stop();
});

test("whoever reads its output may go: the mesh goes on, and ends when it is told to", async () => {
  const mesh = await startMesh(["--no-dashboard"]);
  mesh.process.stdout?.destroy();
  mesh.process.stderr?.destroy();
  // A part that ends is something to say.
  const partNow = async () => (await mesh.status()).parts.find((part) => part.name === "reviews-v1");
  process.kill((await partNow())?.pid as number, "SIGKILL");
  await eventually(
    async () => {
      const part = await partNow();
      return part?.state === "ready" && part.restarts === 1;
    },
    30_000,
    "reviews-v1 is back",
  );
  expect(await mesh.stop()).toBe(0);
});

test("Ctrl-C while the mesh is starting stops what has started", async () => {
  const offset = randomOffset();
  const data = mkdtempSync(join(tmpdir(), "limpid-e2e-"));
  const child = runLimpid(["up", "--no-dashboard", "--port-offset", String(offset), "--data", data]);
  const exited = new Promise<number | null>((done) => child.once("exit", done));
  const pids = await eventually(
    async () => {
      const { parts } = await statusAt(offset);
      return parts.length > 2 && parts.flatMap(({ pid }) => pid ?? []);
    },
    patience,
    "workloads being started",
  );
  child.kill("SIGINT");
  await eventually(() => child.exitCode !== null, patience, "the mesh has ended");
  expect(await exited).toBe(0);
  expect(pids.filter(isRunning)).toEqual([]);
  expect(existsSync(join(data, "limpid.lock"))).toBe(false);
  rmSync(data, { recursive: true });
});

test("a killed supervisor takes its processes along", async () => {
  const mesh = await startMesh(["--no-dashboard"]);
  const pids = (await mesh.status()).parts.flatMap((part) => part.pid ?? []);
  mesh.process.kill("SIGKILL");
  try {
    await eventually(() => pids.every((pid) => !isRunning(pid)), patience, "every part has ended");
  } finally {
    for (const pid of pids.filter(isRunning)) process.kill(pid, "SIGKILL");
    await mesh.stop();
  }
});

test("one that is killed with a hung part starts again at once: it waits for what is left of itself", async () => {
  const mesh = await startMesh(["--no-dashboard"]);
  const { parts } = await mesh.status();
  const hung = parts.find(({ name }) => name === "collector")?.pid ?? 0;
  process.kill(hung, "SIGSTOP");
  mesh.process.kill("SIGKILL");
  const next = runLimpid(["up", "--no-dashboard", "--port-offset", String(mesh.portOffset), "--data", mesh.data]);
  const exited = once(next, "exit");
  let output = "";
  for (const stream of [next.stdout, next.stderr]) {
    stream?.on("data", (chunk) => {
      output += chunk;
    });
  }
  try {
    await eventually(() => output.includes("Ctrl-C stops them all"), 2 * patience, "the next one is up").catch(
      (error) => {
        throw new Error(`${error.message}; it said: ${output}`);
      },
    );
    expect(isRunning(hung)).toBe(false);
  } finally {
    next.kill("SIGINT");
    await exited;
    await mesh.stop();
  }
});

test("wrong options are one clear sentence and exit code 1", async () => {
  const data = mkdtempSync(join(tmpdir(), "limpid-e2e-"));
  const cases: [string[], string][] = [
    [["up", "--port-offset", "x"], 'port offset "x": must be a whole number from 0 to 40000'],
    [["up", "--rate", "-3", "--port-offset", "9999", "--data", data], 'traffic rate "-3": must be a number'],
    [["up", "--proxy", "nginx", "--data", data], "--proxy nginx: must be limpid or envoy"],
    [["status", "--port-offset", "12345"], "no mesh runs here"],
  ];
  for (const [args, message] of cases) {
    const answer = await limpid(args);
    expect(answer.code, args.join(" ")).toBe(1);
    expect(answer.err).toContain(message);
  }
  writeFileSync(join(data, "file"), "");
  const unwritable = await limpid(["up", "--port-offset", "9998", "--data", join(data, "file/data")]);
  expect(unwritable.code).toBe(1);
  expect(unwritable.err).toContain("can't be written (ENOTDIR); choose another with --data or LIMPID_DATA");
  rmSync(data, { recursive: true });
});

test("a damaged database is one clear sentence, at once, and is left as it is", async () => {
  const data = mkdtempSync(join(tmpdir(), "limpid-e2e-"));
  const damaged = "no database ".repeat(1000);
  writeFileSync(join(data, "config.db"), damaged);
  const offset = String(randomOffset());
  const answer = await limpid(["up", "--no-dashboard", "--port-offset", offset, "--data", data]);
  expect(answer.code).toBe(78);
  expect(answer.err).toContain(`the database ${join(data, "config.db")} can't be used: SQLITE_NOTADB`);
  expect(answer.err).toContain("put a backup in its place, or move it away to begin anew");
  expect(answer.err).not.toContain("restarting");
  expect(readFileSync(join(data, "config.db"), "utf8")).toBe(damaged);
  expect(existsSync(join(data, "limpid.lock"))).toBe(false);
  rmSync(data, { recursive: true });
});

test("status says when something else, or nothing that answers, holds the supervisor's port", async () => {
  const offset = randomOffset();
  let answers = true;
  const other = createHttpServer((_, response) => {
    if (answers) response.end("hello");
  });
  await new Promise<void>((done) => other.listen(meshPorts(offset).fleet, "127.0.0.1", done));
  try {
    const foreign = await limpid(["status", "--port-offset", String(offset)]);
    expect(foreign).toMatchObject({ code: 1, out: "" });
    expect(foreign.err).toContain("is served by something that is no Limpid mesh");
    answers = false;
    const silent = await limpid(["status", "--port-offset", String(offset)]);
    expect(silent).toMatchObject({ code: 1, out: "" });
    expect(silent.err).toContain("gave no answer within 5 s");
  } finally {
    other.closeAllConnections();
    await new Promise((done) => other.close(done));
  }
});

const oldNode = findOldNode();

test.skipIf(oldNode === undefined)("started by an old Node, SIGTERM to what was started ends the mesh", async () => {
  const offset = randomOffset();
  const data = mkdtempSync(join(tmpdir(), "limpid-e2e-"));
  const args = [join(root, "bin/limpid.mjs"), "up", "--no-dashboard", "--no-demo", "--port-offset", String(offset)];
  const child = spawn(oldNode ?? "", [...args, "--data", data], { cwd: root, stdio: "ignore" });
  const exited = new Promise<number | null>((done) => child.once("exit", done));
  const pids = await eventually(
    async () => {
      const { pid, parts } = await statusAt(offset);
      return parts.length === 2 && [pid, ...parts.flatMap((part) => part.pid ?? [])];
    },
    patience,
    "the mesh runs",
  );
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
  expect(pids.filter(isRunning)).toEqual([]);
  rmSync(data, { recursive: true });
});

/** A Node on the PATH that is too old to run Limpid itself. */
function findOldNode(): string | undefined {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, "node");
    const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
    if (/^v(\d+)/.test(stdout ?? "") && Number(stdout.slice(1).split(".")[0]) < 24) return path;
  }
  return undefined;
}

test("a log level that doesn't exist is said once", async () => {
  const answer = await limpid(["up", "--no-dashboard"], { ...process.env, LIMPID_LOG_LEVEL: "loud" });
  expect(answer).toMatchObject({
    code: 1,
    err: 'limpid: LIMPID_LOG_LEVEL "loud": must be one of trace, debug, info, warn, error, fatal, silent\n',
  });
});

function listens(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
  });
}
