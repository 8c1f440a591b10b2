import { startMesh } from "../../e2e/mesh.ts";
import { cpuSeconds, memoryMb, wait, withDescendants } from "./process-usage.ts";

const settleMs = 10_000;
const measureMs = 30_000;

/** CPU and memory of the whole demo, every process counted, at 40 requests/s and at rest. */
export async function benchFootprint(): Promise<void> {
  const mesh = await startMesh(["--rate", "40"]);
  try {
    await measure("40 requests/s", mesh.process.pid as number);
    const fleet = new URL(mesh.dashboard);
    fleet.port = String(15_080 + mesh.portOffset);
    await fetch(`${fleet.origin}/v1/traffic?rate=0`, { method: "PUT" });
    await measure("at rest", mesh.process.pid as number);
    const { parts } = await mesh.status();
    for (const part of parts) {
      if (part.pid === null) continue;
      const { rss, pss } = memoryMb(part.pid);
      process.stdout.write(
        `  ${part.name.padEnd(24)} ${rss.toFixed(0).padStart(4)} MB RSS ${pss.toFixed(0).padStart(4)} MB PSS\n`,
      );
    }
  } finally {
    await mesh.stop();
  }
}

async function measure(title: string, supervisor: number): Promise<void> {
  await wait(settleMs);
  const pids = withDescendants(supervisor);
  const before = pids.map(cpuSeconds);
  await wait(measureMs);
  const used = pids
    .map((pid, index) => cpuSeconds(pid) - (before[index] as number))
    .reduce((sum, seconds) => sum + seconds, 0);
  const memory = pids.map(memoryMb);
  const sum = (key: "rss" | "pss") => memory.reduce((total, process_) => total + process_[key], 0);
  process.stdout.write(
    `${title}: ${((used / measureMs) * 100_000).toFixed(1)} % of a core, ${sum("pss").toFixed(0)} MB (PSS; sum of RSS ${sum("rss").toFixed(0)} MB), ${pids.length} processes\n`,
  );
}
