import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { listening } from "./ground.ts";
import type { Load } from "./loads.ts";
import { cpuSeconds, memoryMb, quantile, wait, withDescendants } from "./process-usage.ts";

/** One server or proxy with one worker. It says its port on its first line, or `port` is known before. */
export interface Contender {
  name: string;
  command: string[];
  port?: number;
  env?: NodeJS.ProcessEnv;
  /** Why it can't take part. */
  missing?: string;
}

export interface Running {
  name: string;
  pid: number;
  port: number;
  /** CPU µs per request, and requests per second, a figure a round. */
  micros: number[];
  rates: number[];
  /** Requests that failed: what these cost is no figure. */
  failed: number;
}

/** Processes of a bench, each on one core. */
export class Ground {
  readonly #started: ChildProcess[] = [];
  readonly #stopped = () => {
    for (const child of this.#started) child.kill("SIGTERM");
  };

  constructor() {
    // Whoever stops the bench has no proxies left on its ports.
    process.once("exit", this.#stopped);
  }

  /** Undefined where it can't take part, which is told. */
  async start(contender: Contender, core: 0 | 1): Promise<Running | undefined> {
    const { name, missing } = contender;
    if (missing !== undefined) {
      process.stdout.write(`${name}: left out, ${missing}\n`);
      return undefined;
    }
    const child = spawn("taskset", ["-c", String(core), ...contender.command], {
      stdio: ["ignore", contender.port === undefined ? "pipe" : "ignore", "ignore"],
      env: contender.env ?? process.env,
    });
    this.#started.push(child);
    if (child.pid === undefined) throw new Error(`${name} did not start`);
    const port = contender.port ?? (await firstLine(child));
    await listening(port);
    return { name, pid: child.pid, port, micros: [], rates: [], failed: 0 };
  }

  /** Those that can take part, on core 1. */
  async startAll(contenders: readonly Contender[]): Promise<Running[]> {
    const running: Running[] = [];
    for (const contender of contenders) {
      const started = await this.start(contender, 1);
      if (started) running.push(started);
    }
    return running;
  }

  async stop(): Promise<void> {
    this.#stopped();
    this.#started.length = 0;
    process.off("exit", this.#stopped);
    await wait(500);
  }
}

/** They take turns within a round, so that the machine's drift meets them all. */
export async function takeTurns(
  running: readonly Running[],
  load: Load,
  rounds: number,
  seconds: number,
): Promise<void> {
  for (const { port } of running) await load(port, 2); // warm-up
  for (let round = 0; round < rounds; round++) {
    for (const each of running) {
      const pids = withDescendants(each.pid);
      const before = pids.map(cpuSeconds);
      const { requests, errors } = await load(each.port, seconds);
      const used = pids.reduce((sum, pid, index) => sum + cpuSeconds(pid) - (before[index] ?? 0), 0);
      if (errors > 0) process.stdout.write(`! ${each.name}: ${errors} failed requests\n`);
      each.failed += errors;
      each.micros.push((used * 1e6) / requests);
      each.rates.push(requests / seconds);
    }
  }
}

/** Ratios are those to `reference`, or to the one that it names for each. */
export function turnsTable(
  title: string,
  running: readonly Running[],
  reference: string | ((name: string) => string | undefined),
): void {
  process.stdout.write(
    `\n| ${title} | CPU µs/request (median, min–max) | requests/s | RSS MB | × Envoy |\n|---|---|---|---|---|\n`,
  );
  for (const { name, micros, rates, pid } of running) {
    const rss = withDescendants(pid).reduce((sum, each) => sum + memoryMb(each).rss, 0);
    const ratio = ratioOf(running, name, typeof reference === "string" ? reference : reference(name));
    process.stdout.write(
      `| ${name} | ${median(micros).toFixed(1)} (${Math.min(...micros).toFixed(1)}–${Math.max(...micros).toFixed(1)}) | ${Math.round(median(rates))} | ${rss.toFixed(0)} | ${ratio?.toFixed(2) ?? "-"} |\n`,
    );
  }
}

/** CPU per request of one by that of the other; undefined where one of them did not take part, or failed. */
export function ratioOf(running: readonly Running[], name: string, reference: string | undefined): number | undefined {
  const one = running.find((each) => each.name === name);
  const other = running.find((each) => each.name === reference);
  if (!one || !other || one.failed + other.failed > 0) return undefined;
  return median(one.micros) / median(other.micros);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

async function firstLine(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new Error("its output is not read");
  for await (const line of createInterface({ input: child.stdout })) return Number(line);
  throw new Error("a contender ended before it listened");
}
