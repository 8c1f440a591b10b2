import { setTimeout as pause } from "node:timers/promises";
import { type Command, Option } from "commander";
import { Graph, type GraphNode, ServiceList, type Signals } from "../../contract/index.ts";
import { columns } from "../columns.ts";
import { portOffsetOption } from "../config/client.ts";
import { CliError, type CliIo, processIo, runCommand } from "../config/io.ts";
import { askDashboard, type DashboardOption, dashboardOption } from "../dashboard-client.ts";
import { secondsOf } from "../durations.ts";

const help = `
On a terminal the table is drawn anew every two seconds, until Ctrl-C; elsewhere it is printed once. The busiest stand first, or by --sort.

Examples:
  limpid top                          services
  limpid top --by edge --sort errors  who calls whom, what fails first
  limpid top --by workload --once -o json`;

const sorts = { rate: "requestRate", errors: "errorShare", p95: "latencyMsP95", p99: "latencyMsP99" } as const;

interface Options extends DashboardOption {
  by: "service" | "workload" | "edge";
  sort: keyof typeof sorts;
  window: string;
  limit: string;
  once?: boolean;
  output: "table" | "json";
}

/** `limpid top` */
export function registerTop(program: Command, io: CliIo = processIo, isTerminal = process.stdout.isTTY === true): void {
  program
    .command("top")
    .description("show the busiest services, workloads or calls, live")
    .addOption(new Option("--by <what>", "what a line is").choices(["service", "workload", "edge"]).default("service"))
    .addOption(new Option("--sort <by>", "what stands first").choices(Object.keys(sorts)).default("rate"))
    .option("--window <duration>", "over how long rates are, such as 15m; a number alone is seconds", "10")
    .option("-n, --limit <n>", "how many lines", "20")
    .option("--once", "print once")
    .addOption(new Option("-o, --output <format>", "form of the output").choices(["table", "json"]).default("table"))
    .addOption(dashboardOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((options: Options) => runCommand(io, () => top(options, io, isTerminal)));
}

async function top(options: Options, io: CliIo, isTerminal: boolean): Promise<void> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1)
    throw new CliError(`error: -n ${options.limit}: must be a whole number from 1`);
  const goesOn = isTerminal && !options.once && options.output === "table";
  do {
    const rows = (await rowsOf(options, io)).toSorted(by(sorts[options.sort])).slice(0, limit);
    if (options.output === "json") io.out(`${JSON.stringify(rows, null, 2)}\n`);
    // Home, and clear what is below: the terminal's own scrollback stays.
    else io.out(`${goesOn ? "\x1b[H\x1b[J" : ""}${table(rows, options.by)}`);
    if (goesOn) await pause(2000, undefined, io.signal ? { signal: io.signal } : {});
  } while (goesOn);
}

interface Row {
  name: string;
  health: string;
  signals: Signals;
}

async function rowsOf({ by: what, window, ...options }: Options, io: CliIo): Promise<Row[]> {
  const query = new URLSearchParams({ window: String(secondsOf("window", window)) });
  if (what === "service") {
    const { services } = ServiceList.parse(await askDashboard(options, io, `/api/services?${query}`));
    return services.map(({ namespace, name, health, signals }) => ({ name: `${namespace}/${name}`, health, signals }));
  }
  const { nodes, edges } = Graph.parse(await askDashboard(options, io, `/api/graph?${query}`));
  if (what === "workload")
    return nodes.map((node) => ({ name: nameOf(node), health: node.health, signals: node.signals }));
  const names = new Map(nodes.map((node) => [node.id, nameOf(node)]));
  return edges.map(({ source, target, health, signals }) => ({
    name: `${names.get(source) ?? source} → ${names.get(target) ?? target}`,
    health,
    signals,
  }));
}

const nameOf = ({ namespace, app, workload, version }: GraphNode): string =>
  [namespace, app || workload || "unknown", version === "latest" ? null : version].filter(Boolean).join("/");

const by =
  (field: (typeof sorts)[keyof typeof sorts]) =>
  (a: Row, b: Row): number =>
    (b.signals[field] ?? -1) - (a.signals[field] ?? -1) || (a.name < b.name ? -1 : 1);

function table(rows: readonly Row[], what: string): string {
  const heads = [what.toUpperCase(), "HEALTH", "RPS", "ERRORS", "P50", "P95", "P99"];
  return columns([heads, ...rows.map(({ name, health, signals }) => [name, health, ...cells(signals)])]);
}

function cells({ requestRate, errorShare, latencyMsP50, latencyMsP95, latencyMsP99 }: Signals): string[] {
  const isIdle = requestRate === 0;
  const errors = isIdle ? "-" : `${(errorShare * 100).toFixed(errorShare > 0 && errorShare < 0.1 ? 2 : 1)} %`;
  return [requestRate.toFixed(1), errors, ...[latencyMsP50, latencyMsP95, latencyMsP99].map(ms)];
}

const ms = (value: number | null): string =>
  value === null ? "-" : value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
