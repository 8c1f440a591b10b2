import { type Command, Option } from "commander";
import { Trace, TraceList } from "../../contract/index.ts";
import { portOffsetOption } from "../config/client.ts";
import { type CliIo, processIo, runCommand } from "../config/io.ts";
import { askDashboard, type DashboardOption, dashboardOption } from "../dashboard-client.ts";
import { millisecondsOf, secondsOf } from "../durations.ts";
import { traceTable, traceTree } from "./print.ts";

const help = `
--min and --max are of the whole trace; a number alone is milliseconds, and of --window seconds. The dashboard is asked: it must run.

Examples:
  limpid traces                                         the newest 20 of the last hour
  limpid traces --service reviews.default --errors      those with an error, through reviews
  limpid traces --min 200ms --tag http.status_code=503  slow ones with such a span
  limpid traces 4bf92f3577b34da6a3ce929d0e0e4736        one of them as a tree; * marks the critical path
  limpid traces -o json                                 for programs`;

interface Options extends DashboardOption {
  service?: string;
  operation?: string;
  min?: string;
  max?: string;
  errors?: boolean;
  tag?: string[];
  window: string;
  limit: string;
  output: "text" | "json";
}

/** `limpid traces` */
export function registerTraces(program: Command, io: CliIo = processIo): void {
  program
    .command("traces")
    .description("search traces, or show one as a tree")
    .argument("[id]", "of one trace")
    .option("--service <name>", "through this service, such as reviews.default, or reviews where one is called so")
    .option("--operation <name>", "with a span of this name")
    .option("--min <duration>", "that took at least this long, such as 250ms")
    .option("--max <duration>", "that took at most this long")
    .option("--errors", "only with errors")
    .option("--tag <key=value...>", "with a span of these attributes")
    .option("--window <duration>", "how far back, such as 15m", "1h")
    .option("-n, --limit <number>", "how many, up to 1000", "20")
    .addOption(new Option("-o, --output <format>", "form of the output").choices(["text", "json"]).default("text"))
    .addOption(dashboardOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((id: string | undefined, options: Options) => runCommand(io, () => traces(id, options, io)));
}

async function traces(id: string | undefined, options: Options, io: CliIo): Promise<void> {
  const path = id === undefined ? `/api/traces?${searchOf(options)}` : `/api/traces/${encodeURIComponent(id)}`;
  const answer = await askDashboard(options, io, path);
  if (options.output === "json") io.out(`${JSON.stringify(answer, null, 2)}\n`);
  else if (id !== undefined) io.out(traceTree(Trace.parse(answer)));
  else {
    const { traces: found } = TraceList.parse(answer);
    if (found.length === 0) io.err("no such trace in this window\n");
    else io.out(traceTable(found));
  }
}

function searchOf({ tag, errors, service, operation, window, limit, ...took }: Options): URLSearchParams {
  const search = new URLSearchParams({ window: String(secondsOf("window", window)), limit });
  const named = { service, operation, errors: errors && "true", tag: tag?.map(quoted).join(" ") };
  for (const [name, value] of Object.entries(named)) if (value) search.set(name, value);
  for (const name of ["min", "max"] as const) {
    const text = took[name];
    if (text !== undefined) search.set(name, String(millisecondsOf(name, text)));
  }
  return search;
}

const quoted = (tag: string): string => (/\s/.test(tag) ? `"${tag}"` : tag);
