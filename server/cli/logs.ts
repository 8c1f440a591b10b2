import type { Command } from "commander";
import { ApiError, type LogEntry, LogEvents, LogPage } from "../contract/index.ts";
import { meshPorts } from "../fleet/ports.ts";
import { formatLine } from "./log-line.ts";
import { type LogOptions, logAddress } from "./log-options.ts";
import { failWith, portOffsetOf } from "./options.ts";
import { eventData } from "./server-events.ts";

export function registerLogs(program: Command): void {
  program
    .command("logs")
    .summary("print requests of the mesh, or follow them")
    .description(
      "Prints what the proxies told of single requests, oldest first, as the dashboard's Logs page shows it. Errors are kept apart from successes, of which a sample is kept.",
    )
    .option("-f, --follow", "go on with new requests until Ctrl-C")
    .option("--since <duration>", "how far back, such as 90s, 15m or 6h", "15m")
    .option("-n, --limit <n>", "how many lines at the most, 1 to 500: the newest", "50")
    .option("--service <name>", "of the called service: hostname, namespace/name or name")
    .option("--source <peer>", "of the caller: namespace/app or namespace/app/version")
    .option("--destination <peer>", "of the workload that was reached, written likewise")
    .option("--proxy <id>", "told by this proxy (node id, as `limpid proxy-status -o json` has it)")
    .option("--direction <side>", "as told by the caller's proxy (outbound), the service's (inbound) or a gateway")
    .option("--code <code>", "status, such as 503; class, such as 5xx; 0: no response")
    .option("--grpc <status>", "gRPC status, 0 to 16")
    .option("--flag <flag>", "one of Envoy's response flags, such as UF or URX")
    .option("--method <method>", "HTTP method")
    .option("--path <part>", "a part of the path")
    .option("--min <duration>", "took at least so long, such as 250ms")
    .option("--max <duration>", "took at most so long")
    .option("--trace <id>", "of this trace")
    .option("--request <id>", "of this x-request-id")
    .option("--errors", "only 4xx, 5xx, no response and a gRPC status but OK")
    .option("-o, --output <format>", "`text`, or `json`: one object a line", "text")
    .option("--port-offset <n>", "added to every port (LIMPID_PORT_OFFSET)")
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
    .action(runLogs);
}

async function runLogs(options: LogOptions): Promise<void> {
  // Whoever reads may have read enough: `limpid logs -f | head`.
  process.stdout.on("error", () => process.exit(0));
  try {
    if (!["text", "json"].includes(options.output)) throw new Error(`-o ${options.output}: must be text or json`);
    const base = `http://127.0.0.1:${meshPorts(portOffsetOf(options)).dashboard}`;
    const print = (entries: readonly LogEntry[]) => {
      for (const entry of entries.toReversed()) {
        process.stdout.write(`${options.output === "json" ? JSON.stringify(entry) : formatLine(entry)}\n`);
      }
    };
    // Before what there is: what is written in between comes by both, and is printed once.
    const live = options.follow ? await ask(base, logAddress("/api/logs/live", options)) : undefined;
    const page = LogPage.parse(await (await ask(base, logAddress("/api/logs", options))).json());
    print(page.entries);
    const newest = Math.max(0, ...page.entries.map(({ id }) => id));
    if (live) await follow(live, (entries) => print(entries.filter(({ id }) => id > newest)));
    else if (page.entries.length === 0) process.stderr.write(`no request of the last ${options.since} matches\n`);
  } catch (error) {
    failWith(error);
  }
}

async function follow(answer: Response, print: (entries: readonly LogEntry[]) => void): Promise<void> {
  for await (const { event, data } of eventData(answer.body)) {
    if (event === "failed") throw new Error(ApiError.parse(JSON.parse(data)).message);
    const { entries, leftOut } = LogEvents.parse(JSON.parse(data));
    print(entries);
    if (leftOut)
      process.stderr.write("more came at once than is printed: narrow it with --service, --errors, --path …\n");
  }
  throw new Error("the dashboard ended the stream");
}

async function ask(base: string, address: string): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(base + address);
  } catch {
    throw new Error(
      `no dashboard answers at ${base}. Start a mesh with: limpid up. One with other ports: --port-offset.`,
    );
  }
  if (answer.ok) return answer;
  const error = ApiError.safeParse(await answer.json().catch(() => null));
  throw new Error(error.data?.message ?? `${base} answered ${answer.status}`);
}
