import { type Command, Option } from "commander";
import { ApiError, type LogEntry, LogEvents, LogPage } from "../contract/index.ts";
import { portOffsetOption } from "./config/client.ts";
import { CliError, processIo, runCommand } from "./config/io.ts";
import { dashboardToken, howToComeIn } from "./credentials.ts";
import { type DashboardOption, dashboardOption, dashboardUrl } from "./dashboard-client.ts";
import { formatLine } from "./log-line.ts";
import { type LogOptions, logAddress, withLogFilters } from "./log-options.ts";
import { eventData } from "./server-events.ts";

export function registerLogs(program: Command): void {
  const command = program
    .command("logs")
    .summary("print requests of the mesh, or follow them")
    .description(
      "Prints what the proxies told of single requests, oldest first, as the dashboard's Logs page shows it. Errors are kept apart from successes, of which a sample is kept.",
    )
    .option("-f, --follow", "go on with new requests until Ctrl-C")
    .option("--since <duration>", "how far back, such as 90s, 15m or 6h", "15m")
    .option("-n, --limit <n>", "how many lines at the most, 1 to 500: the newest", "50");
  withLogFilters(command)
    .addOption(
      new Option("-o, --output <format>", "form of the output; json: one object a line")
        .choices(["text", "json"])
        .default("text"),
    )
    .addOption(dashboardOption())
    .addOption(portOffsetOption())
    .addHelpText(
      "after",
      `
Columns: time, status (with gRPC's), duration, source → destination, request, response flags, and why the proxy answered as it did.

Examples:
  limpid logs --errors --since 1h                     what went wrong in the last hour
  limpid logs -f --service reviews --min 500ms        slow calls of reviews, as they come
  limpid logs --code 5xx --flag UF -o json | jq .upstreamHost
  limpid logs --trace 4bf92f3577b34da6a3ce929d0e0e4736`,
    )
    .action((options: Options) => runCommand(processIo, () => logs(options)));
}

interface Options extends LogOptions, DashboardOption {
  follow?: boolean;
  output: "text" | "json";
}

async function logs(options: Options): Promise<void> {
  const base = dashboardUrl(options, processIo);
  const print = (entries: readonly LogEntry[]) => {
    for (const entry of entries.toReversed())
      processIo.out(`${options.output === "json" ? JSON.stringify(entry) : formatLine(entry)}\n`);
  };
  // Before what there is: what is written in between comes by both, and is printed once.
  const live = options.follow ? await ask(base, logAddress("/api/logs/live", options)) : undefined;
  const page = LogPage.parse(await (await ask(base, logAddress("/api/logs", options))).json());
  print(page.entries);
  const newest = Math.max(0, ...page.entries.map(({ id }) => id));
  if (live) {
    await follow(live, (entries) => {
      print(entries.filter(({ id }) => id > newest));
      return false;
    });
  } else if (page.entries.length === 0) processIo.err(`no request of the last ${options.since} matches\n`);
}

/** Prints lines until the stream ends, or `print` says that it has enough. Throws a CliError when the stream ends by itself. */
export async function follow(
  answer: Response,
  print: (entries: readonly LogEntry[]) => boolean | undefined,
): Promise<void> {
  for await (const { event, data } of eventData(answer.body)) {
    if (event === "failed") throw new CliError(`error: ${ApiError.parse(JSON.parse(data)).message}`);
    const { entries, leftOut } = LogEvents.parse(JSON.parse(data));
    if (print(entries)) return;
    if (leftOut) processIo.err("more came at once than is printed: narrow it with --service, --errors, --path …\n");
  }
  throw new CliError("error: the dashboard ended the stream");
}

/** A CliError where nobody answers, or in the words of the answer. */
export async function ask(base: string, address: string): Promise<Response> {
  let answer: Response;
  try {
    const token = await dashboardToken(base, process.env);
    answer = await fetch(base + address, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(
      `error: no dashboard answers at ${base}. Start a mesh with: limpid up. One with other ports: --port-offset.`,
    );
  }
  if (answer.ok) return answer;
  if (answer.status === 401) throw new CliError(`error: the dashboard does not know who asks; ${howToComeIn}`);
  const error = ApiError.safeParse(await answer.json().catch(() => null));
  throw new CliError(`error: ${error.data?.message ?? `${base} answered ${answer.status}`}`);
}
