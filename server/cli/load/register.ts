import { type Command, Option } from "commander";
import { ChangeList, LoadReport, LoadTargets, LoadTests, type MadeLoadTest } from "../../contract/index.ts";
import { runLoad } from "../../load/run-load.ts";
import { columns } from "../columns.ts";
import { portOffsetOption } from "../config/client.ts";
import { CliError, type CliIo, processIo, runCommand } from "../config/io.ts";
import { askDashboard, type DashboardOption, dashboardOption } from "../dashboard-client.ts";
import { collect } from "../options.ts";
import { type Limits, limitsOf } from "./limits.ts";
import { type PlanOptions, planOf, targetOf } from "./plan.ts";
import { changesText, reportRow, reportText } from "./report-text.ts";

const help = `
Requests begin at the given rate, whatever became of those before; latencies count from when each was due, so that a target that stands
still is not asked less ("coordinated omission"). Service time leaves out what waited, for comparison.

Examples:
  limpid load http://127.0.0.1:8080/productpage --rate 50 --duration 30s
  limpid load --from istio-ingressgateway http://bookinfo.local/productpage
  limpid load --from productpage-v1 http://reviews:9080/reviews/0       as productpage calls it, under its rules
  limpid load … --max-p99 100ms --max-failed 0.1                       exit code 1 when it is worse: for CI
  limpid load http://… --weight 8 --also "1 POST http://…/cart" --also "1 http://…/search?q=a"
  limpid load list
  limpid load show 3f2a                                                 a kept one
  limpid load compare 3f2a 91bc`;

interface RunOptions extends PlanOptions, Limits, DashboardOption {
  output: "text" | "json";
  baseline?: string;
  keep: boolean;
}
type ReadOptions = DashboardOption & { output: "text" | "json" };

/** `limpid load` */
export function registerLoad(program: Command, io: CliIo = processIo): void {
  // Its own options and those of `list` have the same names: each command has those that stand after it.
  const load = program
    .enablePositionalOptions()
    .command("load")
    .enablePositionalOptions()
    .description("send requests at a given rate and say how they were answered")
    .argument("<url>", "what is asked for; with --from, by the name that services know")
    .option("--from <proxy>", "through a gateway, or as a workload, by its proxy (default: to the URL itself)")
    .option("-r, --rate <n>", "requests per second", "20")
    .option("-d, --duration <time>", "how long, such as 30s or 2m", "30s")
    .option("--warm-up <time>", "at the beginning, that counts for nothing", "0s")
    .option("-c, --connections <n>", "how many, at the most", "16")
    .option("--timeout <time>", "of one request, from when it is due", "10s")
    .option("-X, --method <method>", "(default: GET, with --data POST)")
    .option("-H, --header <line>", "`name: value`; may be given several times", collect)
    .option("--data <body>", "body of each request")
    .option(
      "--also <request>",
      "another request, such as `3 GET <url>`: weight, method, URL; may be given several times",
      collect,
    )
    .option("--weight <n>", "of the URL itself, beside those", "1")
    .addOption(
      new Option("--arrivals <how>", "as independent callers come, or evenly")
        .choices(["poisson", "constant"])
        .default("poisson"),
    )
    .option("--http2", "HTTP/2: with prior knowledge on http")
    .option("-k, --insecure", "take any certificate")
    .option("--baseline <id>", "compare with a kept one")
    .option("--max-p50 <time>", "fail (exit code 1) when the median latency is longer")
    .option("--max-p99 <time>", "fail when the 99th percentile is longer")
    .option("--max-failed <percent>", "fail when more requests failed")
    .option("--no-keep", "don't hand the report to the dashboard")
    .addOption(outputOption())
    .addOption(dashboardOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((url: string, options: RunOptions) => runCommand(io, () => run(url, options, io)));
  const reading = (name: string, summary: string): Command =>
    load
      .command(name)
      .description(summary)
      .addOption(outputOption())
      .addOption(dashboardOption())
      .addOption(portOffsetOption());
  reading("list", "list the load tests that are kept").action((options: ReadOptions) =>
    runCommand(io, () => list(options, io)),
  );
  reading("show", "show one of them")
    .argument("<id>", "its id, or how that begins")
    .action((id: string, options: ReadOptions) => runCommand(io, () => show(id, undefined, options, io)));
  reading("compare", "show one beside another")
    .argument("<id>", "the later one")
    .argument("<baseline>", "the earlier one")
    .action((id: string, baseline: string, options: ReadOptions) =>
      runCommand(io, () => show(id, baseline, options, io)),
    );
}

const outputOption = (): Option =>
  new Option("-o, --output <format>", "form of the output").choices(["text", "json"]).default("text");

async function run(url: string, options: RunOptions, io: CliIo): Promise<void> {
  const target =
    options.from === undefined
      ? undefined
      : targetOf(options.from, url, LoadTargets.parse(await askDashboard(options, io, "/api/load-targets")).targets);
  const plan = planOf(url, options, target);
  const baseline = options.baseline === undefined ? undefined : await reportOf(options.baseline, options, io);
  const limits = limitsOf(options);
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once("SIGINT", interrupt);
  const startedAt = Date.now();
  try {
    const outcome = await runLoad(plan, {
      signal: io.signal ? AbortSignal.any([io.signal, stop.signal]) : stop.signal,
      onProgress: (elapsed, { answered, due }) =>
        io.err(`${Math.round(elapsed)} s of ${plan.warmUpSec + plan.durationSec}: ${due} due, ${answered} answered\n`),
    });
    const ended = stop.signal.aborted ? "stopped" : "done";
    const made: MadeLoadTest = { plan, startedAt, endedAt: Date.now(), ended, outcome };
    const kept = options.keep ? await keep(made, options, io) : undefined;
    if (options.output === "json") io.out(`${JSON.stringify(kept ?? made, null, 2)}\n`);
    else io.out(`${reportText(outcome, baseline?.outcome, plan)}\n${kept ? `kept as ${kept.id.slice(0, 8)}\n` : ""}`);
    const broken = limits.filter(({ isBroken }) => isBroken(outcome));
    if (broken.length > 0) throw new CliError(...broken.map(({ flag }) => `error: ${flag} does not hold`));
  } finally {
    process.off("SIGINT", interrupt);
  }
}

/** A run without a dashboard is a run, too. */
async function keep(made: MadeLoadTest, options: RunOptions, io: CliIo): Promise<LoadReport | undefined> {
  try {
    return LoadReport.parse(await askDashboard(options, io, "/api/load-tests/reports", made));
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    io.err(`not kept: ${error.lines.join("; ").replace(/^error: /, "")}\n`);
    return undefined;
  }
}

async function list(options: ReadOptions, io: CliIo): Promise<void> {
  const { reports } = await tests(options, io);
  if (options.output === "json") io.out(`${JSON.stringify(reports, null, 2)}\n`);
  else if (reports.length === 0) io.err("no load test is kept; limpid load <url> makes one\n");
  else {
    const heads = ["ID", "BEGAN (UTC)", "REQUEST", "RATE", "FOR", "ENDED", "FAILED", "P50", "P99"];
    io.out(columns([heads, ...reports.map(reportRow)]));
  }
}

async function show(id: string, baseline: string | undefined, options: ReadOptions, io: CliIo): Promise<void> {
  const report = await reportOf(id, options, io);
  const other = baseline === undefined ? undefined : await reportOf(baseline, options, io);
  if (options.output === "json") {
    io.out(`${JSON.stringify(other ? { report, baseline: other } : report, null, 2)}\n`);
    return;
  }
  io.out(`${reportRow(report).slice(0, 6).join("  ")}\n${reportText(report.outcome, other?.outcome, report.plan)}\n`);
  if (!other) return;
  const { changes } = ChangeList.parse(await askDashboard(options, io, "/api/changes?limit=200"));
  io.out(changesText(changes, report, other));
}

const tests = async (options: DashboardOption, io: CliIo) =>
  LoadTests.parse(await askDashboard(options, io, "/api/load-tests"));

async function reportOf(id: string, options: DashboardOption, io: CliIo): Promise<LoadReport> {
  const { reports } = await tests(options, io);
  const found = reports.filter((report) => report.id.startsWith(id));
  if (found.length !== 1)
    throw new CliError(`error: ${found.length === 0 ? "no" : "more than one"} load test begins with ${id}`);
  return LoadReport.parse(await askDashboard(options, io, `/api/load-tests/${found[0]?.id}`));
}
