import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { cpuSeconds, quantile, wait } from "./process-usage.ts";
import { Bars, print } from "./xds/bars.ts";
import { type Clients, connectAll, nowMs, startClients, total, untilSynced } from "./xds/client-processes.ts";
import { measureFirstResponses } from "./xds/first-response.ts";
import { apartObjects, heldOf, seedMesh, seedObjects, serviceEntryOf, virtualServiceOf } from "./xds/mesh.ts";
import { memoryMb, type Plane, planeFlags, startPlane } from "./xds/plane.ts";

const services = 1_000;
const storm = Number(process.env.LIMPID_BENCH_STORM ?? 200);
const fleet = Number(process.env.LIMPID_BENCH_FLEET ?? 2_000);
const bare = process.env.LIMPID_BENCH_BARE !== "0";
const apart = fleet > 0 ? 50 : 0;
const clientProcesses = 2;
const changes = Number(process.env.LIMPID_BENCH_CHANGES ?? 30);
const puts = Number(process.env.LIMPID_BENCH_PUTS ?? 200);

/**
 * The control plane as `limpid control-plane` starts it, with 1,000 services × 3 subsets, and proxies in processes of their own that read bytes
 * and acknowledge. Bars: issue "All fourteen services". A phase that fails is told as missed, and the next one runs.
 */
export async function benchXds(): Promise<void> {
  const bars = new Bars();
  const phases: [string, boolean, (data: string, bars: Bars) => Promise<void>][] = [
    ["the connect storm", storm > 0, connectStorm],
    ["the fleet that comes back", fleet > 0, wholeFleet],
    ["bare servers", fleet > 0 && bare, async () => bareServers()],
    ["PUT → first response", puts > 0, (data, all) => measureFirstResponses(data, services, puts, all)],
  ];
  for (const [name, isWanted, measure] of phases) {
    if (!isWanted) continue;
    const data = mkdtempSync(join(tmpdir(), "limpid-bench-xds-"));
    try {
      await seedMesh(data, services);
      await measure(data, bars);
    } catch (error) {
      bars.failed(name, error);
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  }
  bars.summary();
}

async function connectStorm(data: string, bars: Bars): Promise<void> {
  const plane = await startPlane(data);
  const learners = startClients(1);
  const others = startClients(clientProcesses);
  try {
    const expected = countsOf((await learners[0]?.learn(plane.target)) ?? {});
    print(`everything: ${JSON.stringify(shorten(expected))}; control plane with one proxy ${plane.memoryMb().now} MB`);
    const cpu = plane.cpuSeconds();
    const started = nowMs();
    connectAll(others, storm, { target: plane.target, expected });
    const answered = await writeMeanwhile(plane, async () => (await total(others)).synced >= storm);
    const report = await total(others);
    const { now: mb, peak } = plane.memoryMb();
    print(
      `${storm} proxies: ${(report.bytes / report.synced / 1e6).toFixed(1)} MB each, ${seconds(plane.cpuSeconds() - cpu)} of processor ` +
        `(clients ${seconds(cpuOf(others))}), ${mb} MB afterwards; ${answered.length} changes meanwhile, ` +
        `p50 ${quantile(answered, 0.5).toFixed(0)} ms, p90 ${quantile(answered, 0.9).toFixed(0)} ms`,
    );
    bars.check(`${storm} proxies connect and take everything`, Math.round(report.syncedAt - started), 8_000, "ms");
    bars.check("peak memory meanwhile", peak, 600, "MB");
    bars.check("the slowest change written meanwhile, answered", Math.round(Math.max(...answered)), 100, "ms");
    for (const error of report.errors) print(`error: ${error}`);
  } finally {
    for (const each of [...learners, ...others]) each.stop();
    await plane.stop();
  }
}

async function wholeFleet(data: string, bars: Bars): Promise<void> {
  await seedObjects(data, apartObjects);
  const plane = await startPlane(data);
  const [learner] = startClients(1);
  const others = startClients(clientProcesses);
  const elsewhere = startClients(1);
  try {
    const held = (await learner?.learn(plane.target)) ?? {};
    learner?.stop();
    await comeBack(plane, others, held, bars);
    connectAll(elsewhere, apart, { target: plane.target, expected: {}, held: {}, namespace: "apart" });
    await untilSynced(elsewhere, apart);
    await changeRules(plane, others, bars);
    await changeEndpoints(plane, elsewhere, bars);
  } finally {
    for (const each of [...others, ...elsewhere]) each.stop();
    await plane.stop();
  }
}

async function comeBack(
  plane: Plane,
  clients: readonly Clients[],
  held: Record<string, Record<string, string>>,
  bars: Bars,
): Promise<void> {
  await Promise.all(clients.map((each) => each.prepare(held)));
  const cpu = plane.cpuSeconds();
  const cpuOfClients = cpuOf(clients);
  const started = nowMs();
  connectAll(clients, fleet, { target: plane.target, expected: {}, held });
  const back = await untilSynced(clients, fleet);
  print(
    `${fleet} proxies come back: ${back.resources} resources sent, ${(back.bytes / fleet).toFixed(0)} bytes each, ` +
      `${seconds(plane.cpuSeconds() - cpu)} of processor (clients ${seconds(cpuOf(clients) - cpuOfClients)}), peak ${plane.memoryMb().peak} MB`,
  );
  bars.check(
    `${fleet} proxies come back with what they hold: resynced`,
    Math.round(back.syncedAt - started),
    5_000,
    "ms",
  );
  bars.check("of it sent again though unchanged", back.unchanged, 0, "resources");
  for (const error of back.errors) print(`error: ${error}`);
}

async function changeRules(plane: Plane, clients: readonly Clients[], bars: Bars): Promise<void> {
  const took: number[] = [];
  const bytes: number[] = [];
  const cpu = plane.cpuSeconds();
  for (let change = 0; change < changes; change++) {
    for (const each of clients) each.send({ reset: true });
    const { revision } = await plane.put(weightOf(change));
    const push = await plane.pushed(revision);
    took.push(push.ms);
    if (push.proxies !== fleet) print(`${push.proxies} proxies were concerned, not ${fleet}`);
    bytes.push((await total(clients)).bytes / fleet);
  }
  print(
    `${changes} changes of one VirtualService to ${fleet} proxies: p90 ${quantile(took, 0.9)} ms, slowest ${Math.max(...took)} ms, ` +
      `${((1e3 * (plane.cpuSeconds() - cpu)) / changes).toFixed(0)} ms of processor each, ${plane.memoryMb().now} MB`,
  );
  bars.check(`one VirtualService changed → the last of ${fleet} proxies' ACK, median`, quantile(took, 0.5), 400, "ms");
  bars.check("of which each proxy gets", Math.round(quantile(bytes, 0.5)), 2_048, "bytes");
}

/** Proxies with a Sidecar that sees nothing of the services whose endpoints change. */
async function changeEndpoints(plane: Plane, elsewhere: readonly Clients[], bars: Bars): Promise<void> {
  for (const each of elsewhere) each.send({ reset: true });
  for (let change = 0; change < 5; change++) {
    const { revision } = await plane.put(serviceEntryOf(change, 200 + change));
    const push = await plane.pushed(revision);
    if (push.proxies !== fleet) print(`${push.proxies} proxies were concerned, not ${fleet}`);
  }
  bars.check(
    `endpoints of 5 services change: to ${apart} proxies that don't use them`,
    (await total(elsewhere)).responses,
    0,
    "messages",
  );
}

/** The same proxies come back to servers that do nothing: what is left is the transport, and what the clients themselves take. */
async function bareServers(): Promise<void> {
  for (const transport of ["limpid", "grpc-js", "node:http2"]) {
    const child = fork(resolve(import.meta.dirname, "xds/bare-server.ts"), [transport], {
      stdio: "inherit",
      execArgv: planeFlags,
    });
    const others = startClients(clientProcesses);
    try {
      await bareFleet(transport, child, others);
    } finally {
      for (const each of others) each.stop();
      if (child.connected) child.disconnect();
    }
  }
}

async function bareFleet(transport: string, child: ChildProcess, clients: readonly Clients[]): Promise<void> {
  const { port } = await new Promise<{ port: number }>((done) => child.once("message", done));
  const held = heldOf(services);
  await Promise.all(clients.map((each) => each.prepare(held)));
  const cpu = cpuSeconds(child.pid ?? 0);
  const cpuOfClients = cpuOf(clients);
  const started = nowMs();
  connectAll(clients, fleet, { target: `127.0.0.1:${port}`, expected: {}, held });
  const back = await untilSynced(clients, fleet);
  print(
    `${fleet} proxies come back to a server of ${transport} alone: answered after ${Math.round(back.syncedAt - started)} ms, ` +
      `${seconds(cpuSeconds(child.pid ?? 0) - cpu)} of processor (clients ${seconds(cpuOf(clients) - cpuOfClients)}), peak ${memoryMb(child).peak} MB`,
  );
}

/** Changes one rule after the other until `done`; how long each waited for its answer, ms. */
async function writeMeanwhile(plane: Plane, done: () => Promise<boolean>): Promise<number[]> {
  const answered: number[] = [];
  for (let change = 0; !(await done()); change++) {
    answered.push((await plane.put(weightOf(change))).ms);
    await wait(50);
  }
  return answered;
}

/** Another weight for one of the services, never the one that it has. */
const weightOf = (change: number): string => virtualServiceOf(change % services, 51 + ((change * 7) % 48));

const countsOf = (held: Record<string, Record<string, string>>): Record<string, number> =>
  Object.fromEntries(Object.entries(held).map(([type, versions]) => [type, Object.keys(versions).length]));

const shorten = (counts: Record<string, number>) =>
  Object.fromEntries(Object.entries(counts).map(([type, count]) => [type.slice(type.lastIndexOf(".") + 1), count]));

const cpuOf = (clients: readonly Clients[]): number => clients.reduce((sum, each) => sum + each.cpuSeconds(), 0);
const seconds = (value: number): string => `${value.toFixed(1)} s`;
