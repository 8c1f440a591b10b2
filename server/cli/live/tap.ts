import { type Command, Option } from "commander";
import type { LogEntry } from "../../contract/index.ts";
import { portOffsetOption } from "../config/client.ts";
import { CliError, processIo, runCommand } from "../config/io.ts";
import { type DashboardOption, dashboardOption, dashboardUrl } from "../dashboard-client.ts";
import { duration } from "../durations.ts";
import { formatLine } from "../log-line.ts";
import { type LogFilterOptions, liveAddress, withLogFilters } from "../log-options.ts";
import { ask, follow } from "../logs.ts";

const help = `
Prints requests as they end, from now on: of all of a proxy's errors, and of a sample of its successes. Ends with Ctrl-C, after -n requests, or after --for.

Examples:
  limpid tap reviews                          requests to reviews, as they come
  limpid tap --source default/productpage     what productpage calls
  limpid tap reviews --errors -n 1            wait for one to fail
  limpid tap --path /api --min 500ms -o json | jq .traceId`;

interface TapOptions extends LogFilterOptions, DashboardOption {
  limit?: string;
  for?: string;
  output: "text" | "json";
}

/** `limpid tap` */
export function registerTap(program: Command): void {
  withLogFilters(program.command("tap"))
    .description("print requests as they come, chosen by what they are")
    .argument("[service]", "only to this service: hostname, namespace/name or name")
    .option("-n, --limit <n>", "end after so many")
    .option("--for <duration>", "end after so long, such as 30s")
    .addOption(new Option("-o, --output <format>", "form of the output").choices(["text", "json"]).default("text"))
    .addOption(dashboardOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((service: string | undefined, options: TapOptions) => runCommand(processIo, () => tap(service, options)));
}

async function tap(service: string | undefined, options: TapOptions): Promise<void> {
  const limit = limitOf(options.limit);
  const endsAfter = options.for === undefined ? undefined : duration("for", options.for);
  const asked = { ...options, ...(service !== undefined && { service }) };
  const answer = await ask(dashboardUrl(options, processIo), liveAddress(asked));
  if (endsAfter !== undefined) setTimeout(() => process.exit(0), endsAfter).unref();
  let left = limit;
  await follow(answer, (entries) => {
    for (const entry of entries.toReversed().slice(0, left)) print(entry, options.output);
    left -= entries.length;
    return left <= 0;
  });
}

const print = (entry: LogEntry, output: TapOptions["output"]): void =>
  void process.stdout.write(`${output === "json" ? JSON.stringify(entry) : formatLine(entry)}\n`);

function limitOf(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1) throw new CliError(`error: -n ${text}: must be a whole number from 1`);
  return limit;
}
