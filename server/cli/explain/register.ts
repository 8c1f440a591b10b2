import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { type ExplainQuery, Explanation } from "../../contract/index.ts";
import { resourcesOfDump } from "../../explain/config-dump.ts";
import { explain } from "../../explain/explain.ts";
import { holdingsOf } from "../../explain/holdings.ts";
import { parseExplainRequest } from "../../explain/request.ts";
import { portOffsetOption } from "../config/client.ts";
import { CliError, type CliIo, processIo, runCommand } from "../config/io.ts";
import { askDashboard, type DashboardOption, dashboardOption } from "../dashboard-client.ts";
import { explanationText } from "./print.ts";

const help = `
Says which listener, route rule (with its line), subset, endpoint and policies would serve a request, and why each rule before did not. No request is sent: it is read from
what the proxies have in force.

✓ holds, ✗ does not hold, · not reached, ? can't be judged here; of policies: = applies, ≠ does not.

Examples:
  limpid explain --from productpage http://reviews:9080/reviews/0
  limpid explain --from default/productpage-v1 -H "end-user: jason" http://reviews:9080/reviews/0
  limpid explain --from istio-ingressgateway -X POST http://bookinfo.example/login
  limpid explain --from productpage --token '{"iss":"https://accounts.example","groups":["admin"]}' http://reviews:9080/x
  limpid explain --from productpage tcp://mysql:3306 -o json
  curl -s localhost:15000/config_dump?include_eds | limpid explain --dump - http://reviews:9080/x`;

interface Options extends DashboardOption {
  from?: string;
  method: string;
  header: string[];
  identity?: string;
  token?: string;
  dump?: string;
  output: "table" | "json";
}

/** `limpid explain` */
export function registerExplain(program: Command, io: CliIo = processIo): void {
  program
    .command("explain")
    .description("say what happens to a request, and why")
    .argument("<url>", "what is called: http://…, https://… or tcp://host:port")
    .option(
      "--from <proxy|workload>",
      "who calls: a workload or an app, with its namespace (ns/name) where several are called so, or a node id",
    )
    .option("-X, --method <method>", "HTTP method", "GET")
    .option(
      "-H, --header <header>",
      'of the request, "name: value"; may be given several times',
      (one: string, all: string[]) => [...all, one],
      [],
    )
    .option("--identity <spiffe id>", "that a client of a gateway shows by its certificate")
    .option(
      "--token <jwt|claims|none>",
      "that the request carries: a JWT, the claims of one as JSON, @file, or none; its signature is taken for good",
    )
    .addOption(
      new Option(
        "--dump <file>",
        "read the proxy from this /config_dump?include_eds of it, an Envoy's too (-: stdin)",
      ).conflicts("from"),
    )
    .addOption(new Option("-o, --output <format>", "form of the output").choices(["table", "json"]).default("table"))
    .addOption(dashboardOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((url: string, options: Options) => runCommand(io, () => run(url, options, io)));
}

async function run(url: string, options: Options, io: CliIo): Promise<void> {
  const { method, header, identity = "", from = "", output } = options;
  const token = tokenText(options.token ?? "");
  const asked = { from, url, method, headers: header.join("\n"), identity };
  const query: ExplainQuery = { ...asked, token };
  if (options.dump === undefined && from === "") throw new CliError("error: --from is missing: who calls?");
  const answer =
    options.dump === undefined
      ? token === ""
        ? await askDashboard(options, io, `/api/explain?${new URLSearchParams(asked)}`)
        : await askDashboard(options, io, "/api/explain", query)
      : await explainDump(query, options.dump, io);
  if (output === "json") io.out(`${JSON.stringify(answer, null, 2)}\n`);
  else io.out(explanationText(Explanation.parse(answer)));
}

/** `@file`: what stands in it. */
function tokenText(text: string): string {
  if (!text.startsWith("@")) return text;
  try {
    return readFileSync(text.slice(1), "utf8");
  } catch (error) {
    throw new CliError(`error: --token: ${error instanceof Error ? error.message : error}`);
  }
}

/** Of one proxy alone: what its destinations would do is not in its dump. */
async function explainDump(query: ExplainQuery, file: string, io: CliIo): Promise<Explanation> {
  try {
    const text = file === "-" ? await io.stdin() : readFileSync(file, "utf8");
    const request = parseExplainRequest(query);
    const proxy = {
      id: "",
      name: file === "-" ? "stdin" : file,
      namespace: "",
      app: "",
      version: "",
      kind: "sidecar",
      implementation: "",
      address: "",
      identity: "",
    } as const;
    const held = { holdings: holdingsOf(resourcesOfDump(JSON.parse(text))), labels: {} };
    const nobody = { proxies: [], held: async () => undefined, peerAuthentications: [] };
    const sides = await explain({ proxy, held }, request, nobody);
    return {
      at: Date.now(),
      request: { method: request.method, url: query.url, headers: query.headers.split("\n").filter(Boolean) },
      ...sides,
    };
  } catch (error) {
    throw new CliError(`error: ${error instanceof Error ? error.message : error}`);
  }
}
