import { setFlagsFromString } from "node:v8";
import { Command, InvalidArgumentError, Option } from "commander";
import { createLogger } from "../lib/logger.ts";
import { onSuccession, receiveSockets, say, sendSockets, succeedsVariable } from "../lib/succession.ts";
import { type RunningSidecar, runSidecar, validateSidecar } from "../sidecar/run.ts";
import { onShutdown } from "./leash.ts";
import { version } from "./version.ts";

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
    .option("--concurrency <n>", "taken for Envoy's sake: there is one event loop")
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
  ...flags
}: Flags): Promise<void> {
  // V8's middle compiler takes 20 MB while it works, which the allocator keeps; code that runs often comes to the last one all the same.
  setFlagsFromString("--no-maglev");
  const logger = createLogger("sidecar", logLevel);
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
    const sidecar = await runSidecar({
      ...flags,
      ...timing,
      inherited: inherited ?? [],
      version,
      logger,
      logLevel: level,
    });
    // As Envoy's. Node's own use of the signal, to start a debugger, is gone with it.
    process.on("SIGUSR1", () => sidecar.reopenLogs());
    onShutdown(() => sidecar.stop(), (drainTimeS + 5) * 1000);
    void announce(sidecar);
    await sidecar.stopped;
    process.exit(0);
  } catch (error) {
    process.stderr.write(`limpid sidecar: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

/** A supervisor starts a successor before this one stops: see succession.ts. */
async function announce(sidecar: RunningSidecar): Promise<void> {
  if (process.send === undefined) return;
  onSuccession(process, ({ succession }) => {
    if (succession === "hand over") sendSockets(process, sidecar.sockets(), true);
    if (succession === "give way") void sidecar.stop(true);
  });
  while (sidecar.state() !== "LIVE") {
    if (sidecar.state() === "DRAINING") return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  say(process, { succession: "serving" });
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

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds;
  throw new InvalidArgumentError("a number of seconds");
}
