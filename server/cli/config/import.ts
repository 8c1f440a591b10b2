import type { Command } from "commander";
import { deletesOf, differsFrom, surplusOf } from "../../config/import-plan.ts";
import type { ChangeResult } from "../../contract/index.ts";
import { count } from "../count.ts";
import { displayName, sendManifests } from "./apply.ts";
import { portOffsetOption, type ServerOption, serverOption, serverUrl } from "./client.ts";
import { fetchMesh } from "./export.ts";
import { CliError, type CliIo, processIo, runCommand } from "./io.ts";
import { readManifests } from "./read-manifests.ts";

const help = `
The mesh becomes exactly what the files say, in one change: what they name is made so, and what they don't name is deleted. Where that would delete
anything, it is listed and nothing is done until --prune says so. To add to a mesh, use limpid apply.

Examples:
  limpid import -f mesh/ --dry-run   what would become of the mesh
  limpid import -f mesh.yaml --prune another mesh's export, and nothing else`;

interface ImportOptions extends ServerOption {
  filename: string[];
  dryRun?: boolean;
  prune?: boolean;
  reason?: string;
}

/** `limpid import` */
export function registerImport(program: Command, io: CliIo = processIo): void {
  program
    .command("import")
    .description("make the whole configuration what the files say")
    .requiredOption("-f, --filename <path...>", "a file, a folder, or - for standard input")
    .option("--dry-run", "check and report, change nothing")
    .option("--prune", "delete what the files don't name")
    .option("--reason <text>", "why, in a few words, for the history")
    .addOption(serverOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((options: ImportOptions) => runCommand(io, () => importMesh(options, io)));
}

async function importMesh(options: ImportOptions, io: CliIo): Promise<void> {
  const { dryRun = false, prune = false } = options;
  const server = serverUrl(options, io.env);
  const manifests = await readManifests(options.filename, io);
  const { objects } = await fetchMesh(server, {});
  const differs = differsFrom(objects);
  const changed = manifests.filter(({ object }) => differs(object));
  const surplus = surplusOf(
    manifests.map(({ object }) => object),
    objects,
  );
  if (surplus.length > 0 && !prune && !dryRun) {
    const lines = surplus.map(
      ({ kind, namespace, name }) => `${displayName(kind, name)}${inside(namespace)} is not in the files`,
    );
    throw new CliError(
      ...lines,
      `error: ${count(surplus.length, "object")} would be deleted; say --prune, or use limpid apply`,
    );
  }
  const writes = [...changed.map(({ object }) => ({ op: "put" as const, object })), ...deletesOf(surplus)];
  if (writes.length === 0) {
    io.err("the mesh is so already\n");
    return;
  }
  const result = await sendManifests({ server, manifests: changed, io, writes, ...options });
  for (const line of outcome(result)) io.out(`${line}${dryRun ? " (dry run)" : ""}\n`);
}

const outcome = ({ objects }: ChangeResult): string[] =>
  objects.map(({ kind, namespace, name, before, after }) => {
    const verb = after === "" ? "deleted" : before === "" ? "created" : "configured";
    return `${displayName(kind, name)}${inside(namespace)} ${verb}`;
  });

const inside = (namespace: string): string => (namespace === "" ? "" : ` in ${namespace}`);
