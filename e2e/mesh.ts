import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readMachineToken } from "../server/access/machine-token.ts";
import type { FleetStatus } from "../server/fleet/fleet-api.ts";
import { blockedByBrowsers, meshPorts } from "../server/fleet/ports.ts";

/** A whole mesh started by the very command people use, on ports of its own and in a temporary folder. */
export interface TestMesh {
  process: ChildProcess;
  portOffset: number;
  data: string;
  dashboard: string;
  configApi: string;
  gateway: { host: string; port: number };
  /** Asks the dashboard as the owner of this machine, whose token lies in the data folder. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  output(): string;
  status(): Promise<FleetStatus>;
  /** Ctrl-C, and wait for the end; resolves with the exit code. */
  stop(): Promise<number | null>;
}

export const root = resolve(import.meta.dirname, "..");
const cli = join(root, "bin/limpid.mjs");

/** Kept below the range that the system hands out by itself (32768 and up), so that no client socket takes a port first. */
export function randomOffset(): number {
  const offset = 1000 + Math.floor(Math.random() * 11_000);
  return blockedByBrowsers(offset) ? randomOffset() : offset;
}

/** `env`: what is said to it besides what this process was told, which may hang on its ports. */
export async function startMesh(
  args: readonly string[] = [],
  timeoutMs = 120_000,
  env: (portOffset: number) => Record<string, string> = () => ({}),
): Promise<TestMesh> {
  for (let attempt = 0; ; attempt++) {
    const mesh = await tryStart(randomOffset(), args, timeoutMs, env);
    if (typeof mesh !== "string") return mesh;
    if (attempt === 3 || !mesh.includes("is taken by another process"))
      throw new Error(`the mesh did not start:\n${mesh}`);
  }
}

async function tryStart(
  portOffset: number,
  args: readonly string[],
  timeoutMs: number,
  env: (portOffset: number) => Record<string, string>,
): Promise<TestMesh | string> {
  const data = mkdtempSync(join(tmpdir(), "limpid-e2e-"));
  const asked = ["up", "--port-offset", String(portOffset), "--data", data, ...args];
  const child = runLimpid(asked, { ...process.env, ...env(portOffset) });
  let output = "";
  const exited = new Promise<number | null>((done) => child.once("exit", done));
  const started = await new Promise<boolean>((done) => {
    const timer = setTimeout(() => done(false), timeoutMs);
    const read = (chunk: Buffer) => {
      output += chunk.toString("utf8");
      if (output.includes("Ctrl-C stops them all")) {
        clearTimeout(timer);
        done(true);
      }
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    void exited.then(() => {
      clearTimeout(timer);
      done(false);
    });
  });
  const ports = meshPorts(portOffset);
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
    const code = await exited;
    rmSync(data, { recursive: true, force: true });
    return code;
  };
  if (!started) {
    await stop();
    return output;
  }
  return {
    process: child,
    portOffset,
    data,
    dashboard: `http://127.0.0.1:${ports.dashboard}`,
    configApi: `http://127.0.0.1:${ports.configApi}`,
    gateway: { host: "127.0.0.1", port: ports.gateway },
    ask: (path, init) => askDashboard(`http://127.0.0.1:${ports.dashboard}`, data, path, init),
    output: () => output,
    status: () => statusAt(portOffset),
    stop,
  };
}

/** As whoever can read the mesh's data folder. */
export function askDashboard(dashboard: string, data: string, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${readMachineToken(data)}`);
  return fetch(dashboard + path, { ...init, headers });
}

/** What the supervisor says; rejects while there is none. */
export const statusAt = async (portOffset: number): Promise<FleetStatus> =>
  (await (await fetch(`http://127.0.0.1:${meshPorts(portOffset).fleet}/v1/status`)).json()) as FleetStatus;

export const runLimpid = (args: readonly string[], env: NodeJS.ProcessEnv = process.env): ChildProcess =>
  spawn(process.execPath, [cli, ...args], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });

/** Runs a command to its end. */
export async function limpid(
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<{ code: number | null; out: string; err: string }> {
  const child = runLimpid(args, env);
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    err += chunk;
  });
  const code = await new Promise<number | null>((done) => child.once("close", done));
  return { code, out, err };
}

const agent = new Agent({ keepAlive: true });

/** One GET through the ingress gateway; rejects when there is no answer. */
export function getThrough(
  gateway: TestMesh["gateway"],
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((done, reject) => {
    const req = request({ ...gateway, path, headers, agent, timeout: 20_000 }, (res) => {
      let body = "";
      res.on("data", (chunk) => {
        body += chunk;
      });
      res.on("end", () => done({ status: res.statusCode ?? 0, body, headers: res.headers }));
      res.on("error", reject);
    });
    req.on("timeout", () => req.destroy(new Error("no answer within 20 s")));
    req.on("error", reject);
    req.end();
  });
}

/** Which version of reviews answers, asked `count` times through the gateway. */
export async function reviewVersions(mesh: TestMesh, count: number): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const { body } = await getThrough(mesh.gateway, "/api/v1/products/0/reviews");
    const version = /"podname":"reviews-(v\d)"/.exec(body)?.[1] ?? "none";
    seen[version] = (seen[version] ?? 0) + 1;
  }
  return seen;
}

/** Polls until `check` returns something truthy; throws its last value or error after `timeoutMs`. */
export async function eventually<T>(
  check: () => Promise<T> | T,
  timeoutMs: number,
  what: string,
): Promise<Exclude<T, null | undefined | false>> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const value = await check();
      if (value) return value as Exclude<T, null | undefined | false>;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(
    `${what}: not within ${timeoutMs} ms; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
  );
}

/** Children of a process by /proc, for leak checks on Linux. */
export const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
};
