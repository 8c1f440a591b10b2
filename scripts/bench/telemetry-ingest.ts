import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { randomOffset } from "../../e2e/mesh.ts";
import { meshPorts } from "../../server/fleet/ports.ts";
import type { Bars } from "./bars.ts";
import { cpuSeconds, memoryMb, wait } from "./process-usage.ts";
import type { Place } from "./telemetry-places.ts";
import { accessLogSender, type Sender, spanSender } from "./telemetry-senders.ts";

const main = join(import.meta.dirname, "../../server/cli/main.ts");
const seconds = 20;
const maxMb = 300;

/** What a collector's core takes in, from gRPC to what can be asked for, sustained for twenty seconds. */
export async function benchIngest(place: Place, bars: Bars): Promise<void> {
  const least = place.database === undefined ? 100 : 60;
  await ingestOf("access-log records to queryable, one core", accessLogSender, least, place, bars);
  await ingestOf("OTLP spans of 6 attributes to queryable, one core", spanSender, 30, place, bars);
}

/** Sends as fast as the collector takes it; its processor time, and not the clock, tells what a core of its own would do. */
async function ingestOf(
  what: string,
  make: (port: number) => Promise<Sender>,
  least: number,
  place: Place,
  bars: Bars,
): Promise<void> {
  const { child, ports } = await startCollector(place);
  try {
    const sender = await make(ports.collectorGrpc);
    await sender.run(2);
    await wait(1500);
    const pid = child.pid as number;
    const [before, serverBefore] = [cpuSeconds(pid), await place.serverSeconds()];
    let mb = 0;
    const watching = setInterval(() => {
      mb = Math.max(mb, memoryMb(pid).rss);
    }, 250);
    const sent = await sender.run(seconds);
    await wait(2500);
    clearInterval(watching);
    const used = cpuSeconds(pid) - before;
    const server = (await place.serverSeconds()) - serverBefore;
    const health = (await (await fetch(`http://127.0.0.1:${ports.collectorHttp}/healthz`)).json()) as { shed: object };
    const ofServer = place.database ? `, and ${server.toFixed(1)} s of the server's` : "";
    process.stdout.write(
      `${place.name}: ${what}: ${sent} in ${seconds} s by the clock and ${used.toFixed(1)} s of processor${ofServer}, shed ${JSON.stringify(health.shed)}\n`,
    );
    bars.add({ what: `${place.name}: ${what}`, value: sent / used / 1000, unit: "k/s", least });
    const memory = { what: `${place.name}: the same, most memory`, value: mb, unit: "MB" };
    if (make === accessLogSender) bars.add({ ...memory, most: maxMb });
    else process.stdout.write(`${memory.what}: ${mb.toFixed(0)} MB\n`);
    await sender.close();
  } finally {
    await endOf(child);
  }
}

export async function startCollector(place: Place) {
  const offset = randomOffset();
  const ports = meshPorts(offset);
  const args = [main, "collector", "--port-offset", String(offset), "--data", place.data];
  const env = { ...process.env, LIMPID_TELEMETRY_DATABASE: place.database ?? "" };
  const profile = process.env.LIMPID_BENCH_PROFILE
    ? ["--cpu-prof", `--cpu-prof-dir=${process.env.LIMPID_BENCH_PROFILE}`]
    : [];
  const child = spawn(process.execPath, [...profile, ...args], { stdio: "ignore", env });
  try {
    await ready(`http://127.0.0.1:${ports.collectorHttp}/healthz`, child);
  } catch (error) {
    await endOf(child);
    throw error;
  }
  return { child, ports };
}

export async function endOf(child: ChildProcess): Promise<void> {
  child.kill("SIGTERM");
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the collector ended with ${child.exitCode}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await wait(50);
  }
}
