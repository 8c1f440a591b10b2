import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { PolicyAdvice, PolicyCheck, ScopeAdvice } from "../../contract/index.ts";
import { portOffsetOption } from "../config/client.ts";
import { CliError, type CliIo, processIo, runCommand } from "../config/io.ts";
import { askDashboard, type DashboardOption, dashboardOption } from "../dashboard-client.ts";
import { duration } from "../durations.ts";
import { checkText, leftOutText, scopeText } from "./print.ts";

const help = `
A target is a namespace (shop), or a workload or an application with its namespace (shop/cart-v1, shop/cart).

Examples:
  limpid policy propose shop/cart --since 24h                the least AuthorizationPolicy that recorded calls need
  limpid policy propose shop > policies.yaml                 one for each application of the namespace
  limpid policy check -f policies.yaml --since 6h            what they would have refused
  limpid policy scope shop/cart                              the least Sidecar

Policies with the annotation istio.io/dry-run: "true" refuse nobody; check asks of them what they would do in force.`;

interface Options extends DashboardOption {
  since: string;
  output: string;
}

/** `limpid policy` */
export function registerPolicy(program: Command, io: CliIo = processIo): void {
  const policy = program
    .command("policy")
    .description("propose policies from recorded traffic, and say what they would have refused")
    .addHelpText("after", help);
  const asking = (name: string, summary: string, outputs: string[]): Command =>
    policy
      .command(name)
      .description(summary)
      .option("--since <duration>", "of the calls of the last so-and-so long", "6h")
      .addOption(new Option("-o, --output <format>", "form of the output").choices(outputs).default(outputs[0]))
      .addOption(dashboardOption())
      .addOption(portOffsetOption());
  asking("propose", "propose the least AuthorizationPolicy that recorded calls need", ["yaml", "json"])
    .argument("<target>", "namespace, namespace/workload or namespace/application")
    .option("--tails", "where there are many paths, let {**} stand for their ends")
    .action((target: string, options: Options & { tails?: boolean }) =>
      runCommand(io, () => propose(target, options, io)),
    );
  asking("check", "say which recorded calls AuthorizationPolicies would have refused; exit code 2 if any", [
    "text",
    "json",
  ])
    .requiredOption("-f, --filename <file>", "YAML of AuthorizationPolicies; - reads standard input")
    .action((options: Options & { filename: string }) => runCommand(io, () => check(options, io)));
  asking("scope", "propose the least Sidecar scope that recorded calls need", ["yaml", "json"])
    .argument("<target>", "namespace, namespace/workload or namespace/application")
    .action((target: string, options: Options) => runCommand(io, () => scope(target, options, io)));
}

const windowOf = ({ since }: Options): string => {
  try {
    return String(Math.max(1, Math.ceil(duration("since", since) / 1000)));
  } catch (error) {
    throw new CliError(`error: ${error instanceof Error ? error.message : error}`);
  }
};

const addressOf = (path: string, target: string, options: Options, more: Record<string, string> = {}): string => {
  const [namespace = "", workload, ...rest] = target.split("/");
  if (namespace === "" || workload === "" || rest.length > 0)
    throw new CliError(`error: ${target} is neither a namespace nor namespace/workload`);
  return `${path}?${new URLSearchParams({ namespace, ...(workload && { workload }), window: windowOf(options), ...more })}`;
};

async function propose(target: string, options: Options & { tails?: boolean }, io: CliIo): Promise<void> {
  const address = addressOf("/api/advice/policy", target, options, options.tails ? { tails: "true" } : {});
  const advice = PolicyAdvice.parse(await askDashboard(options, io, address));
  if (options.output === "json") return io.out(`${JSON.stringify(advice, null, 2)}\n`);
  if (advice.policies.length === 0) io.err(`nobody called ${target} in the last ${options.since}\n`);
  io.out(advice.policies.map(({ yaml }) => yaml).join("---\n"));
  for (const one of advice.policies) io.err(leftOutText(one));
}

async function check(options: Options & { filename: string }, io: CliIo): Promise<void> {
  const yaml = options.filename === "-" ? await io.stdin() : readText(options.filename);
  const window = Number(windowOf(options));
  const answer = PolicyCheck.parse(await askDashboard(options, io, "/api/advice/check", { yaml, window }));
  io.out(options.output === "json" ? `${JSON.stringify(answer, null, 2)}\n` : checkText(answer));
  if (answer.wouldRefuse > 0) io.fail(2);
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CliError(`error: ${file} can't be read: ${error instanceof Error ? error.message : error}`);
  }
}

async function scope(target: string, options: Options, io: CliIo): Promise<void> {
  const advice = ScopeAdvice.parse(await askDashboard(options, io, addressOf("/api/advice/scope", target, options)));
  if (options.output === "json") return io.out(`${JSON.stringify(advice, null, 2)}\n`);
  io.out(advice.yaml);
  io.err(scopeText(advice));
}
