import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { meshPorts } from "../../server/fleet/ports.ts";
import { cpuSeconds, quantile, wait } from "./process-usage.ts";
import type { FromClients, Report, ToClients } from "./xds/clients.ts";
import { heldOf, seedMesh, virtualServiceOf } from "./xds/mesh.ts";

const services = 1_000;
const storm = Number(process.env.LIMPID_BENCH_STORM ?? 200);
const fleet = Number(process.env.LIMPID_BENCH_FLEET ?? 2_000);
const clientProcesses = 2;
const changes = Number(process.env.LIMPID_BENCH_CHANGES ?? 30);
const portOffset = 9_300;

/**
 * The control plane as `limpid control-plane` starts it, with 1,000 services × 3 subsets, and proxies in processes of their own that read bytes
 * and acknowledge. Bars: issue "All fourteen services".
 */
export async function benchXds(): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), "limpid-bench-xds-"));
  await seedMesh(data, services);
  try {
    if (storm > 0) await connectStorm(data);
    if (fleet > 0) await wholeFleet(data);
    if (fleet > 0) await bareFleet();
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

async function connectStorm(data: string): Promise<void> {
  const plane = await startPlane(data);
  const clients = startClients(1)[0] as Clients;
  const others = startClients(clientProcesses);
  try {
    const held = await clients.learn(plane.target);
    const expected = countsOf(held);
    print(`everything: ${JSON.stringify(shorten(expected))}; control plane with one proxy ${plane.memoryMb().now} MB`);
    const cpu = plane.cpuSeconds();
    const started = now();
    const share = Math.ceil(storm / clientProcesses);
    others.forEach((each, i) => {
      each.send({ connect: { target: plane.target, from: i * share, count: share, expected } });
    });
    const writes = writeMeanwhile(plane, async () => (await total(others)).synced >= storm);
    const answered = await writes;
    const report = await total(others);
    const { now: mb, peak } = plane.memoryMb();
    print(
      `${storm} proxies connect and take everything: ${Math.round(report.syncedAt - started)} ms, ` +
        `${(report.bytes / report.synced / 1e6).toFixed(1)} MB each, ${(plane.cpuSeconds() - cpu).toFixed(1)} s of processor, peak ${peak} MB, ${mb} MB afterwards`,
    );
    print(
      `${answered.length} changes written meanwhile, answered: p50 ${quantile(answered, 0.5).toFixed(0)} ms, ` +
        `p99 ${quantile(answered, 0.99).toFixed(0)} ms, slowest ${Math.max(...answered).toFixed(0)} ms`,
    );
    for (const error of report.errors) print(`error: ${error}`);
  } finally {
    for (const each of [clients, ...others]) each.stop();
    await plane.stop();
  }
}

async function wholeFleet(data: string): Promise<void> {
  const plane = await startPlane(data);
  const [learner] = startClients(1);
  const others = startClients(clientProcesses);
  try {
    const held = (await learner?.learn(plane.target)) ?? {};
    learner?.stop();
    const cpu = plane.cpuSeconds();
    const started = now();
    const share = Math.ceil(fleet / clientProcesses);
    others.forEach((each, i) => {
      each.send({ connect: { target: plane.target, from: i * share, count: share, expected: {}, held } });
    });
    const back = await until(others, fleet);
    print(
      `${fleet} proxies come back with what they hold: resynced after ${Math.round(back.syncedAt - started)} ms, ` +
        `${back.resources} resources sent again, ${(back.bytes / fleet).toFixed(0)} bytes each, ${(plane.cpuSeconds() - cpu).toFixed(1)} s of processor, peak ${plane.memoryMb().peak} MB`,
    );
    for (const error of back.errors) print(`error: ${error}`);
    const took: number[] = [];
    const bytes: number[] = [];
    for (let change = 0; change < changes; change++) {
      for (const each of others) each.send({ reset: true });
      const { revision } = await plane.write(change);
      const push = await plane.pushed(revision);
      took.push(push.ms);
      if (push.proxies !== fleet) print(`only ${push.proxies} proxies were concerned`);
      bytes.push((await total(others)).bytes / fleet);
    }
    print(
      `${changes} changes of one VirtualService → the last of ${fleet} proxies' ACK: p50 ${quantile(took, 0.5)} ms, ` +
        `slowest ${Math.max(...took)} ms, ${quantile(bytes, 0.5).toFixed(0)} bytes each, ${plane.memoryMb().now} MB`,
    );
  } finally {
    for (const each of others) each.stop();
    await plane.stop();
  }
}

/** The same proxies come back to a server that does nothing: what is left is grpc-js, and what the clients themselves take. */
async function bareFleet(): Promise<void> {
  const child = fork(resolve(import.meta.dirname, "xds/bare-server.ts"), { stdio: "inherit", execArgv: planeFlags });
  const others = startClients(clientProcesses);
  try {
    const { port } = await new Promise<{ port: number }>((done) => child.once("message", done));
    const started = now();
    const share = Math.ceil(fleet / clientProcesses);
    others.forEach((each, i) => {
      each.send({
        connect: { target: `127.0.0.1:${port}`, from: i * share, count: share, expected: {}, held: heldOf(services) },
      });
    });
    const back = await until(others, fleet);
    const memory = memoryMb(child);
    print(
      `${fleet} proxies come back to grpc-js alone: answered after ${Math.round(back.syncedAt - started)} ms, ` +
        `${cpuSeconds(child.pid ?? 0).toFixed(1)} s of processor, peak ${memory.peak} MB`,
    );
  } finally {
    for (const each of others) each.stop();
    child.disconnect();
  }
}

/** Waits for that many clients to have everything; says which errors there were when it takes over two minutes. */
async function until(clients: readonly Clients[], synced: number): Promise<Report> {
  const deadline = now() + 120_000;
  for (;;) {
    const report = await total(clients);
    if (report.synced >= synced) return report;
    if (now() > deadline) {
      throw new Error(`after two minutes ${report.synced} of ${synced} are in sync: ${JSON.stringify(report)}`);
    }
    await wait(100);
  }
}

/** Changes one rule after the other until `done`; how long each waited for its answer, ms. */
async function writeMeanwhile(plane: Plane, done: () => Promise<boolean>): Promise<number[]> {
  const answered: number[] = [];
  for (let change = 0; !(await done()); change++) {
    const started = now();
    await plane.write(change);
    answered.push(now() - started);
    await wait(50);
  }
  return answered;
}

interface Plane {
  target: string;
  /** Another weight for one of the services; resolves when it is answered. */
  write(change: number): Promise<{ revision: number }>;
  /** When every proxy concerned has answered. */
  pushed(revision: number): Promise<{ ms: number; proxies: number }>;
  memoryMb(): { now: number; peak: number };
  /** Of its processor time so far. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

const planeFlags = ["--v8-pool-size=1", ...(process.env.LIMPID_BENCH_NODE_FLAGS?.split(" ") ?? [])];

function memoryMb({ pid }: ChildProcess): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
  return { now: Math.round(kb("VmRSS") / 1024), peak: Math.round(kb("VmHWM") / 1024) };
}

let phases = 0;

async function startPlane(data: string): Promise<Plane> {
  const salt = ++phases;
  const ports = meshPorts(portOffset);
  const args = ["server/cli/main.ts", "control-plane", "--data", data, "--port-offset", String(portOffset)];
  const child = spawn(process.execPath, [...planeFlags, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, LIMPID_LOG_LEVEL: "error" },
  });
  const api = `http://127.0.0.1:${ports.configApi}`;
  while (
    !(await fetch(`${api}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error("the control plane did not start");
    await wait(50);
  }
  return {
    target: `127.0.0.1:${ports.xds}`,
    async write(change) {
      const name = `s${change % services}`;
      const url = `${api}/apis/networking.istio.io/v1/namespaces/default/virtualservices/${name}`;
      const { spec } = JSON.parse(virtualServiceOf(change % services, 51 + (((change + salt) * 7) % 48))) as {
        spec: unknown;
      };
      const headers = { "content-type": "application/merge-patch+json" };
      const response = await fetch(url, { method: "PATCH", headers, body: JSON.stringify({ spec }) });
      const body = (await response.json()) as { metadata?: { resourceVersion?: string } };
      if (!response.ok) throw new Error(JSON.stringify(body));
      return { revision: Number(body.metadata?.resourceVersion) };
    },
    async pushed(revision) {
      for (;;) {
        const answer = await fetch(`${api}/limpid/v1/pushes/${revision}`);
        if (!answer.ok) throw new Error(`push ${revision}: ${await answer.text()}`);
        const push = (await answer.json()) as {
          complete?: boolean;
          ms?: number;
          proxies?: unknown[];
        };
        if (push.complete) return { ms: push.ms ?? Number.NaN, proxies: push.proxies?.length ?? 0 };
        await wait(100);
      }
    },
    memoryMb: () => memoryMb(child),
    cpuSeconds: () => cpuSeconds(child.pid ?? 0),
    stop: () => stop(child),
  };
}

interface Clients {
  send(message: ToClients): void;
  report(): Promise<Report>;
  learn(target: string): Promise<Record<string, Record<string, string>>>;
  stop(): void;
}

function startClients(count: number): Clients[] {
  return Array.from({ length: count }, () => {
    const child = fork(resolve(import.meta.dirname, "xds/clients.ts"), { stdio: "inherit" });
    const next = () => new Promise<FromClients>((done) => child.once("message", done));
    return {
      send: (message) => child.send(message),
      async report() {
        child.send({ report: true });
        const answer = await next();
        return "report" in answer ? answer.report : fail();
      },
      async learn(target) {
        child.send({ learn: { target } });
        const answer = await next();
        return "learned" in answer ? answer.learned : fail();
      },
      stop: () => child.disconnect(),
    };
  });
}

const fail = (): never => {
  throw new Error("a client process answered out of turn");
};

async function total(clients: readonly Clients[]): Promise<Report> {
  const reports = await Promise.all(clients.map((each) => each.report()));
  const sum = (pick: (report: Report) => number) => reports.reduce((all, report) => all + pick(report), 0);
  return {
    synced: sum(({ synced }) => synced),
    syncedAt: Math.max(...reports.map(({ syncedAt }) => syncedAt)),
    bytes: sum(({ bytes }) => bytes),
    resources: sum(({ resources }) => resources),
    responses: sum(({ responses }) => responses),
    lastAckAt: Math.max(...reports.map(({ lastAckAt }) => lastAckAt)),
    errors: reports.flatMap(({ errors }) => errors),
  };
}

const countsOf = (held: Record<string, Record<string, string>>): Record<string, number> =>
  Object.fromEntries(Object.entries(held).map(([type, versions]) => [type, Object.keys(versions).length]));

const shorten = (counts: Record<string, number>) =>
  Object.fromEntries(Object.entries(counts).map(([type, count]) => [type.slice(type.lastIndexOf(".") + 1), count]));

const now = () => performance.timeOrigin + performance.now();
const print = (line: string) => process.stdout.write(`${line}\n`);

async function stop(child: ChildProcess): Promise<void> {
  const exited = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  await exited;
}
