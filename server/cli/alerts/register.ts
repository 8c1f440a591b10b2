import { type Command, Option } from "commander";
import { Alerts, type Notice, noticeText, Receivers, ReceiverTest } from "../../contract/index.ts";
import { age } from "../age.ts";
import { columns } from "../columns.ts";
import { portOffsetOption } from "../config/client.ts";
import { CliError, type CliIo, processIo, runCommand } from "../config/io.ts";
import { askDashboard, type DashboardOption, dashboardOption, tellDashboard } from "../dashboard-client.ts";

const help = `
What people are told of is said by AlertRules (limpid get alertrules) beside those that are built in; who is told, by receivers.

Examples:
  limpid alerts                                                    what lasts now
  limpid alerts --over                                             what is over, too
  echo https://hooks.slack.com/services/… | limpid alerts add-receiver team --kind slack
  limpid alerts test-receiver team`;

type Options = DashboardOption & { output: "table" | "json"; over?: boolean };

/** `limpid alerts` */
export function registerAlerts(program: Command, io: CliIo = processIo): void {
  const alerts = program
    .enablePositionalOptions()
    .command("alerts")
    .enablePositionalOptions()
    .description("show what people are told of, and say who is told")
    .option("--over", "also what is over")
    .addOption(new Option("-o, --output <format>", "form of the output").choices(["table", "json"]).default("table"))
    .addOption(dashboardOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((options: Options) => runCommand(io, () => list(options, io)));
  const receiving = (name: string, summary: string): Command =>
    alerts.command(name).description(summary).addOption(dashboardOption()).addOption(portOffsetOption());
  receiving("receivers", "list who is told").action((options: DashboardOption) =>
    runCommand(io, async () => printReceivers(await askDashboard(options, io, receiversPath), io)),
  );
  receiving("add-receiver", "tell somebody; its URL is read from standard input, since it is a key")
    .argument("<name>")
    .addOption(
      new Option("--kind <kind>", "`webhook` is told as Alertmanager tells, `slack` by a text")
        .choices(["webhook", "slack"])
        .default("webhook"),
    )
    .option("--authorization-file <file>", "the value of the header Authorization")
    .action((name: string, options: DashboardOption & { kind: string; authorizationFile?: string }) =>
      runCommand(io, () => add(name, options, io)),
    );
  receiving("remove-receiver", "tell somebody no more")
    .argument("<name>")
    .action((name: string, options: DashboardOption) =>
      runCommand(io, async () =>
        printReceivers(await tellDashboard(options, io, "DELETE", `${receiversPath}/${encodeURIComponent(name)}`), io),
      ),
    );
  receiving("test-receiver", "send somebody an example")
    .argument("<name>")
    .action((name: string, options: DashboardOption) => runCommand(io, () => test(name, options, io)));
}

const receiversPath = "/api/alerts/receivers";

async function list(options: Options, io: CliIo): Promise<void> {
  const alerts = Alerts.parse(await askDashboard(options, io, "/api/alerts"));
  const notices = [...alerts.active, ...(options.over ? alerts.over : [])];
  if (options.output === "json") io.out(`${JSON.stringify(notices, null, 2)}\n`);
  else if (notices.length === 0) io.err("nothing to tell\n");
  else
    io.out(
      columns([["SEVERITY", "SINCE (UTC)", "LASTED", "RULE", "WHAT"], ...notices.map((one) => row(one, alerts.now))]),
    );
  if (alerts.blindSince !== null)
    io.err(`figures can't be read since ${moment(alerts.blindSince)}: nothing is judged\n`);
}

const row = (notice: Notice, now: number): string[] => [
  notice.clearedAt === null ? notice.severity : `(${notice.severity})`,
  moment(notice.firedAt),
  age((notice.clearedAt ?? now) - notice.firedAt),
  notice.rule,
  noticeText(notice),
];

const moment = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace("T", " ");

function printReceivers(answer: unknown, io: CliIo): void {
  const { receivers } = Receivers.parse(answer);
  if (receivers.length === 0) io.err("nobody is told; limpid alerts add-receiver\n");
  else
    io.out(
      columns([
        ["NAME", "KIND", "AT", "LAST"],
        ...receivers.map(({ name, kind, origin, last }) => [
          name,
          kind,
          origin,
          last === null ? "never" : `${moment(last.at)} ${last.ok ? "ok" : last.why?.message}`,
        ]),
      ]),
    );
}

async function add(
  name: string,
  { kind, authorizationFile, ...options }: DashboardOption & { kind: string; authorizationFile?: string },
  io: CliIo,
): Promise<void> {
  const url = (await io.stdin()).trim();
  if (url === "") throw new CliError("error: the receiver's URL is read from standard input, and there is none");
  const authorization = authorizationFile === undefined ? undefined : await secretIn(authorizationFile);
  const body = { kind, url, ...(authorization !== undefined && { authorization }) };
  printReceivers(await tellDashboard(options, io, "PUT", `${receiversPath}/${encodeURIComponent(name)}`, body), io);
}

async function secretIn(file: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return readFile(file, "utf8").then(
    (text) => text.trim(),
    (error: Error) => Promise.reject(new CliError(`error: ${file} can't be read: ${error.message}`)),
  );
}

async function test(name: string, options: DashboardOption, io: CliIo): Promise<void> {
  const answer = await tellDashboard(options, io, "POST", `${receiversPath}/${encodeURIComponent(name)}/test`);
  const { ok, why } = ReceiverTest.parse(answer);
  if (!ok) throw new CliError(`error: ${name} did not take it: ${why?.message}`);
  io.out(`${name} took an example\n`);
}
