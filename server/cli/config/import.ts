import type { Command } from "commander";
import { parse } from "yaml";
import { permanentNamespaces } from "../../config/kinds/namespace.ts";
import { type ConfigObject, formatKey, keyOf } from "../../config/object.ts";
import { sameJson } from "../../config/plan-commit.ts";
import { toYaml } from "../../config/to-yaml.ts";
import type { ChangeResult } from "../../contract/index.ts";
import { displayName, sendManifests } from "./apply.ts";
import { portOffsetOption, type ServerOption, serverOption, serverUrl } from "./client.ts";
import { fetchMesh } from "./export.ts";
import { CliError, type CliIo, processIo, runCommand } from "./io.ts";
import { count, readManifests } from "./read-manifests.ts";

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
  const named = new Set(manifests.map(({ object }) => formatKey(keyOf(object))));
  const { objects } = await fetchMesh(server, {});
  const inForce = new Map(objects.map((object) => [formatKey(object), object.yaml]));
  const changed = manifests.filter(({ object }) => !isSame(object, inForce.get(formatKey(keyOf(object)))));
  const surplus = objects
    .map(({ kind, namespace, name }) => ({ kind, namespace, name }))
    .filter(
      (key) => !named.has(formatKey(key)) && !(key.kind === "Namespace" && permanentNamespaces.includes(key.name)),
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
  // What goes with its namespace is not deleted twice.
  const gone = new Set(surplus.flatMap(({ kind, name }) => (kind === "Namespace" ? [name] : [])));
  const deletes = surplus.filter(({ namespace }) => !gone.has(namespace)).map((key) => ({ op: "delete", key }));
  const writes = [...changed.map(({ object }) => ({ op: "put", object })), ...deletes];
  if (writes.length === 0) {
    io.err("the mesh is so already\n");
    return;
  }
  const result = await sendManifests({ server, manifests: changed, io, writes, ...options });
  for (const line of outcome(result)) io.out(`${line}${dryRun ? " (dry run)" : ""}\n`);
}

/** But for what servers and clients fill in. */
const isSame = (object: ConfigObject, yaml: string | undefined): boolean =>
  yaml !== undefined && sameJson(parse(toYaml(object)), parse(yaml));

const outcome = ({ objects }: ChangeResult): string[] =>
  objects.map(({ kind, namespace, name, before, after }) => {
    const verb = after === "" ? "deleted" : before === "" ? "created" : "configured";
    return `${displayName(kind, name)}${inside(namespace)} ${verb}`;
  });

const inside = (namespace: string): string => (namespace === "" ? "" : ` in ${namespace}`);
