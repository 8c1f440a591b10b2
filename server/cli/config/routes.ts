import { type Command, Option } from "commander";
import { stringify } from "yaml";
import { type RouteRule, Routing } from "../../contract/index.ts";
import { count } from "../count.ts";
import { call, portOffsetOption, type ServerOption, serverOption, serverUrl } from "./client.ts";
import { type CliIo, processIo, runCommand } from "./io.ts";
import { createTablePrinter } from "./print-table.ts";

const help = `
Rules are tried from the top; the first that matches a request decides where it goes.

Examples:
  limpid routes reviews              where calls of reviews go, in words
  limpid routes reviews -n shop      the one of another namespace
  limpid routes reviews -o json      for programs`;

interface RoutesOptions extends ServerOption {
  namespace: string;
  output?: "yaml" | "json";
}

/** `limpid routes` */
export function registerRoutes(program: Command, io: CliIo = processIo): void {
  program
    .command("routes")
    .description("show where the calls of a service go: rules, weights, faults")
    .argument("<service>", "name of the service")
    .option("-n, --namespace <name>", "the namespace it is in", "default")
    .addOption(new Option("-o, --output <format>", "form of the output").choices(["yaml", "json"]))
    .addOption(serverOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((service: string, options: RoutesOptions) => runCommand(io, () => routes(service, options, io)));
}

async function routes(service: string, options: RoutesOptions, io: CliIo): Promise<void> {
  const path = `/limpid/v1/services/${encodeURIComponent(options.namespace)}/${encodeURIComponent(service)}/routing`;
  const routing = Routing.parse(await (await call(serverUrl(options, io.env), path)).json());
  if (options.output === "json") io.out(`${JSON.stringify(routing, null, 2)}\n`);
  else if (options.output === "yaml") io.out(stringify(routing, { lineWidth: 0 }));
  else io.out(inWords(routing));
}

function inWords({ hostname, virtualService, rules, versions, proxies }: Routing): string {
  const source = virtualService
    ? `VirtualService ${virtualService.namespace}/${virtualService.name}`
    : "no VirtualService: calls go to every version alike";
  const head = `${hostname} (${source}; ${count(proxies, "proxy", "proxies")})\n`;
  const known = versions.length > 0 ? `Versions: ${versions.map(({ version }) => version).join(", ")}\n` : "";
  if (rules.length === 0) return head + known;
  const names = ["Rule", "Match", "Goes to", "Timeout", "Retries", "Mirror", "Fault"];
  const rows = rules.map((rule) => cellsOf(rule));
  // A column in which no rule says anything only takes room.
  const used = names.flatMap((_, index) => (index < 3 || rows.some((cells) => cells[index] !== "") ? [index] : []));
  const table = {
    columnDefinitions: used.map((index) => ({ name: names[index] ?? "", priority: 0 })),
    rows: rows.map((cells) => ({ cells: used.map((index) => cells[index]) })),
  };
  return head + known + createTablePrinter({ wide: true, namespaces: false }).print(table);
}

function cellsOf(rule: RouteRule): string[] {
  const destinations = rule.destinations.map(
    ({ host, subset, weight }) => `${subset ?? host}${rule.destinations.length > 1 ? ` ${weight} %` : ""}`,
  );
  return [
    rule.name ?? String(rule.index),
    rule.matches.join(" or ") || "everything else",
    destinations.join(", ") || (rule.redirect ?? ""),
    rule.timeout ?? "",
    rule.retries ?? "",
    rule.mirror ?? "",
    rule.fault ?? "",
  ];
}
