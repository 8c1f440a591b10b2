import { startMesh } from "../../e2e/mesh.ts";
import { meshPorts } from "../../server/fleet/ports.ts";
import { cpuSeconds, memoryMb, wait, withDescendants } from "./process-usage.ts";

const settleMs = 10_000;
/** V8 compiles what runs often, and at 40 requests a second that takes minutes: people leave the mesh running for longer. */
const warmMs = 300_000;
const measureMs = 30_000;

interface Process {
  pid: number;
  kind: string;
}

/** CPU and memory of the whole demo, every process counted: the start's CPU, at 40 requests/s soon after it and five minutes later, and at rest. */
export async function benchFootprint(): Promise<void> {
  const mesh = await startMesh(["--rate", "40"]);
  try {
    const supervisor = mesh.process.pid as number;
    const { parts } = await mesh.status();
    const kinds = new Map(parts.map(({ pid, kind }) => [pid, kind]));
    const processes = withDescendants(supervisor).map((pid) => ({
      pid,
      kind: pid === supervisor ? "supervisor" : (kinds.get(pid) ?? "other"),
    }));
    const started = cpuOf(processes);
    await wait(settleMs);
    const soon = await cpuPercent(processes);
    await wait(warmMs);
    const busy = await cpuPercent(processes);
    const busyMemory = memoryOf(processes);
    await fetch(`http://127.0.0.1:${meshPorts(mesh.portOffset).fleet}/v1/traffic?rate=0`, { method: "PUT" });
    await wait(settleMs);
    const idle = await cpuPercent(processes);
    const memory = memoryOf(processes);

    print(["", "n", "RSS MB", "PSS MB", "start CPU s", "% 1st minute", "% at 40/s", "% at rest"]);
    for (const kind of ["all", ...new Set(processes.map((process_) => process_.kind))]) {
      const indexes = [...processes.keys()].filter((index) => kind === "all" || processes[index]?.kind === kind);
      const sum = (values: readonly number[]) => indexes.reduce((total, index) => total + (values[index] ?? 0), 0);
      const per = kind === "all" ? 1 : indexes.length;
      print([
        kind === "all" ? "all" : `each ${kind}`,
        String(indexes.length),
        (sum(memory.rss) / per).toFixed(0),
        (sum(memory.pss) / per).toFixed(0),
        (sum(started) / per).toFixed(2),
        (sum(soon) / per).toFixed(1),
        (sum(busy) / per).toFixed(1),
        (sum(idle) / per).toFixed(2),
      ]);
    }
    const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0).toFixed(0);
    process.stdout.write(`memory at 40/s: ${total(busyMemory.rss)} MB RSS, ${total(busyMemory.pss)} MB PSS\n`);
  } finally {
    await mesh.stop();
  }
}

const cpuOf = (processes: readonly Process[]): number[] => processes.map(({ pid }) => cpuSeconds(pid));

/** Of one core, over `measureMs`. */
async function cpuPercent(processes: readonly Process[]): Promise<number[]> {
  const before = cpuOf(processes);
  const started = performance.now();
  await wait(measureMs);
  const elapsed = performance.now() - started;
  return cpuOf(processes).map((seconds, index) => ((seconds - (before[index] ?? 0)) / elapsed) * 100_000);
}

function memoryOf(processes: readonly Process[]): { rss: number[]; pss: number[] } {
  const all = processes.map(({ pid }) => memoryMb(pid));
  return { rss: all.map(({ rss }) => rss), pss: all.map(({ pss }) => pss) };
}

/** Columns as wide as their longest figure. */
const print = ([name = "", ...columns]: readonly string[]): void => {
  process.stdout.write(`  ${name.padEnd(20)}${columns.map((column) => column.padStart(14)).join("")}\n`);
};
