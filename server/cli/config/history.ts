import { type Command, InvalidArgumentError, Option } from "commander";
import { stringify } from "yaml";
import { type Change, ChangeList, ChangeResult } from "../../contract/index.ts";
import { displayName } from "./apply.ts";
import { checkOption, doubtfulCode, sayCheck } from "./check.ts";
import { call, portOffsetOption, type ServerOption, serverOption, serverUrl, userOf, warningsIn } from "./client.ts";
import { type CliIo, processIo, runCommand } from "./io.ts";
import { createTablePrinter } from "./print-table.ts";

const historyHelp = `
Newest first. A revision is what limpid undo takes.

Examples:
  limpid history              the last 20 changes, whoever made them
  limpid history -n 200       more of them
  limpid history -o json      for programs`;

const undoHelp = `
Every object of the change goes back to what it was before; when somebody has changed one since, nothing is done and they are named, unless
--force says that they may be overwritten.
An undo is a change itself: undoing it brings the first one back.

Examples:
  limpid undo 42              take back what limpid history shows as 42
  limpid undo 42 --dry-run    say what would be done, change nothing
  limpid undo 42 --check      and whose traffic it moves, and what reaches which proxy; the exit code is ${doubtfulCode} when requests
                              would go where nobody answers, or a proxy would refuse it`;

interface HistoryOptions extends ServerOption {
  limit: number;
  output?: "yaml" | "json";
}

interface UndoOptions extends ServerOption {
  dryRun?: boolean;
  check?: boolean;
  force?: boolean;
}

/** `limpid history` */
export function registerHistory(program: Command, io: CliIo = processIo): void {
  program
    .command("history")
    .description("show who changed what of the mesh, and when")
    .option("-n, --limit <number>", "how many changes, up to 1000", limitOf, 20)
    .addOption(new Option("-o, --output <format>", "form of the output").choices(["yaml", "json"]))
    .addOption(serverOption())
    .addOption(portOffsetOption())
    .addHelpText("after", historyHelp)
    .action((options: HistoryOptions) => runCommand(io, () => history(options, io)));
}

/** `limpid undo` */
export function registerUndo(program: Command, io: CliIo = processIo): void {
  program
    .command("undo")
    .description("take back one change of the mesh")
    .argument("<revision>", "of the change, as limpid history shows it", revisionOf)
    .option("--dry-run", "check and report, change nothing")
    .option(...checkOption)
    .option("--force", "also over later changes of the same objects")
    .addOption(serverOption())
    .addOption(portOffsetOption())
    .addHelpText("after", undoHelp)
    .action((revision: number, options: UndoOptions) => runCommand(io, () => undo(revision, options, io)));
}

async function history({ limit, output, ...place }: HistoryOptions, io: CliIo): Promise<void> {
  const answer = await call(serverUrl(place, io.env), `/limpid/v1/changes?limit=${limit}`);
  const { changes } = ChangeList.parse(await answer.json());
  if (output === "json") io.out(`${JSON.stringify(changes, null, 2)}\n`);
  else if (output === "yaml") io.out(stringify(changes, { lineWidth: 0 }));
  else if (changes.length === 0) io.err("nothing was changed yet\n");
  else io.out(inWords(changes));
}

function inWords(changes: readonly Change[]): string {
  return createTablePrinter({ wide: true, namespaces: false }).print({
    columnDefinitions: ["Revision", "Time", "Author", "Change"].map((name) => ({ name, priority: 0 })),
    rows: changes.map(({ revision, at, author, summary }) => ({
      cells: [revision, new Date(at).toISOString().replace(/\.\d+Z$/, "Z"), author, summary],
    })),
  });
}

async function undo(revision: number, options: UndoOptions, io: CliIo): Promise<void> {
  const { check = false, force = false, ...place } = options;
  const dryRun = check || options.dryRun === true;
  const server = serverUrl(place, io.env);
  const post = async (query: string) => {
    const path = `/limpid/v1/changes/${revision}/undo?fieldManager=limpid-cli&${query}`;
    return call(server, path, { method: "POST", body: {}, user: userOf(io.env) });
  };
  const seen = force
    ? ChangeResult.parse(await (await post("dryRun=true")).json()).undo?.since[0]?.revision
    : undefined;
  const answer = await post(`dryRun=${dryRun}&envoy=${check}${seen === undefined ? "" : `&over=${seen}`}`);
  const result = ChangeResult.parse(await answer.json());
  for (const { revision: later, author, summary } of result.undo?.since ?? []) {
    io.err(`warning: changed since by ${author}, revision ${later}: ${summary}\n`);
  }
  for (const warning of warningsIn(answer)) io.err(`warning: ${warning}\n`);
  if (check) return sayCheck(result, io);
  for (const { kind, name, before, after } of result.objects) {
    const verb = after === "" ? "deleted" : before === "" ? "created" : "restored";
    io.out(`${displayName(kind, name)} ${verb}${dryRun ? " (dry run)" : ""}\n`);
  }
}

function limitOf(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= 1000) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1 to 1000.");
}

function revisionOf(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be the number of a change; limpid history lists them.");
}
