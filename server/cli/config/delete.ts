import type { Command } from "commander";
import type { ResourceKey } from "../../config/object.ts";
import { keyOf } from "../../config/object.ts";
import { ChangeResult } from "../../contract/index.ts";
import { displayName } from "./apply.ts";
import { checkOption, doubtfulCode, sayCheck } from "./check.ts";
import { call, portOffsetOption, type ServerOption, serverOption, serverUrl, userOf, warningsIn } from "./client.ts";
import { CliError, type CliIo, processIo, runCommand } from "./io.ts";
import { kindArgument } from "./kind-argument.ts";
import { readManifests } from "./read-manifests.ts";

const help = `
All objects go as one change: either all of them are deleted, or none is.

Examples:
  limpid delete vs reviews ratings     two VirtualServices of the namespace default
  limpid delete -f reviews.yaml        what a file names
  limpid delete ns shop                a namespace and everything in it
  limpid delete dr reviews --check     who loses traffic by it, and what reaches which proxy; the exit code is ${doubtfulCode} when requests
                                       would go where nobody answers, or a proxy would refuse it`;

interface DeleteOptions extends ServerOption {
  namespace: string;
  filename?: string[];
  dryRun?: boolean;
  check?: boolean;
  reason?: string;
}

/** `limpid delete` */
export function registerDelete(program: Command, io: CliIo = processIo): void {
  program
    .command("delete")
    .description("delete mesh resources")
    .argument("[kind]", "what to delete")
    .argument("[names...]", "which of them")
    .option("-n, --namespace <name>", "the namespace they are in", "default")
    .option("-f, --filename <path...>", "delete what these files, folders or - (standard input) name")
    .option("--dry-run", "check and report, change nothing")
    .option(...checkOption)
    .option("--reason <text>", "why, in a few words, for the history")
    .addOption(serverOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((kind: string | undefined, names: string[], options: DeleteOptions) =>
      runCommand(io, () => remove(kind, names, options, io)),
    );
}

async function remove(kind: string | undefined, names: string[], options: DeleteOptions, io: CliIo): Promise<void> {
  const server = serverUrl(options, io.env);
  const keys = await keysToDelete(kind, names, options, io);
  const body = {
    writes: keys.map((key) => ({ op: "delete", key })),
    dryRun: options.check || (options.dryRun ?? false),
    ...(options.reason ? { reason: options.reason } : {}),
  };
  const preview = options.check === true;
  const answer = await call(server, `/limpid/v1/transactions?fieldManager=limpid-cli&envoy=${preview}`, {
    method: "POST",
    body,
    user: userOf(io.env),
  });
  for (const warning of warningsIn(answer)) io.err(`warning: ${warning}\n`);
  if (preview) return sayCheck(ChangeResult.parse(await answer.json()), io);
  for (const key of keys) io.out(`${displayName(key.kind, key.name)} deleted${options.dryRun ? " (dry run)" : ""}\n`);
}

async function keysToDelete(
  kindText: string | undefined,
  names: readonly string[],
  options: DeleteOptions,
  io: CliIo,
): Promise<ResourceKey[]> {
  if (options.filename !== undefined) {
    if (kindText !== undefined) throw new CliError("error: give either files or a kind with names, not both");
    return (await readManifests(options.filename, io)).map(({ object }) => keyOf(object));
  }
  if (kindText === undefined || names.length === 0) {
    throw new CliError("error: say what to delete: a kind and names, or -f with a file");
  }
  const kind = kindArgument(kindText);
  return names.map((name) => ({ kind: kind.kind, namespace: kind.namespaced ? options.namespace : "", name }));
}
