import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { randomOffset } from "../../e2e/mesh.ts";
import { meshPorts } from "../../server/fleet/ports.ts";
import { cpuSeconds, memoryMb, wait } from "./process-usage.ts";
import { onEachPlace, type Place } from "./telemetry-places.ts";
import { accessLogSender, type Sender, spanSender } from "./telemetry-senders.ts";

const main = join(import.meta.dirname, "../../server/cli/main.ts");
const seconds = 8;

/** What a collector's core takes in, from gRPC to what can be asked for. */
export async function benchIngest(): Promise<void> {
  await onEachPlace("ingest", async (place) => {
    await ingestOf("access logs", accessLogSender, place);
    await ingestOf("OTLP spans of 6 attributes", spanSender, place);
  });
}

/** Sends as fast as the collector takes it; its processor time, and not the clock, tells what a core of its own would do. */
async function ingestOf(what: string, make: (port: number) => Promise<Sender>, place: Place): Promise<void> {
  const offset = randomOffset();
  const ports = meshPorts(offset);
  const args = [main, "collector", "--port-offset", String(offset), "--data", place.data];
  const env = { ...process.env, LIMPID_TELEMETRY_DATABASE: place.database ?? "" };
  const profile = process.env.LIMPID_BENCH_PROFILE
    ? ["--cpu-prof", `--cpu-prof-dir=${process.env.LIMPID_BENCH_PROFILE}`]
    : [];
  const collector = spawn(process.execPath, [...profile, ...args], { stdio: "ignore", env });
  try {
    await ready(`http://127.0.0.1:${ports.collectorHttp}/healthz`, collector);
    const sender = await make(ports.collectorGrpc);
    await sender.run(2);
    await wait(1500);
    const pid = collector.pid as number;
    const [before, serverBefore] = [cpuSeconds(pid), await place.serverSeconds()];
    const sent = await sender.run(seconds);
    await wait(2500);
    const used = cpuSeconds(pid) - before;
    const server = (await place.serverSeconds()) - serverBefore;
    const health = (await (await fetch(`http://127.0.0.1:${ports.collectorHttp}/healthz`)).json()) as { shed: object };
    const ofServer = place.database ? `, and ${server.toFixed(1)} s of the server's` : "";
    process.stdout.write(
      `${place.name}: ${what}: ${(sent / used / 1000).toFixed(0)} k/s and core (${sent} in ${used.toFixed(1)} s of processor${ofServer}), ${memoryMb(pid).rss.toFixed(0)} MB, shed ${JSON.stringify(health.shed)}\n`,
    );
    await sender.close();
  } finally {
    collector.kill("SIGTERM");
    if (collector.exitCode === null) await once(collector, "exit");
  }
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the collector ended with ${child.exitCode}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await wait(50);
  }
}
