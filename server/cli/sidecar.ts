import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { setFlagsFromString } from "node:v8";
import { Command, InvalidArgumentError, Option } from "commander";
import { createLogger } from "../lib/logger.ts";
import { onSuccession, receiveSockets, say, sendSockets, succeedsVariable } from "../lib/succession.ts";
import { version } from "../lib/version.ts";
import { countsSince, type ProxyCounts } from "../sidecar/access-log/proxy-counts.ts";
import { readBootstrapFile } from "../sidecar/bootstrap/read-bootstrap.ts";
import type { RunningSidecar } from "../sidecar/process/running-sidecar.ts";
import { runSidecar, validateSidecar } from "../sidecar/run.ts";
import { workerVariable } from "../sidecar/workers/messages.ts";
import { WorkerLink } from "../sidecar/workers/worker-link.ts";
import { onShutdown } from "./leash.ts";

interface Flags {
  configPath: string;
  adminAddressPath?: string;
  serviceNode?: string;
  serviceCluster?: string;
  serviceZone?: string;
  logLevel: string;
  mode: "serve" | "validate";
  drainTimeS: number;
  reusePort?: boolean;
  fileFlushIntervalMsec: number;
  fileFlushMinSizeKb: number;
  concurrency?: number;
}

/** `limpid sidecar`, with the flags of Envoy that make sense here under Envoy's names. */
export const sidecarCommand = (): Command =>
  new Command("sidecar")
    .description("Run one proxy from an Envoy v3 bootstrap file (YAML or JSON).")
    .requiredOption("-c, --config-path <file>", "bootstrap file, the one that Envoy takes")
    .option("--admin-address-path <file>", "write the admin's bound address to this file")
    .option("--service-node <id>", "node id, instead of the bootstrap's node.id")
    .option("--service-cluster <name>", "node cluster, instead of the bootstrap's node.cluster")
    .option("--service-zone <zone>", "node zone, instead of the bootstrap's node.locality.zone")
    .option("-l, --log-level <level>", "trace, debug, info, warning, error, critical or off", levelOf, "info")
    .option("--drain-time-s <seconds>", "how long stopping waits for requests in flight", secondsOf, 10)
    .option(
      "--reuse-port",
      "let a successor listen on the same ports before this one stops, so that a restart loses no request",
    )
    .option(
      "--file-flush-interval-msec <n>",
      "the longest that lines wait before they are written to a log file",
      countOf,
      1000,
    )
    .option("--file-flush-min-size-kb <n>", "so much waits at the most before it is written to a log file", countOf, 64)
    .addOption(
      new Option("--mode <mode>", "serve, or validate: read the bootstrap, say all that is wrong with it, and end")
        .choices(["serve", "validate"])
        .default("serve"),
    )
    .option(
      "--concurrency <n>",
      "how many processes serve, each on a core of its own; 0: as many as there are cores; default: what PROXY_CONFIG in the bootstrap says, or 1",
      workersOf,
    )
    .addOption(ignored("--use-dynamic-base-id"))
    .addOption(ignored("--disable-hot-restart"))
    .addOption(ignored("--base-id <n>"))
    .addOption(ignored("--parent-shutdown-time-s <n>"))
    .action(run);

/** Envoy's, about hot restart, which a supervisor may pass to whichever proxy it starts. */
const ignored = (flags: string): Option => new Option(flags).hideHelp();

async function run({
  logLevel,
  drainTimeS,
  fileFlushIntervalMsec: intervalMs,
  fileFlushMinSizeKb,
  mode,
  concurrency: asked,
  ...flags
}: Flags): Promise<void> {
  // V8's middle compiler takes 20 MB while it works, which the allocator keeps; code that runs often comes to the last one all the same.
  setFlagsFromString("--no-maglev");
  const index = process.env[workerVariable];
  const link = index === undefined ? undefined : new WorkerLink(process);
  const logger = createLogger(index === undefined ? "sidecar" : `sidecar worker ${index}`, logLevel);
  const level = {
    get: () => envoyLevel(logger.level),
    set(next: string) {
      logger.level = levelOf(next);
      return true;
    },
  };
  if (mode === "validate") {
    const errors = await validateSidecar({ ...flags, drainTimeMs: 0, version, logger, logLevel: level });
    for (const error of errors) process.stderr.write(`${flags.configPath}: ${error}\n`);
    if (errors.length === 0) process.stdout.write(`configuration '${flags.configPath}' OK\n`);
    process.exit(errors.length === 0 ? 0 : 1);
  }
  try {
    const inherited = process.env[succeedsVariable] === "1" ? await receiveSockets(process, inheritMs) : undefined;
    const fileFlush = { intervalMs, minBytes: fileFlushMinSizeKb * 1024 };
    const timing = { drainTimeMs: drainTimeS * 1000, fileFlush };
    const started = proxyConfigIn(flags.configPath);
    for (const [name, value] of Object.entries(started.proxyMetadata)) process.env[name] ??= value;
    const concurrency = asked ?? workersOf(String(started.concurrency));
    const workers = link === undefined && concurrency > 1 ? { count: concurrency, fork: forkWorker } : undefined;
    const sidecar = await runSidecar({
      ...flags,
      ...timing,
      inherited: inherited?.sockets ?? [],
      carried: inherited?.counts,
      workers,
      link,
      version,
      logger,
      logLevel: level,
    });
    // As Envoy's. Node's own use of the signal, to start a debugger, is gone with it.
    process.on("SIGUSR1", () => sidecar.reopenLogs());
    const succession = link === undefined && process.send !== undefined ? new Succession(sidecar) : undefined;
    if (link === undefined) {
      onShutdown(() => sidecar.stop(), (drainTimeS + 5) * 1000);
    } else {
      process.on("SIGTERM", () => void sidecar.stop());
      // A terminal's is meant for the main process, which tells its workers.
      process.on("SIGINT", () => {});
    }
    const counts = await sidecar.stopped;
    await succession?.end(counts);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`limpid sidecar: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

/** What the proxy is to be started with, as Istio's agent finds it. A bootstrap that can't be read says why in a moment. */
function proxyConfigIn(configPath: string): { concurrency: number; proxyMetadata: Record<string, string> } {
  const read = readBootstrapFile(configPath);
  const config = (read.ok ? read.value.node?.metadata?.PROXY_CONFIG : undefined) ?? {};
  const { concurrency, proxyMetadata } = config as { concurrency?: unknown; proxyMetadata?: unknown };
  const variables = typeof proxyMetadata === "object" && proxyMetadata !== null ? Object.entries(proxyMetadata) : [];
  return {
    concurrency: typeof concurrency === "number" && Number.isInteger(concurrency) && concurrency >= 0 ? concurrency : 1,
    proxyMetadata: Object.fromEntries(variables.map(([name, value]) => [name, String(value)])),
  };
}

/** The same command again, which finds out by its environment what it is. It has no leash of its own: it ends with this process. */
function forkWorker(index: number): ChildProcess {
  const { [succeedsVariable]: _, LIMPID_LEASH: __, ...env } = process.env;
  return fork(process.argv[1] ?? "", process.argv.slice(2), {
    env: { ...env, [workerVariable]: String(index) },
    serialization: "advanced",
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

/** A supervisor starts a successor before this one stops: see succession.ts. */
class Succession {
  readonly #sidecar: RunningSidecar;
  /** What the successor has been told of. */
  #told: ProxyCounts | undefined;

  constructor(sidecar: RunningSidecar) {
    this.#sidecar = sidecar;
    onSuccession(process, (message) => {
      if (message.succession === "hand over") void this.#handOver();
      if (message.succession === "counts") sidecar.carry(message.counts);
      if (message.succession === "give way") void sidecar.stop(true);
    });
    void this.#announce();
  }

  /** Tells what was counted since the sockets went. */
  async end(counts: ProxyCounts): Promise<void> {
    const told = this.#told;
    if (told === undefined) return;
    await new Promise<void>((resolve) => {
      if (!say(process, { succession: "counts", counts: countsSince(counts, told) }, undefined, resolve)) resolve();
    });
  }

  /** Counts go with the sockets, so that whoever scrapes the successor sees them go on. */
  async #handOver(): Promise<void> {
    this.#told = await this.#sidecar.counts();
    sendSockets(process, { sockets: this.#sidecar.sockets(), counts: this.#told }, true);
  }

  async #announce(): Promise<void> {
    while (this.#sidecar.state() !== "LIVE") {
      if (this.#sidecar.state() === "DRAINING") return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    say(process, { succession: "serving" });
  }
}

/** How long a successor waits for what it succeeds to. */
const inheritMs = 10_000;

/** Envoy's names of levels → pino's. */
const levels: Record<string, string> = { warning: "warn", critical: "fatal", off: "silent" };

function levelOf(name: string): string {
  const level = levels[name] ?? name;
  if (["trace", "debug", "info", "warn", "error", "fatal", "silent"].includes(level)) return level;
  throw new InvalidArgumentError("trace, debug, info, warning, error, critical or off");
}

const envoyLevel = (level: string): string => Object.keys(levels).find((name) => levels[name] === level) ?? level;

function countOf(text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("a whole number above 0");
}

function workersOf(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 256) return Number(text) || availableParallelism();
  throw new InvalidArgumentError("a whole number up to 256");
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds;
  throw new InvalidArgumentError("a number of seconds");
}
