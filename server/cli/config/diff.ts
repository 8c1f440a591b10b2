import type { Command } from "commander";
import { createTwoFilesPatch } from "diff";
import type { ChangedObject } from "../../contract/index.ts";
import { sendManifests } from "./apply.ts";
import { portOffsetOption, type ServerOption, serverOption, serverUrl } from "./client.ts";
import { type CliIo, processIo, runCommand } from "./io.ts";
import { readManifests } from "./read-manifests.ts";

const help = `
As with diff itself, the exit code is 1 when something would change.

Examples:
  limpid diff -f reviews.yaml                     what limpid apply would change
  limpid export --at 42 | limpid diff -f -        how today's mesh differs from revision 42`;

interface DiffOptions extends ServerOption {
  filename: string[];
}

/** `limpid diff` */
export function registerDiff(program: Command, io: CliIo = processIo): void {
  program
    .command("diff")
    .description("show what limpid apply would change")
    .requiredOption("-f, --filename <path...>", "a file, a folder, or - for standard input")
    .addOption(serverOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((options: DiffOptions) => runCommand(io, () => diff(options, io)));
}

async function diff(options: DiffOptions, io: CliIo): Promise<void> {
  const manifests = await readManifests(options.filename, io);
  const writes = manifests.map(({ object }) => ({ op: "apply", object, force: true }));
  const server = serverUrl(options, io.env);
  const { objects } = await sendManifests({ server, manifests, io, writes, dryRun: true });
  for (const object of objects) io.out(patchOf(object));
  if (objects.length > 0) io.fail();
}

/** A unified diff, such as `patch` takes. */
export function patchOf({ kind, namespace, name, before, after }: ChangedObject): string {
  const path = [kind.toLowerCase(), namespace, name].filter(Boolean).join("/");
  return createTwoFilesPatch(
    before === "" ? "/dev/null" : `a/${path}`,
    after === "" ? "/dev/null" : `b/${path}`,
    before,
    after,
    "",
    "",
    { context: 3 },
  ).replace(/^=+\n/, "");
}
