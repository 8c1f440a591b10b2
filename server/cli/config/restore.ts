import type { Command } from "commander";
import { ChangeResult } from "../../contract/index.ts";
import { displayName } from "./apply.ts";
import { checkOption, sayCheck } from "./check.ts";
import { call, portOffsetOption, type ServerOption, serverOption, serverUrl, userOf, warningsIn } from "./client.ts";
import { CliError, type CliIo, processIo, runCommand } from "./io.ts";
import { kindArgument } from "./kind-argument.ts";
import { momentQuery, momentText } from "./moment.ts";

const help = `
In one change, which limpid history has and limpid undo takes back.

Examples:
  limpid restore 42 --dry-run                 what would change
  limpid restore 42 --check                   and who loses traffic by it, and which proxy would refuse it
  limpid restore 2026-11-28T14:00:00Z         the whole mesh as it was then
  limpid restore 42 -n prod                   only what is in a namespace
  limpid restore 42 vs reviews                one object`;

interface RestoreOptions extends ServerOption {
  namespace?: string;
  dryRun?: boolean;
  check?: boolean;
}

/** `limpid restore` */
export function registerRestore(program: Command, io: CliIo = processIo): void {
  program
    .command("restore")
    .description("make the mesh, or a part of it, as it was")
    .argument("<moment>", momentText)
    .argument("[kind]", "only objects of this kind")
    .argument("[name]", "only the object of this name")
    .option("-n, --namespace <name>", "only in this namespace; of one object, where it is")
    .option("--dry-run", "check and report, change nothing")
    .option(...checkOption)
    .addOption(serverOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((moment: string, kind: string | undefined, name: string | undefined, options: RestoreOptions) =>
      runCommand(io, () => restore({ moment, kind, name }, options, io)),
    );
}

interface What {
  moment: string;
  kind: string | undefined;
  name: string | undefined;
}

async function restore({ moment, kind, name }: What, options: RestoreOptions, io: CliIo): Promise<void> {
  const { check = false } = options;
  const dryRun = check || options.dryRun === true;
  const query = momentQuery(moment);
  query.set("fieldManager", "limpid-cli");
  query.set("dryRun", String(dryRun));
  query.set("envoy", String(check));
  const definition = kind === undefined ? undefined : kindArgument(kind);
  if (definition) query.set("kind", definition.kind);
  if (name !== undefined) query.set("name", name);
  const namespace = options.namespace ?? (name !== undefined && definition?.namespaced ? "default" : undefined);
  if (namespace !== undefined) query.set("namespace", namespace);
  if (namespace !== undefined && definition?.namespaced === false) {
    throw new CliError(`error: a ${definition.kind} is in no namespace`);
  }
  const answer = await call(serverUrl(options, io.env), `/limpid/v1/mesh/restore?${query}`, {
    method: "POST",
    body: {},
    user: userOf(io.env),
  });
  const result = ChangeResult.parse(await answer.json());
  for (const warning of warningsIn(answer)) io.err(`warning: ${warning}\n`);
  if (check) return sayCheck(result, io);
  for (const changed of result.objects) {
    const verb = changed.after === "" ? "deleted" : changed.before === "" ? "created" : "restored";
    io.out(`${displayName(changed.kind, changed.name)} ${verb}${dryRun ? " (dry run)" : ""}\n`);
  }
  if (result.objects.length === 0) io.err("it is so already\n");
}
